#include "agent/hints.h"

#include "base/log.h"
#include "base/scratch_test.h"
#include "base/thread.h"

static Hints *hints;
static Conversation talk;
static Str says, heard;

static const char zoo[] =
    "{\"contains\": \"zoo\", \"hints\": [{\"over\": \"answer\", \"has\": \"Error\", \"hint\": \"It "
    "stops.\"}, "
    "{\"lacks\": \"3 + 4\", \"hint\": \"The operation.\"}], \"otherwise\": \"Good.\"}\n"
    "\n"
    "{\"contains\": \"new zoo\", \"over\": \"all\", \"repeats\": false, \"hints\": ["
    "{\"lacks\": \"look\", \"hint\": \"Look.\"}, "
    "{\"over\": \"answers\", \"lacks\": \"lion\", \"times\": 2, \"hint\": \"Two lions.\"}]}\n"
    "{\"contains\": \"told\", \"otherwise\": \"It is 42.\"}";

static void open_hints(const char *text)
{
    scratch_text("hints.jsonl", text);
    if (hints_open(&hints, in_scratch("hints.jsonl")) != ST_OK)
        fail_msg("%s", error_text());
}

static void begin(const char *task)
{
    conversation_clear(&talk);
    str_clear(&heard);
    conversation_add(&talk, CHAT_SYSTEM, span("a new zoo"));
    conversation_add(&talk, CHAT_USER, span(task));
}

/* One more turn; the world's answer with what was said goes into the talk. */
static void expect(const char *action, const char *answer, const char *words)
{
    conversation_add(&talk, CHAT_ASSISTANT, span(action));
    str_clear(&says);
    str_addf(&heard, "%s\n", answer);
    hints_say(&says, hints, &talk, (HintsHeard){span(answer), str_span(&heard)}, span("42"));
    assert_string_equal(str_c(&says), words);
    char *message = mem_format("%s%s%s", answer, says.n ? "\nExpert feedback:\n" : "", str_c(&says));
    conversation_add(&talk, CHAT_USER, span(message));
    mem_free(message);
}

static void an_expert_speaks_to_the_last_action(void **state)
{
    (void)state;
    open_hints(zoo);
    begin("Where is the zoo?");
    expect("3-4", "-1", "The operation.");
    expect("3-", "Error", "It stops.");
    expect("3 -4", "-1", "The operation.");
    expect("3+4", "7", "Good.");
    conversation_clear(&talk);
    conversation_add(&talk, CHAT_USER, span("zoo"));
    conversation_add(&talk, CHAT_ASSISTANT, span("3+4"));
    conversation_add(&talk, CHAT_USER, span("7")); /* an empty answer leaves no message */
    str_clear(&says);
    hints_say(&says, hints, &talk, (HintsHeard){span("What?"), span("7 What?")}, span(""));
    assert_string_equal(str_c(&says), "The operation.");
    hints_close(hints);
}

/* "lion" in the expert's own words is none; a hint that still holds is said once. */
static void an_expert_remembers(void **state)
{
    (void)state;
    open_hints(zoo);
    begin("Where is the new zoo?");
    expect("go", "a door", "Look.");
    expect("go", "a lion", "");
    expect("look", "grass", "Two lions.");
    expect("look", "grass", "");
    expect("look", "the lion", "");
    hints_close(hints);
}

static void what_discloses_is_withheld_and_who_has_no_line_hears_nothing(void **state)
{
    (void)state;
    open_hints(zoo);
    begin("This is told.");
    expect("a", "b", "");
    begin("Nothing.");
    expect("a", "b", "");
    begin("");
    expect("a", "b", "");
    assert_string_equal(hints_name(hints), "hints:hints.jsonl");
    log_level_set(LOG_ERROR);
    hints_report(hints);
    log_level_set(LOG_INFO);
    conversation_clear(&talk);
    hints_say(&says, hints, &talk, (HintsHeard){0}, span(""));
    assert_int_equal(says.n, 0);
    hints_close(hints);
    hints_close(NULL);
}

static void refused(const char *text, const char *words)
{
    Hints *none = NULL;
    scratch_text("broken.jsonl", text);
    assert_int_equal(hints_open(&none, in_scratch("broken.jsonl")), ST_FORMAT);
    expect_words(words);
    assert_null(none);
}

static void broken_files_name_the_line(void **state)
{
    (void)state;
    refused("", "broken.jsonl has no line of hints");
    refused("\n{", "broken.jsonl line 2: it is no JSON");
    refused("{\"contains\": \"a\", \"contains\": \"b\"}", "line 1: it is no JSON: duplicate");
    refused("{\"contains\": \"a\", \"turns\": []}", "line 1: it has an unknown key \"turns\"");
    refused("{\"contains\": \"a\", \"hints\": [{\"lacks\": \"x y\", \"hint\": \"Say X y.\"}]}",
            "line 1: hint 1: it says what is lacking");
    refused("{\"contains\": \"a\", \"otherwise\": \"b\"}\n{\"contains\": \"a\", \"otherwise\": \"c\"}",
            "line 2: an earlier line \"contains\" the same text");
    Hints *none;
    assert_int_equal(hints_open(&none, "/nonexistent"), ST_IO);
}

enum { ASKS = 200, THREADS = 8 };

static void ask_one(void *context, int64_t i, int thread)
{
    _Atomic int *right = context;
    Conversation c = {0};
    Str words = {0};
    (void)thread;
    conversation_add(&c, CHAT_USER, span(i % 2 ? "zoo" : "told"));
    conversation_add(&c, CHAT_ASSISTANT, span("3 * 4"));
    hints_say(&words, hints, &c, (HintsHeard){span("12"), span("12")}, span("42"));
    *right += strcmp(str_c(&words), i % 2 ? "The operation." : "") == 0;
    str_drop(&words);
    conversation_drop(&c);
}

static void many_ask_at_once(void **state)
{
    (void)state;
    _Atomic int right = 0;
    open_hints(zoo);
    thread_each(ASKS, THREADS, ask_one, &right);
    assert_int_equal(right, ASKS);
    hints_close(hints);
}

static int drop_all(void **state)
{
    conversation_drop(&talk);
    str_drop(&says);
    str_drop(&heard);
    return scratch_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expert_speaks_to_the_last_action),
        cmocka_unit_test(an_expert_remembers),
        cmocka_unit_test(what_discloses_is_withheld_and_who_has_no_line_hears_nothing),
        cmocka_unit_test(broken_files_name_the_line),
        cmocka_unit_test(many_ask_at_once),
    };
    return cmocka_run_group_tests(tests, scratch_make, drop_all);
}
