/* The command over a model whose text is known (infer/cycle_test.h). */
#include <fcntl.h>

#include "base/scratch_test.h"
#include "cli/cmd.h"
#include "infer/cycle_test.h"

static char out_path[80], in_path[80];

static int make_model(void **state)
{
    Device *dev;
    if (scratch_make(state) != 0)
        return -1;
    snprintf(out_path, sizeof out_path, "%s/out", scratch);
    snprintf(in_path, sizeof in_path, "%s/in", scratch);
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    Model *m = cycle_model(dev, CYCLE_V, 8);
    char *run = path_join(scratch, "model"); /* the folder is then a run's */
    assert_int_equal(model_save(m, run, DTYPE_F32), ST_OK);
    cycle_write_tokenizer(run);
    mem_free(run);
    model_close(m);
    device_close(dev);
    return 0;
}

static int swap_descriptor(int fd, const char *path, int flags)
{
    int kept = dup(fd), opened = open(path, flags, 0600);
    assert_true(kept >= 0 && opened >= 0 && dup2(opened, fd) == fd);
    close(opened);
    return kept;
}

static void put_back(int fd, int kept)
{
    dup2(kept, fd);
    close(kept);
}

/* Runs `lemur generate -m FOLDER --threads 1 ...`, standard input being in_path's bytes; what it printed. */
static Str generate(int wanted_code, const char *const *words, size_t n)
{
    char *argv[16] = {mem_str("generate"), mem_str("-m"), mem_str(scratch), mem_str("--threads=1")};
    int argc = 4;
    for (size_t i = 0; i < n; i++)
        argv[argc++] = mem_str(words[i]);
    fflush(stdout);
    int out = swap_descriptor(1, out_path, O_WRONLY | O_CREAT | O_TRUNC);
    int in = swap_descriptor(0, in_path, O_RDONLY | O_CREAT);
    int code = cmd_generate(argc, argv);
    fflush(stdout);
    put_back(1, out);
    put_back(0, in);
    for (int i = 0; i < argc; i++)
        mem_free(argv[i]);
    Str text = {0};
    assert_int_equal(code, wanted_code);
    assert_int_equal(file_read(&text, out_path, 0), ST_OK);
    return text;
}

#define WORDS(...) \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static void expect(const char *wanted, const char *const *words, size_t n)
{
    Str text = generate(EXIT_DONE, words, n);
    assert_string_equal(str_c(&text), wanted);
    str_drop(&text);
}

static void text_is_printed(void **state)
{
    (void)state;
    expect("bcdefghijklmnopqrst\xC3\xA9\n", WORDS("a"));
    expect("bcd\n", WORDS("-n", "3", "a"));
    expect("abcd\n", WORDS("-n", "3", "--echo", "a"));
    expect("bcd\n", WORDS("a", "--stop", "xyz", "--stop=efg", "--dtype", "f32"));
    expect("bcdefg\n", WORDS("--context", "8", "a"));
    expect("bcd\n", WORDS("-n", "3", "--raw", "--temp=0", "a"));
}

static void the_prompt_may_come_from_standard_input(void **state)
{
    (void)state;
    assert_int_equal(file_replace(in_path, "p", 1), ST_OK);
    expect("qrst\xC3\xA9\n", WORDS("-"));
    expect("qr\n", WORDS("-n2"));
}

static void json_tells_what_happened(void **state)
{
    (void)state;
    Str text = generate(EXIT_DONE, WORDS("--json", "-n", "20", "a"));
    json_t *o = json_loadb(text.at, text.n, 0, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "text")), "bcdefghijklmnopqrst\xEF\xBF\xBD");
    assert_string_equal(json_string_value(json_object_get(o, "end")), "length");
    assert_int_equal(json_integer_value(json_object_get(o, "prompt_tokens")), 3);
    assert_int_equal(json_integer_value(json_object_get(o, "tokens")), 20);
    assert_null(json_object_get(o, "stop"));
    json_decref(o);
    str_drop(&text);
    text = generate(EXIT_DONE, WORDS("--json", "--stop", "e", "a"));
    o = json_loadb(text.at, text.n, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(o, "stop")), "e");
    assert_string_equal(json_string_value(json_object_get(o, "end")), "string");
    json_decref(o);
    str_drop(&text);
}

static void tokens_are_shown_with_their_likelihood(void **state)
{
    (void)state;
    Str text = generate(EXIT_DONE, WORDS("--logprobs", "1", "--temp=0", "-n2", "a"));
    assert_non_null(strstr(str_c(&text), "     1  \"b\"   | "));
    assert_non_null(strstr(str_c(&text), "     1  \"c\"   | "));
    str_drop(&text);
    text = generate(EXIT_DONE, WORDS("--logprobs=2", "--prompt-logprobs", "--json", "-n2", "--temp=0", "a"));
    json_t *o = json_loadb(text.at, text.n, 0, NULL);
    const json_t *tokens = json_object_get(o, "logprobs"), *prompt = json_object_get(o, "prompt_logprobs");
    assert_int_equal(json_array_size(tokens), 2);
    assert_int_equal(json_array_size(prompt), 3);
    const json_t *first = json_array_get(tokens, 0);
    assert_string_equal(json_string_value(json_object_get(first, "text")), "b");
    assert_int_equal(json_integer_value(json_object_get(first, "rank")), 1);
    assert_int_equal(json_array_size(json_object_get(first, "top")), 2);
    double own = json_real_value(json_object_get(first, "logprob"));
    assert_true(own <= 0 && own > -1e-2);
    assert_true(json_is_null(json_object_get(json_array_get(prompt, 0), "logprob")));
    assert_true(json_is_real(json_object_get(json_array_get(prompt, 1), "logprob")));
    json_decref(o);
    str_drop(&text);
}

static void the_choice_can_be_bent(void **state)
{
    (void)state;
    expect("ccc\n", WORDS("--logit-bias", "6=500", "--temp=0", "-n3", "a"));
    expect("bc\n", WORDS("--regex", "[a-c]{2}", "a"));
    expect("hh\n", WORDS("--regex", "h{2}", "a"));
    Str cut = generate(EXIT_FAILED, WORDS("--regex", "h{8}", "-n", "3", "a"));
    assert_string_equal(str_c(&cut), "hhh\n");
    str_drop(&cut);
    assert_int_equal(file_replace(in_path, "{\"enum\": [17]}", 14), ST_OK);
    expect(" 17\n", WORDS("--schema", in_path, "--temp=0", "a"));
    /* its end comes after four */
    Str text = generate(EXIT_DONE, WORDS("--min-tokens", "6", "-n", "6", "--json", "r"));
    json_t *o = json_loadb(text.at, text.n, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(o, "tokens")), 6);
    json_decref(o);
    str_drop(&text);
}

static int64_t prompt_tokens(const char *const *words, size_t n)
{
    Str text = generate(EXIT_DONE, words, n);
    json_t *o = json_loadb(text.at, text.n, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(o, "prompt")), "p");
    int64_t tokens = json_integer_value(json_object_get(o, "prompt_tokens"));
    json_decref(o);
    str_drop(&text);
    return tokens;
}

static void messages_are_put_to_the_model(void **state)
{
    (void)state;
    int64_t alone = prompt_tokens(WORDS("--chat", "--template=plain", "-n1", "--json", "p"));
    int64_t system =
        prompt_tokens(WORDS("--chat", "--template=plain", "--system", "oo", "-n1", "--json", "p"));
    int64_t marked = prompt_tokens(WORDS("--chat", "--template=chatml", "-n1", "--json", "p"));
    assert_true(alone > 0 && system >= alone + 2 && marked > alone + 10);
}

static void expect_failure(int code, const char *const *words, size_t n)
{
    Str text = generate(code, words, n);
    assert_int_equal(text.n, 0);
    str_drop(&text);
}

static void wrong_words_are_usage_errors(void **state)
{
    (void)state;
    expect_failure(EXIT_USAGE, WORDS("-n", "many", "a"));
    expect_failure(EXIT_USAGE, WORDS("--top-p", "1.5", "a"));
    expect_failure(EXIT_USAGE, WORDS("--stop", "", "a"));
    expect_failure(EXIT_USAGE, WORDS("a", "b"));
    expect_failure(EXIT_FAILED, WORDS("-m", "/absent", "a"));
    expect_failure(EXIT_USAGE, WORDS("--system", "x", "a"));          /* --chat is missing */
    expect_failure(EXIT_USAGE, WORDS("--chat", "a"));                 /* nothing says which template */
    expect_failure(EXIT_USAGE, WORDS("--chat", "--raw", "a"));
    expect_failure(EXIT_USAGE, WORDS("--chat", "--template=no", "a"));
    expect_failure(EXIT_USAGE, WORDS("--prompt-logprobs", "a"));
    expect_failure(EXIT_USAGE, WORDS("--logprobs", "1000", "a"));
    expect_failure(EXIT_USAGE, WORDS("--logit-bias", "6", "a"));
    expect_failure(EXIT_USAGE, WORDS("--logit-bias", "600=1", "a"));
    expect_failure(EXIT_USAGE, WORDS("--regex", "(", "a"));
    expect_failure(EXIT_USAGE, WORDS("--regex", "a", "--schema", "-", "a"));
    expect_failure(EXIT_FAILED, WORDS("--schema", "/absent", "a"));
    expect_failure(EXIT_USAGE, WORDS("--min-tokens", "9", "-n", "8", "a"));
    char verb[] = "generate", prompt[] = "a";
    assert_int_equal(cmd_generate(2, (char *[]){verb, prompt, NULL}), EXIT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_printed),
        cmocka_unit_test(the_prompt_may_come_from_standard_input),
        cmocka_unit_test(json_tells_what_happened),
        cmocka_unit_test(tokens_are_shown_with_their_likelihood),
        cmocka_unit_test(the_choice_can_be_bent),
        cmocka_unit_test(messages_are_put_to_the_model),
        cmocka_unit_test(wrong_words_are_usage_errors),
    };
    return cmocka_run_group_tests(tests, make_model, scratch_remove);
}
