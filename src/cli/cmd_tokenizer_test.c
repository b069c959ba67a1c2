/* The verb through its front: words in, exit codes and files out. */
#include "cli/cmd.h"

#include "cli/bench.h"
#include "cli/capture_test.h"
#include "tokenizer/tokenizer.h"

#define MODEL "tests/golden/tokenizer/llama.model"

/* Runs a line of words and gives back what it wrote. */
static int run(int (*command)(int, char **), const char *line, Str *out)
{
    char words[512], *argv[24];
    int argc = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *save = NULL, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    argv[argc] = NULL;
    return capture(out, command, argc, argv);
}

static void ids_and_back(void **state)
{
    (void)state;
    Str ids = {0}, text = {0};
    char line[256];
    scratch_text("in", "the river\nthe  tree\xFF\n");
    snprintf(line, sizeof line, "tokenizer encode --vocab " MODEL " --separator \\n %s/in", scratch);
    assert_int_equal(run(cmd_tokenizer, line, &ids), EXIT_DONE);
    assert_int_equal(ids.at[0], '1'); /* <s> */
    assert_int_equal(ids.at[1], ' ');
    char *second = strchr(ids.at, '\n') + 1;
    assert_non_null(strchr(second, '\n'));
    assert_string_equal(strchr(second, '\n'), "\n"); /* two documents, not three */
    scratch_text("ids", ids.at);
    snprintf(line, sizeof line, "tokenizer decode --vocab " MODEL " %s/ids", scratch);
    assert_int_equal(run(cmd_tokenizer, line, &text), EXIT_DONE);
    assert_string_equal(text.at, "the river\nthe  tree\xFF");
    snprintf(line, sizeof line, "tokenizer encode --vocab " MODEL " --no-bos --raw %s/in", scratch);
    assert_int_equal(run(cmd_tokenizer, line, &ids), EXIT_DONE);
    assert_int_equal(strchr(ids.at, '\n') - ids.at, ids.n - 1); /* one document */
    str_drop(&ids);
    str_drop(&text);
}

static void a_vocabulary_is_learnt_and_shown(void **state)
{
    (void)state;
    Str out = {0};
    char line[256];
    snprintf(line, sizeof line, "tokenizer train --vocab-size 300 -o %s/vocab src/tokenizer/spm.c", scratch);
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_DONE);
    snprintf(line, sizeof line, "tokenizer show --json --vocab %s/vocab", scratch);
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_DONE);
    assert_non_null(strstr(out.at, "\"vocab_size\": 300"));
    snprintf(line, sizeof line, "tokenizer eval --json --vocab %s/vocab --vocab " MODEL " src/tokenizer",
             scratch);
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_DONE);
    assert_non_null(strstr(out.at, "\"bytes_per_token\""));
    snprintf(line, sizeof line,
             "bench --json --seconds 0.01 --threads 2 --vocab %s/vocab src/tokenizer/spm.c", scratch);
    assert_int_equal(run(bench_tokenizer, line, &out), EXIT_DONE);
    assert_non_null(strstr(out.at, "\"bytes_per_s\""));
    str_drop(&out);
}

/* Whether the learnt vocabulary has a word as one piece. */
static bool has_piece(const char *flags, const char *piece)
{
    Str out = {0};
    char line[512];
    snprintf(line, sizeof line, "tokenizer train --vocab-size 270 -o %s/told %s/plain %s", scratch, scratch, flags);
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_DONE);
    snprintf(line, sizeof line, "%s/told", scratch);
    Tokenizer *t;
    assert_int_equal(tokenizer_open(&t, line), ST_OK);
    int32_t id = tokenizer_find(t, piece);
    tokenizer_close(t);
    str_drop(&out);
    return id >= 0;
}

/* What is said in conversations counts by its weight beside the texts. */
static void words_of_examples_count_by_their_weight(void **state)
{
    (void)state;
    Str text = {0};
    char flags[256];
    for (int i = 0; i < 20; i++)
        str_adds(&text, "aa bb cc dd ee ff gg hh ii jj kk ll\n");
    scratch_text("plain", str_c(&text));
    scratch_text("said.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"xyz xyz\"}, {\"role\": \"assistant\", "
                               "\"content\": \"xyz xyz\"}]}\n{\"instruction\": \"xyz\", \"output\": \"xyz\"}\n");
    snprintf(flags, sizeof flags, "--examples %s/said.jsonl", scratch);
    assert_false(has_piece(flags, "\u0120xyz"));
    snprintf(flags, sizeof flags, "--examples %s/said.jsonl --weight 50", scratch);
    assert_true(has_piece(flags, "\u0120xyz"));
    assert_false(has_piece(flags, "\"content")); /* what is said, not how it is written */
    str_drop(&text);
}

static void examples_that_are_none_are_refused(void **state)
{
    (void)state;
    Str out = {0};
    char line[256];
    scratch_text("said.jsonl", "{\"price\": 3}\nno JSON\n");
    snprintf(line, sizeof line, "tokenizer train -n 300 -o %s/v src/tokenizer/spm.c --examples %s/said.jsonl", scratch,
             scratch);
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_FAILED);
    expect_words("holds no conversation");
    snprintf(line, sizeof line, "tokenizer train -n 300 -o %s/v src/tokenizer/spm.c --examples %s/none", scratch, scratch);
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_FAILED);
    expect_words("there is no file or folder");
    snprintf(line, sizeof line, "tokenizer train -n 300 -o %s/v src/tokenizer/spm.c --weight 3", scratch);
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_USAGE);
    expect_words("--weight is the weight of --examples");
    str_drop(&out);
}

/* Decoding these lines is wrong usage that says so. */
static void expect_refused(const char *ids, const char *words)
{
    Str out = {0};
    char line[256];
    scratch_text("refused", ids);
    snprintf(line, sizeof line, "tokenizer decode --vocab " MODEL " %s/refused", scratch);
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_USAGE);
    expect_words(words);
    str_drop(&out);
}

static void ids_outside_the_vocabulary_are_named(void **state)
{
    (void)state;
    char range[64], words[128];
    Tokenizer *tok;
    assert_int_equal(tokenizer_open(&tok, MODEL), ST_OK);
    int32_t vocab = tokenizer_vocab_size(tok);
    tokenizer_close(tok);
    snprintf(range, sizeof range, "; its ids are 0 to %d", vocab - 1);
    expect_refused("1 2\n3 -5\n", "line 2, column 3: the vocabulary has no id -5;");
    expect_words(range);
    expect_refused("9999999999999999", "line 1, column 1: the vocabulary has no id 9999999999999999;");
    snprintf(words, sizeof words, "%d", vocab);
    expect_refused(words, range);
    expect_refused("1,\t2x", "column 4: '2x' is no id");
    expect_refused("1 -", "column 3: '-' is no id");
    expect_refused("1 a\033[31m", "column 3: 'a...' is no id");
}

static void what_is_passed_over_is_counted(void **state)
{
    (void)state;
    Str out = {0};
    char line[256];
    scratch_write("mixed/binary", "a\0b", 3);
    snprintf(line, sizeof line, "tokenizer eval --json --vocab " MODEL " %s/mixed", scratch);
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_FAILED);
    expect_words("/mixed holds no text that can be read");
    scratch_text("mixed/text", "the river");
    assert_int_equal(run(cmd_tokenizer, line, &out), EXIT_DONE);
    assert_non_null(strstr(out.at, "\"documents\": 1"));
    assert_non_null(strstr(out.at, "\"skipped\": 1"));
    str_drop(&out);
}

static void wrong_words_are_wrong_usage(void **state)
{
    (void)state;
    static const char *const lines[] = {"tokenizer",
                                        "tokenizer encod",
                                        "tokenizer encode x",
                                        "tokenizer encode --vocab",
                                        "tokenizer train -o x Makefile --vocab-size 5",
                                        "tokenizer train Makefile",
                                        "tokenizer encode --separator \\q --vocab " MODEL " Makefile",
                                        "tokenizer eval Makefile"};
    Str out = {0};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (run(cmd_tokenizer, lines[i], &out) != EXIT_USAGE)
            fail_msg("'%s' is not wrong usage", lines[i]);
    assert_int_equal(run(cmd_tokenizer, "tokenizer encode --vocab " MODEL " no/such/file", &out),
                     EXIT_FAILED);
    assert_int_equal(run(cmd_tokenizer, "tokenizer encode --help", &out), EXIT_DONE);
    assert_non_null(strstr(out.at, "example:"));
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_back),
        cmocka_unit_test(a_vocabulary_is_learnt_and_shown),
        cmocka_unit_test(words_of_examples_count_by_their_weight),
        cmocka_unit_test(examples_that_are_none_are_refused),
        cmocka_unit_test(ids_outside_the_vocabulary_are_named),
        cmocka_unit_test(what_is_passed_over_is_counted),
        cmocka_unit_test(wrong_words_are_wrong_usage),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
