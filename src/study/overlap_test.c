/* Planted tasks are found in every form in which a model may have read them, and others are not. */
#include "study/overlap.h"

#include "corpus/instruct_fixture_test.h"
#include "study/overlap_read.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

/* Whether `text` holds the question. */
static bool holds(const char *text, const char *question)
{
    Overlap *o = overlap_new();
    const OverlapTally *tally;
    overlap_task(o, "set", "1", span(question), span(""));
    overlap_search(o, "here", span(text));
    assert_int_equal(overlap_tallies(o, &tally), 1);
    bool found = tally->questions == 1;
    const OverlapFind *finds;
    assert_int_equal(overlap_finds(o, &finds), found);
    if (found)
        assert_string_equal(finds->place, "here");
    overlap_free(o);
    return found;
}

static void questions_are_found_whatever_their_dress(void **state)
{
    (void)state;
    const char *q = "Hugo has 39 maps, buys 23 and gives 38 away. How many maps does Hugo have now?";
    assert_true(holds(q, q));
    assert_true(
        holds("so: HUGO has 39 maps buys 23\n and gives 38 away; how many maps does hugo have now and", q));
    assert_false(holds("Hugo has 39 maps, buys 24 and gives 38 away. How many maps does Hugo have now?", q));
    assert_false(holds("Hugo has 39 maps, buys 23 and gives 38 away.", q));
    assert_false(holds("", q));
    assert_true(holds("x caf\xC3\xA9 b c d e f g h i j k l m n", "caf\xC3\xA9 b c d e f g h i j k l m"));
    assert_true(holds("Hugo\xC2\xA0has 39\xE2\x80\xAFmaps, buys 23 and gives 38 away. How many maps does Hugo have now?", q));
    assert_true(holds("x CAF\xC3\x89 \xC4\x8C\xC5\xBD \xD0\x96 \xCE\xA9 e f g h i j k l",
                      "caf\xC3\xA9 \xC4\x8D\xC5\xBE \xD0\xB6 \xCF\x89 e f g h i j k l"));
    assert_true(holds("It\xE2\x80\x99s said: \xE2\x80\x9CWho has 3 maps \xE2\x80\x93 or 4 \xE2\x80\x93 and why\xE2\x80\xA6 not 5?\xE2\x80\x9D",
                      "Who has 3 maps - or 4 - and why... not 5?"));
    /* Each character is a word: a question of twelve counts anywhere, another one does not. */
    const char *chinese = "\xE5\xB0\x8F\xE6\x98\x8E\xE6\x9C\x89\xE4\xB8\x89\xE4\xB8\xAA\xE8\x8B\xB9\xE6\x9E\x9C\xEF\xBC\x8C"
                          "\xE8\xBF\x98\xE5\x89\xA9\xE5\x87\xA0\xE4\xB8\xAA\xE5\x91\xA2\xEF\xBC\x9F",
               *other = "\xE5\xB0\x8F\xE6\x98\x8E\xE6\x9C\x89\xE5\x9B\x9B\xE4\xB8\xAA\xE8\x8B\xB9\xE6\x9E\x9C\xEF\xBC\x8C"
                        "\xE8\xBF\x98\xE5\x89\xA9\xE5\x87\xA0\xE4\xB8\xAA\xE5\x91\xA2\xEF\xBC\x9F";
    char *within = mem_format("\xE9\xA2\x98\xE7\x9B\xAE\xEF\xBC\x9A%s\xE7\xAD\x94", chinese);
    assert_true(holds(within, chinese));
    assert_false(holds(within, other));
    mem_free(within);
    assert_false(holds("x cafe b c d e f g h i j k l m n", "caf\xC3\xA9 b c d e f g h i j k l m"));
}

static void short_ones_stand_by_themselves(void **state)
{
    (void)state;
    const char *q = "What is 32 - 16?";
    assert_true(holds("<|im_start|>user\nwhat is 32 - 16<|im_end|>", q));
    assert_true(holds("She asked \"What is 32 - 16?\" and left.", q));
    assert_true(holds("Yes. What is 32-16? No.", q));
    assert_false(holds("Count all whose land is 'India' and whose age is 3.", "Count all whose land is 'India'."));
    assert_true(holds("Count all whose land is 'India'. Quick!", "Count all whose land is 'India'."));
    assert_true(holds("'Count all whose land is India'", "Count all whose land is 'India'."));
    assert_false(holds("What is 32 - 16 + 4?", q));
    assert_false(holds("and what is 32 - 16?", q));
    assert_false(holds("Ben has 14 books, Ida 20. How many books are there?", "How many books are there?"));
    assert_true(holds("Ben has 14 books.\nHow many books are there?", "How many books are there?"));
    assert_true(holds("12. How many books are there? 13. Why?", "How many books are there?"));
    assert_true(holds("Answer the query. Query: how many books are there?", "How many books are there?"));
    assert_false(holds("What is 32 + 16?", q));
    assert_false(holds("What is 132 - 16?", q));
    assert_true(holds("```sql\nSELECT COUNT(*) FROM office\n```", "SELECT COUNT(*) FROM office"));
    assert_false(
        holds("```sql\nSELECT COUNT(*) FROM office WHERE x > 1\n```", "SELECT COUNT(*) FROM office"));
}

static void all_is_counted(void **state)
{
    (void)state;
    Overlap *o = overlap_new();
    const OverlapTally *t;
    const char *template =
        "a train with %d seats goes forty miles an hour how far does it go in two hours then";
    for (int i = 0; i < 3; i++) {
        char text[200], id[12];
        snprintf(text, sizeof text, template, i);
        snprintf(id, sizeof id, "%d", i);
        overlap_task(o, "trains", id, span(text), span("print(40 * 2)"));
    }
    overlap_task(o, "others", "0", span("Why so?"), span("x"));
    overlap_task(o, "others", "0", span("Why so?"), span("x")); /* of another run, the same */
    overlap_task(o, "others", "1", span("What is the height of that tree?"), span(""));
    for (int twice = 0; twice < 2; twice++) {
        overlap_search(
            o, "p",
            span("A train with 9 seats goes forty miles an hour; how far does it go in two hours then?"));
        overlap_search(
            o, "q",
            span("a train with 1 seats goes forty miles an hour how far does it go in two hours then "
                 "<execute>print(40 * 2)</execute>"));
    }
    assert_int_equal(overlap_tallies(o, &t), 2);
    assert_int_equal(t[0].tasks, 3);
    assert_int_equal(t[0].questions, 1);
    assert_int_equal(t[0].answers, 3);
    assert_int_equal(t[0].ngrams, 3);
    assert_int_equal(t[1].tasks, 2);
    assert_int_equal(t[1].short_ones, 1);
    assert_int_equal(t[1].questions + t[1].answers + t[1].ngrams, 0);
    assert_int_equal(overlap_texts(o), 4);
    overlap_free(o);
}

/* Files. ------------------------------------------------------------------------------------------------- */

/* Three tasks without a question in the data, one with. */
static Overlap *tasks_of_a_run(void)
{
    Overlap *o = overlap_new();
    scratch_text(
        "run/samples_rooms.jsonl",
        "{\"id\": \"a\", \"doc\": {\"game\": 1}, \"target\": \"\", \"arguments\": [[{\"role\": \"user\", "
        "\"content\": \"Reach the goal of your task.\\nYou see a bed 1 and a desk 2.\\nPut a pen on the "
        "desk.\\n> \"}]]}\n"
        "{\"id\": \"b\", \"doc\": {\"game\": 2}, \"target\": \"\", \"arguments\": [\"Reach the goal of your "
        "task.\\nYou see a sink 1 and a shelf 7.\\nClean a cup.\\n> \"]}\n"
        "{\"id\": \"c\", \"doc\": {\"query\": \"How many keepers of lions are there in the zoo by the river "
        "today?\"}, \"target\": \"SELECT COUNT(*) FROM keeper\", \"arguments\": [\"Reach the goal of your "
        "task.\\nSomething else.\\n> \"]}\n");
    must(overlap_read_tasks(o, "rooms", in_scratch("run"), "rooms"));
    return o;
}

static const OverlapTally *found_in(Overlap *o, OverlapReading *reading, const char *name)
{
    const OverlapTally *t;
    must(overlap_read_texts(o, reading, in_scratch(name), 0));
    assert_int_equal(overlap_tallies(o, &t), 1);
    return t;
}

static void a_leak_is_found_in_any_file(void **state)
{
    (void)state;
    OverlapReading reading = {0};
    scratch_text("t/clean.jsonl",
                 "{\"messages\": [{\"role\": \"user\", \"content\": \"Reach the goal of your task.\\nYou "
                 "see a sink 1 and a shelf 8.\\nClean a cup.\\n> \"}]}\n");
    scratch_text(
        "t/deep.jsonl",
        "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"You see "
        "a bed 1 and a desk 2.\\nPut a pen on the desk.\"}]}]}\n");
    scratch_text("t/alpaca.json",
                 "[{\"instruction\": \"How many keepers of lions are there in\\nthe zoo by the river "
                 "today?\", \"output\": \"7\"}]");
    scratch_text("t/plain.txt", "... You see a sink 1 and a shelf 7. Clean a cup. ...");
    scratch_text("t/sql.md", "```\nselect count(*) from keeper\n```\n");
    Overlap *o = tasks_of_a_run();
    assert_int_equal(found_in(o, &reading, "t/clean.jsonl")->questions, 0);
    assert_int_equal(found_in(o, &reading, "t/deep.jsonl")->questions, 1);
    assert_int_equal(found_in(o, &reading, "t/alpaca.json")->questions, 2);
    assert_int_equal(found_in(o, &reading, "t/plain.txt")->questions, 3); /* its lines are others */
    assert_int_equal(found_in(o, &reading, "t/sql.md")->answers, 1);
    assert_int_equal(reading.unread, 0);
    json_t *json = overlap_to_json(o, &reading);
    assert_int_equal(overlap_found(json), 3);
    const json_t *first = json_array_get(json_object_get(json, "found"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "task")), "a");
    assert_non_null(strstr(json_string_value(json_object_get(first, "place")), "t/deep.jsonl:1"));
    json_decref(json);
    overlap_free(o);
    o = tasks_of_a_run(); /* all of the folder, packed too */
    scratch_run("gzip t/deep.jsonl && printf 'no gzip' > t/damaged.jsonl.gz");
    assert_int_equal(found_in(o, &reading, "t")->questions, 3);
    assert_int_equal(reading.unread, 1);
    assert_int_equal(overlap_read_texts(o, &reading, in_scratch("nowhere"), 0), ST_ARG);
    expect_words("there is no file");
    overlap_free(o);
}

static void what_holds_no_text_is_no_proof(void **state)
{
    (void)state;
    OverlapReading reading = {0};
    Overlap *o = tasks_of_a_run();
    scratch_text("nothing/empty.jsonl", "");
    assert_int_equal(overlap_read_texts(o, &reading, in_scratch("nothing"), 0), ST_ARG);
    expect_words("holds no text");
    scratch_run("printf 'x\\000y' > weights.safetensors");
    must(overlap_read_texts(o, &reading, in_scratch("weights.safetensors"), 0));
    assert_int_equal(reading.unread, 1);
    overlap_free(o);
}

static void a_leak_is_found_in_rows(void **state)
{
    (void)state;
    Fixture f;
    OverlapReading reading = {0};
    scratch_text(
        "e.jsonl",
        "{\"instruction\":\"You see a sink 1 and a shelf 7.\\nClean a cup.\",\"output\":\"> take\"}\n"
        "{\"instruction\":\"Something else\",\"output\":\"Yes\"}\n");
    fixture_open(&f, "{held_out: 0, sources: [{name: e, kind: text, path: $/e.jsonl}]}");
    json_decref(fixture_prepare(&f, "tuned/data", NULL));
    Overlap *o = tasks_of_a_run();
    assert_int_equal(found_in(o, &reading, "tuned")->questions, 1);
    const OverlapFind *finds;
    assert_int_equal(overlap_finds(o, &finds), 1);
    assert_string_equal(finds->id, "b");
    assert_non_null(strstr(finds->place, "of e"));
    assert_int_equal(overlap_texts(o), 2);
    overlap_free(o);
    o = tasks_of_a_run(); /* a bound on what is read is told */
    must(overlap_read_texts(o, &reading, in_scratch("tuned/data"), 1));
    assert_true(reading.cut);
    assert_in_range(overlap_texts(o), 1, 2);
    overlap_free(o);
    fixture_close(&f);
}

/* A file that nobody vouches for. */
static void a_sum_is_a_number_that_there_is(void **state)
{
    (void)state;
    json_t *json =
        json_loads("{\"sets\": [{\"questions\": 1e300}, {\"questions\": 1e300}, {\"questions\": 2}]}", 0, NULL);
    assert_non_null(json);
    assert_int_equal(overlap_found(json), INT64_MAX);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_found_whatever_their_dress),
        cmocka_unit_test(short_ones_stand_by_themselves),
        cmocka_unit_test(all_is_counted),
        cmocka_unit_test(a_leak_is_found_in_any_file),
        cmocka_unit_test(what_holds_no_text_is_no_proof),
        cmocka_unit_test(a_leak_is_found_in_rows),
        cmocka_unit_test(a_sum_is_a_number_that_there_is),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
