/* The parts around the model: each that is not done is refused by its name. */
#include "tokenizer/hfjson.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define REPLACE "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" SPACE_SYMBOL "\"}"

static void assert_refused(const char *parts, const char *words)
{
    Tokenizer *t = NULL;
    Str s = {0};
    str_addf(
        &s, "{%s,\"model\":{\"type\":\"BPE\",\"unk_token\":\"u\",\"vocab\":{\"u\":0,\"a\":1},\"merges\":[]}}",
        parts);
    Status st = hfjson_read(&t, s.at, s.n);
    if (st == ST_OK || !strstr(error_text(), words))
        fail_msg("%s: '%s' does not say '%s'", parts, st == ST_OK ? "opened" : error_text(), words);
    assert_null(t);
    str_drop(&s);
}

static void unknown_parts_are_named(void **state)
{
    (void)state;
    assert_refused("\"pre_tokenizer\":{\"type\":\"Whitespace\"}", "'Whitespace'");
    assert_refused(
        "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Punctuation\"}," LEVEL "]}",
        "'Punctuation'");
    assert_refused("\"pre_tokenizer\":" LEVEL ",\"normalizer\":{\"type\":\"NFKC\"}", "normalizer: 'NFKC'");
    assert_refused("\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" REPLACE
                   ",{\"type\":\"Lowercase\"}]}",
                   "'Lowercase'");
    assert_refused("\"pre_tokenizer\":" LEVEL ",\"decoder\":{\"type\":\"WordPiece\"}",
                   "decoder: 'WordPiece'");
    assert_refused("\"normalizer\":" REPLACE
                   ",\"decoder\":{\"type\":\"Strip\",\"content\":\" \",\"start\":2,\"stop\":0}",
                   "'Strip'");
    assert_refused("\"pre_tokenizer\":" LEVEL ",\"post_processor\":{\"type\":\"BertProcessing\"}",
                   "'BertProcessing'");
}

static void settings_that_cannot_be_kept_are_named(void **state)
{
    (void)state;
    assert_refused("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"}", "replacement");
    assert_refused("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"" SPACE_SYMBOL
                   "\",\"prepend_scheme\":\"last\"}",
                   "'last'");
    assert_refused("\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"},{"
                   "\"type\":\"ByteLevel\"}]}",
                   "add_prefix_space behind");
    assert_refused("\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
                   "\"behavior\":\"Sideways\","
                   "\"pattern\":{\"Regex\":\"a\"}}," LEVEL "]}",
                   "'Sideways'");
    assert_refused("\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
                   "\"behavior\":\"Removed\"}," LEVEL "]}",
                   "without a pattern");
    assert_refused("\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
                   "\"behavior\":\"Removed\","
                   "\"pattern\":{\"Regex\":\"(a\"}}," LEVEL "]}",
                   "(a");
    assert_refused("\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":"
                   "\"" SPACE_SYMBOL "\"}," REPLACE
                   "]},\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"" SPACE_SYMBOL
                   "\",\"prepend_scheme\":\"always\"}",
                   "a dummy space from the normalizer and another");
    assert_refused("\"normalizer\":" REPLACE
                   ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":"
                   "{\"id\":\"<s>\"}}]}",
                   "names '<s>'");
    assert_refused("\"normalizer\":" REPLACE
                   ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":"
                   "{\"id\":\"u\"}},{\"SpecialToken\":{\"id\":\"a\"}}]}",
                   "two tokens in front");
}

static void the_template_sets_the_ends(void **state)
{
    (void)state;
    static const char file[] =
        "{\"normalizer\":" REPLACE
        ",\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"},"
        "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"a\"}},{\"Sequence\":{"
        "\"id\":\"A\"}},"
        "{\"SpecialToken\":{\"id\":\"b\"}}]}]},\"model\":{\"type\":\"BPE\",\"unk_token\":\"u\",\"vocab\":"
        "{\"u\":0,\"a\":1,\"b\":2},\"merges\":[]}}";
    Tokenizer *t = NULL;
    if (hfjson_read(&t, file, sizeof file - 1) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(tokenizer_bos(t), 1);
    assert_int_equal(tokenizer_eos(t), 2);
    assert_true(tokenizer_adds_bos(t));
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_parts_are_named),
        cmocka_unit_test(settings_that_cannot_be_kept_are_named),
        cmocka_unit_test(the_template_sets_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
