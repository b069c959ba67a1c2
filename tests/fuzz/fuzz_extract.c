/* Any bytes as a model's answer: each rule finds a part of it, or nothing, and agrees with itself. */
#include "base/check.h"
#include "eval/extract.h"

static void part_of(bool (*rule)(Span *, Span), Span text)
{
    Span found = {0};
    if (rule(&found, text))
        check(found.n == 0 || (found.at >= text.at && found.at + found.n <= text.at + text.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Span text = {(const char *)bytes, n};
    bool (*const rules[])(Span *, Span) = {
        extract_gsm8k_strict, extract_gsm8k_sentence, extract_gsm8k_flexible, extract_bbh_published,
        extract_bbh_harness,  extract_bbh_lemur,      extract_bbh_lemur_chat,
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        part_of(rules[i], text);
    Str out = {0};
    extract_gsm8k_lemur(&out, text);
    check(out.n <= n);
    str_clear(&out);
    check(extract_gsm8k_marker(&out, text, "A: ") || out.n == 0);
    str_drop(&out);
    char letter;
    check(!extract_choice(&letter, text, 4) || (letter >= 'A' && letter <= 'D'));
    check(exact_gsm8k(text, text) && exact_folded(text, text));
    check(extract_first_line(text).n <= n);
    return 0;
}
