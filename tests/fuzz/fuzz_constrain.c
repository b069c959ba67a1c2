/* Any bytes as a regular expression and as a JSON Schema: a sentence, or a constraint whose allowed bytes
 * lead on until a text ends that jansson reads (a schema's) or PCRE2 matches (an expression's).  The first
 * byte chooses. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <jansson.h>
#include <pcre2.h>

#include "base/check.h"
#include "base/rng.h"
#include "infer/json_schema.h"
#include "infer/pushdown.h"
#include "infer/regex.h"

enum { TEXT_MAX = 300 };

/* A text that the grammar allows, at random; false where it grows too long or too ambiguous. */
static bool random_text(const Grammar *g, Rng *rng, Str *text)
{
    TokenTrie none = {0};
    Pushdown *p = pushdown_new(g, &none);
    PushState s;
    bool good = pushdown_start(p, &s) == ST_OK;
    while (good && !(pushdown_may_end(p, s) && (rng_below(rng, 2) || !pushdown_may_go_on(p, s)))) {
        ByteSet set = pushdown_bytes(p, s);
        unsigned byte = rng_below(rng, 4) ? '"' : (unsigned)rng_below(rng, 256);
        while (!byteset_has(&set, byte))
            byte = (byte + 1) & 255;
        char c = (char)byte;
        PushState to;
        good = pushdown_step(p, s, (Span){&c, 1}, &to) == ST_OK;
        if (!good || !to) { /* only nesting has an end that bytes do not show */
            good = false;
            break;
        }
        str_addc(text, c);
        s = to;
        good = text->n < TEXT_MAX;
    }
    pushdown_free(p);
    return good;
}

/* PCRE2 takes other things, but what both take means the same. */
static void match(Span pattern, const Str *text)
{
    int error;
    PCRE2_SIZE at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.at, pattern.n,
                                     PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY |
                                         PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_BSUX,
                                     &error, &at, NULL);
    if (!code)
        return;
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(context, 100000);
    int found = pcre2_match(code, (PCRE2_SPTR)str_c(text), text->n, 0, 0, data, context);
    check(found != PCRE2_ERROR_NOMATCH);
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    Grammar *g = grammar_new();
    Span source = {(const char *)bytes + 1, n - 1};
    Regex *r = NULL;
    Str text = {0};
    Rng rng;
    int32_t start = GRAMMAR_NOTHING, end = grammar_return(g);
    bool is_regex = bytes[0] & 1;
    rng_seed(&rng, bytes[0]);
    Status st = is_regex ? regex_parse(&r, source, REGEX_WHOLE)
                         : json_schema_build(g, source, bytes[0] & 2, end, &start);
    if (st == ST_OK && is_regex)
        start = regex_build(r, g, grammar_chars, end);
    if (st == ST_OK)
        st = grammar_finish(g, start);
    check(st == ST_OK || *error_text());
    if (st == ST_OK && random_text(g, &rng, &text)) {
        json_t *value = is_regex ? NULL : json_loadb(str_c(&text), text.n, JSON_DECODE_ANY, NULL);
        check(is_regex || value);
        json_decref(value);
        if (is_regex)
            match(source, &text);
    }
    str_drop(&text);
    regex_free(r);
    grammar_free(g);
    return 0;
}
