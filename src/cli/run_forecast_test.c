#include "cli/run_forecast.h"

#include <math.h>
#include <string.h>

#include "base/array.h"
#include "base/scratch_test.h"
#include "corpus/shard.h"

/* A stage's words, cut at blanks; what other stages will hold; one machine for all. */
static MachineSpeed speed = {.bf16 = 1e12, .f32 = 1e12};
static RecipeForecast f;

static Status ask(Status (*forecast)(RecipeForecast *out, const RecipeAsk *ask), const char *words,
                  const char *settings, const RecipeKnown *known, size_t n)
{
    Array(char *) all = {0};
    const char *at = words;
    json_t *read = settings ? json_loads(settings, 0, NULL) : NULL;
    for (Span w; (w = words_next(&at)).n;)
        array_push(&all, mem_strn(w.at, w.n));
    array_push(&all, NULL);
    json_decref(f.facts);
    f = (RecipeForecast){0};
    RecipeAsk a = {.words = all.at,
                   .words_n = all.n - 1,
                   .settings = read,
                   .out = "/none/out",
                   .wanted = true,
                   .known = known,
                   .known_n = n,
                   .machine = &speed};
    Status st = forecast(&f, &a);
    for (size_t i = 0; i < all.n; i++)
        mem_free(all.at[i]);
    array_drop(&all);
    json_decref(read);
    return st;
}

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static void is_near(double value, double wanted)
{
    if (value < 0.8 * wanted || value > 1.25 * wanted)
        fail_msg("%g is not near %g", value, wanted);
}

static int64_t fact(const char *key)
{
    return (int64_t)json_number_value(json_object_get(f.facts, key));
}

/* The paper's model: 69 G numbers of 4 + 2 + 4 + 8 bytes; 6 FLOPs a number and token, a third more for
 * layers that are computed again, at 0.6 of 1e12 a second. */
static void the_papers_training(void **state)
{
    (void)state;
    json_t *rows = json_pack("{s:i, s:I, s:i, s:i}", "context", 4096, "rows", (json_int_t)21972656,
                             "held_out_rows", 100, "vocab_size", 32000);
    const RecipeKnown known[] = {{"/none/packed", rows}};
    static const char words[] =
        "train --data /none/packed --init /none/llama --recipe recipe.yaml -o /none/out";
    must(ask(train_forecast, words,
             "{\"model\": {\"preset\": \"70b\"}, \"train\": {\"tokens\": \"90G\", \"batch\": 1, "
             "\"grad_accumulation\": 1024, \"recompute\": \"layer\", \"keep_checkpoints\": 1, \"compute\": "
             "\"bf16\", \"eval_every\": -1}}",
             known, 1));
    assert_int_equal(f.from, FORECAST_COMPUTED);
    is_near((double)f.memory_least, 69e9 * 18);
    assert_true(f.memory > f.memory_least);
    is_near(f.seconds, 6 * 69e9 * 90e9 * 4 / 3 / 0.6e12);
    is_near((double)f.disk,
            69e9 * 26); /* two checkpoints of 12 while one takes the other's place, and bf16 */
    assert_non_null(json_object_get(f.facts, "model"));
    json_decref(rows);
}

static void training_needs_to_know(void **state)
{
    (void)state;
    json_t *rows = json_pack("{s:i, s:i, s:i}", "context", 128, "rows", 1000, "vocab_size", 8000);
    const RecipeKnown known[] = {{"/none/packed", rows}};
    must(ask(train_forecast, "train --data /none/packed --preset 5m --steps 10 --batch 2 --eval-every -1",
             NULL, known, 1));
    double ten = f.seconds;
    must(ask(train_forecast, "train --data /none/packed --preset 5m --num-epochs 2 --batch 2 --eval_every=-1",
             NULL, known, 1));
    is_near(f.seconds, 100 * ten);
    must(ask(train_forecast, "train --data /none/packed --preset 5m --minutes 3", NULL, known, 1));
    assert_true(f.seconds == 180);
    assert_int_equal(ask(train_forecast, "train --data /none/elsewhere --preset 5m", NULL, known, 1), ST_IO);
    assert_int_equal(ask(train_forecast, "train --data /none/packed --init /none/llama", NULL, known, 1),
                     ST_IO);
    static const struct {
        const char *words, *says;
    } slips[] = {{"train --data /none/packed --stpes 3", "steps"},
                 {"train --data /none/packed --preset 7m", "7m"},
                 {"train --data /none/packed --preset 5m --batch 0", "batch"},
                 {"train --data /none/packed --preset 5m --steps 2 --tokens 9", "give one of them"}};
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        assert_int_equal(ask(train_forecast, slips[i].words, NULL, known, 1), ST_ARG);
        expect_words(slips[i].says);
    }
    json_decref(rows);
}

/* Adapters stand on weights that are not trained: 2 bytes of each, and little besides. */
static void adapters_take_less(void **state)
{
    (void)state;
    static const char all[] =
        "{\"model\": {\"preset\": \"7b\"}, \"tune\": {\"context\": 512, \"batch\": 1, "
        "\"compute\": \"bf16\", \"total\": \"100k\", \"epochs\": 1, \"sources\": [{\"name\": "
        "\"a\", \"kind\": \"text\", \"path\": \"/none/a.jsonl\"}]}}";
    must(ask(tune_forecast, "tune -m /none/model --recipe recipe.yaml -o /none/out", all, NULL, 0));
    int64_t whole = f.memory_least;
    is_near((double)whole, 6.7e9 * 18);
    assert_int_equal(f.from, FORECAST_COARSE);
    is_near(f.seconds, 6 * 6.7e9 * 100e3 * 600 / 0.6e12);
    must(ask(tune_forecast, "tune -m /none/model --recipe recipe.yaml --lora -o /none/out", all, NULL, 0));
    is_near((double)f.memory_least, 6.7e9 * 2);
    assert_int_equal(ask(tune_forecast, "tune -m /none/model --data /none/a.jsonl", NULL, NULL, 0), ST_IO);
    assert_int_equal(ask(tune_forecast, "tune -m /none/model --dat /none/a.jsonl", NULL, NULL, 0), ST_ARG);
}

/* A quarter of them is learned. */
static void masked_rows(const char *name)
{
    static const ShardSource sources[] = {{"asked", SHARD_TEXT}};
    static const uint8_t quarter[] = {0x88, 0x88, 0};
    uint32_t starts[] = {0};
    int32_t ids[17] = {0};
    ShardSpec spec = {.row_tokens = 17, .vocab_size = 8000, .isolated = true, .has_mask = true,
                      .sources = sources, .sources_n = 1};
    ShardRow row = {.starts = starts, .starts_n = 1, .mask = quarter};
    ShardSetWriter *w;
    must(shards_create(&w, in_scratch(name), &spec, 16));
    for (int i = 0; i < 20; i++)
        must(shards_add(w, i < 10 ? "train" : "held_out", ids, &row));
    must(shards_finish(w, NULL, NULL));
}

/* What is not learned takes less time: as rows that are there say, half of those that are not. */
static void rows_say_what_is_learned(void **state)
{
    (void)state;
    HParams h;
    must(hparams_preset(&h, "5m"));
    h.vocab_size = 8000;
    masked_rows("masked");
    double all = hparams_train_flops(&h, 16), some = hparams_learned_flops(&h), tokens = 100 * 16;
    char *words = mem_format("train --data %s --preset 5m --steps 100 --batch 1 --eval-every 0 --eval-rows 0",
                             in_scratch("masked"));
    must(ask(train_forecast, words, NULL, NULL, 0));
    assert_true(fabs(f.seconds / ((tokens + 160.0 / 3) * (all - 0.75 * some) / 0.6e12) - 1) < 1e-9);
    mem_free(words);
    json_t *model = json_pack("{s:o}", "model", hparams_to_json(&h));
    const RecipeKnown known[] = {{"/none/model", model}};
    must(ask(tune_forecast,
             "tune -m /none/model --data /none/a.jsonl --context 16 --steps 100 --batch 1 -o /none/out", NULL,
             known, 1));
    assert_true(fabs(f.seconds / (tokens * (all - 0.5 * some) / 0.6e12) - 1) < 1e-9);
    json_decref(model);
}

/* Bytes, tokens, rows: one stage reads the facts of the one before. */
static void a_corpus_becomes_rows(void **state)
{
    (void)state;
    char *settings =
        mem_format("{\"corpus\": {\"sources\": [{\"name\": \"c\", \"kind\": \"code\", \"path\": \"%s\"}, "
                   "{\"name\": \"t\", \"kind\": \"text\", \"path\": \"/none/*\", \"limit\": 350000}]}, "
                   "\"pack\": {\"context\": 100}}",
                   in_scratch("in/*"));
    char *bytes = mem_array(char, 700000);
    scratch_write("in/x.c", bytes, 700000);
    scratch_write("in/y.c.zst", bytes, 700000);
    mem_free(bytes);
    must(ask(corpus_forecast, "corpus build recipe.yaml -o /none/out", settings, NULL, 0));
    assert_int_equal(fact("code_bytes"), 3500000);
    assert_int_equal(fact("text_bytes"), 350000); /* not there: its limit */
    json_t *corpus = json_incref(f.facts);
    const RecipeKnown known[] = {{"/none/corpus", corpus}};
    must(ask(tokenizer_forecast, "tokenizer train --vocab-size 600 -o /none/out /none/corpus/train", NULL,
             known, 1));
    assert_int_equal(fact("vocab_size"), 600);
    assert_true(f.seconds > 0);
    must(ask(pack_forecast, "pack /none/corpus --tokenizer /none/x --recipe recipe.yaml -o /none/out",
             settings, known, 1));
    assert_int_equal(fact("context"), 100);
    is_near((double)fact("rows"), 1e6 * 1.1 / 100);
    must(ask(pack_forecast, "pack /none/corpus --recipe recipe.yaml --ratio-text 0 --tokens 50000", settings,
             known, 1));
    is_near((double)fact("rows"), 500);
    assert_int_equal(ask(pack_forecast, "pack /none/corpus --ratio-code 0 --ratio_text=0", NULL, known, 1),
                     ST_ARG);
    expect_words("nothing is asked for");
    json_object_set_new(corpus, "has_text", json_false());
    assert_int_equal(ask(pack_forecast, "pack /none/corpus", NULL, known, 1), ST_ARG);
    expect_words("the ratio asks for 1 parts of text and the corpus has no source of it");
    json_decref(corpus);
    mem_free(settings);
}

static void worlds_are_played(void **state)
{
    (void)state;
    must(ask(env_make_forecast, "env make words -o /none/out --train 100 --test 7", NULL, NULL, 0));
    assert_int_equal(fact("test"), 7);
    json_t *family = json_incref(f.facts),
           *model = json_pack("{s:{s:i, s:i, s:i, s:i, s:i}}", "model", "vocab_size", 1000, "hidden_size", 64,
                              "intermediate_size", 128, "num_hidden_layers", 2, "num_attention_heads", 2);
    const RecipeKnown known[] = {{"/none/words", family}, {"/none/tuned", model}};
    must(ask(eval_forecast, "eval -m script:/none/words/expert.jsonl --data /none/words/train", NULL, known,
             2));
    assert_true(f.seconds > 0.3 && f.seconds < 10);
    assert_true(fact("bytes") > 100000);
    must(ask(eval_forecast, "eval -m /none/tuned --data /none/words/test --steps 1-5", NULL, known, 2));
    double all = f.seconds;
    must(ask(eval_forecast, "eval -m /none/tuned --data /none/words/test --steps 5", NULL, known, 2));
    is_near(all, 3 * f.seconds);
    must(ask(eval_forecast, "eval -m http://localhost:1 --data /none/words/test", NULL, known, 2));
    assert_int_equal(f.from, FORECAST_NONE);
    must(ask(env_make_forecast, "env make -o /none/out -n 30", NULL, NULL, 0));
    assert_int_equal(fact("games"), 30);
    json_decref(family);
    json_decref(model);
}

/* 58 M weights: as `lemur convert --random --preset 60m` and `--type Q8_0` wrote them. */
static void models_are_converted(void **state)
{
    (void)state;
    must(ask(convert_forecast, "convert --random --preset 60m -o /none/out", NULL, NULL, 0));
    is_near((double)f.disk, 116e6);
    double made = f.seconds;
    json_t *model = json_incref(f.facts);
    const RecipeKnown known[] = {{"/none/m", model}};
    must(ask(convert_forecast, "convert /none/m --type Q8_0 -o /none/out/m.gguf", NULL, known, 1));
    is_near((double)f.disk, 62.3e6);
    assert_true(f.seconds > 0 && f.seconds < made);
    assert_true(f.memory > 0);
    assert_non_null(json_object_get(f.facts, "model"));
    must(ask(convert_forecast, "convert /none/m --type=Q4_K_M -o /none/out/m.gguf", NULL, known, 1));
    is_near((double)f.disk, 40.6e6);
    assert_int_equal(ask(convert_forecast, "convert /none/m --type Q3 -o x", NULL, known, 1), ST_ARG);
    expect_words("there is no type Q3");
    assert_int_equal(ask(convert_forecast, "convert /none/other -o x", NULL, known, 1), ST_IO);
    assert_int_equal(ask(convert_forecast, "convert --random --preset 3x -o x", NULL, NULL, 0), ST_ARG);
    json_decref(model);
}

static void policies_are_scored(void **state)
{
    (void)state;
    json_t *family = json_pack("{s:i, s:i}", "train", 4000, "test", 100);
    const RecipeKnown known[] = {{"/none/sql", family}};
    must(ask(env_score_forecast, "env score sql --policy expert --data /none/sql/train", NULL, known, 1));
    double one = f.seconds;
    assert_true(one > 0 && f.disk > 0 && f.memory > 0);
    must(ask(env_score_forecast, "env score sql --policy expert,random --data /none/sql/train --tasks 1000",
             NULL, known, 1));
    is_near(f.seconds, one / 2);
    json_t *games = json_pack("{s:i}", "games", 30);
    const RecipeKnown made[] = {{"/none/games", games}};
    must(ask(env_score_forecast, "env score household --policy expert --games /none/games", NULL, made, 1));
    is_near(f.seconds, 0.15);
    json_decref(games);
    must(ask(env_score_forecast, "env score sql --policy expert --data /none/elsewhere", NULL, known, 1));
    assert_int_equal(f.from, FORECAST_NONE);
    assert_int_equal(
        ask(env_score_forecast, "env score sql --data /none/sql/test --tasks some", NULL, known, 1), ST_ARG);
    json_decref(family);
}

static void studies_read(void **state)
{
    (void)state;
    json_t *scores = json_pack("{s:f}", "bytes", 100e6),
           *corpus = json_pack("{s:f, s:f}", "code_bytes", 180e6, "text_bytes", 20e6), *looked;
    RecipeKnown known[] = {{"/none/scores", scores}, {"/none/corpus", corpus}, {"/none/overlap", NULL}};
    must(ask(study_forecast, "study errors /none/scores -o /none/out/errors.json", NULL, known, 2));
    is_near(f.seconds, 2);
    assert_true(f.memory > 0 && f.disk > 0);
    must(ask(study_forecast, "study overlap /none/scores --train /none/corpus -o /none/out", NULL, known, 2));
    is_near(f.seconds, 2 + 10);
    looked = json_incref(f.facts);
    must(ask(study_forecast, "study keep /none/scores -o /none/out", NULL, known, 2));
    is_near((double)fact("bytes"), 50e6);
    must(ask(report_forecast, "report a=/none/scores /none/corpus -o /none/out", NULL, known, 2));
    double whole = f.seconds;
    is_near(whole, 1 + 10 + 10 + 4);
    known[2].facts = looked;
    must(ask(report_forecast, "report /none/scores /none/corpus /none/overlap -o /none/out", NULL, known, 3));
    is_near(whole - f.seconds, 10);
    char *bytes = mem_array(char, 5000000), *words = mem_format("report %s", in_scratch("there"));
    scratch_write("there/transcripts_tasks.jsonl", bytes, 5000000); /* no stage's */
    must(ask(report_forecast, words, NULL, known, 0));
    is_near(f.seconds, 1.5);
    mem_free(bytes);
    mem_free(words);
    json_decref(scores);
    json_decref(corpus);
    json_decref(looked);
}

static void rounds_are_added_up(void **state)
{
    (void)state;
    json_t *model = json_pack("{s:{s:i, s:i, s:i, s:i, s:i}}", "model", "vocab_size", 1000, "hidden_size", 64,
                              "intermediate_size", 128, "num_hidden_layers", 2, "num_attention_heads", 2);
    const RecipeKnown known[] = {{"/none/agent", model}};
    must(ask(improve_forecast, "study improve -m /none/agent --rounds 1 --families words -o /none/out", NULL,
             known, 1));
    double one = f.seconds;
    int64_t disk = f.disk;
    assert_true(one > 0 && disk > (200 * 4 + 400) * 5000 && f.memory > 0);
    assert_non_null(json_object_get(f.facts, "model"));
    must(ask(improve_forecast,
             "study improve -m /none/agent --rounds=1 --families words,sql --tune epochs=2 -o /none/out",
             NULL, known, 1));
    is_near(f.seconds, 2 * one);
    must(ask(improve_forecast, "study improve -m /none/agent --rounds 4 --families words -o /none/out", NULL,
             known, 1));
    assert_true(f.seconds > 3 * one && f.seconds < 4 * one);
    assert_int_equal(ask(improve_forecast, "study improve -m /none/agent --rounds 0", NULL, known, 1),
                     ST_ARG);
    assert_int_equal(ask(improve_forecast, "study improve -m /none/other", NULL, known, 1), ST_IO);
    json_decref(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_papers_training), cmocka_unit_test(training_needs_to_know),
        cmocka_unit_test(adapters_take_less),  cmocka_unit_test(a_corpus_becomes_rows),
        cmocka_unit_test(rows_say_what_is_learned),
        cmocka_unit_test(worlds_are_played),   cmocka_unit_test(models_are_converted),
        cmocka_unit_test(policies_are_scored), cmocka_unit_test(studies_read),
        cmocka_unit_test(rounds_are_added_up),
    };
    int failed = cmocka_run_group_tests(tests, scratch_make, scratch_remove);
    json_decref(f.facts);
    return failed;
}
