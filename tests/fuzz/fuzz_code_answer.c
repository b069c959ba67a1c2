/* Any two texts, a NUL between them, as a question's prompt and a model's answer: the blocks in it are parts
 * of it, and a program comes out by one of the rules. */
#include <string.h>

#include "base/check.h"
#include "eval/static/code_splice.h"

static const char *const fences[] = {"python", "cpp", NULL}, *const stops[] = {"\ndef", "\n}"};

static void inside(Span part, Span text)
{
    check(part.n == 0 || (part.at >= text.at && part.at + part.n <= text.at + text.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const languages[] = {"cpp", "java", "js", "go", "hs", "php", "rs", "py", "other"};
    const char *at = (const char *)bytes, *nul = n ? memchr(at, 0, n) : NULL;
    Span prompt = {at, nul ? (size_t)(nul - at) : n / 2};
    Span answer = {at + prompt.n + (nul != NULL), n - prompt.n - (nul != NULL)}, block = answer;
    Str out = {0};
    if (code_block(answer, fences, &block))
        inside(block, answer);
    inside(code_open_block(answer, fences, false), answer);
    inside(code_open_block(answer, fences, true), answer);
    inside(code_cut(answer, stops, 2), answer);
    check(code_python_definition(answer, "f") <= answer.n + 1);
    for (int plain = 0; plain < 2; plain++) {
        str_clear(&out);
        check(code_python_module(&out, prompt, "f", block, plain, stops, 2) < CODE_RULES);
        for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
            CodeSplice c = {.prompt = prompt,
                            .tests = span("}\nint main() {}\n"),
                            .name = "HumanEval_0_has_it",
                            .language = languages[i],
                            .plain = plain,
                            .stops = stops,
                            .stops_n = 2};
            str_clear(&out);
            check(code_splice(&out, &c, answer) < CODE_RULES);
        }
    }
    str_clear(&out);
    code_python_literal(&out, answer);
    check(out.n >= 2 && !memchr(out.at, '\n', out.n) && utf8_valid(out.at, out.n));
    str_drop(&out);
    return 0;
}
