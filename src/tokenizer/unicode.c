#include "tokenizer/unicode.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/check.h"
#include "base/mem.h"

enum { CODEPOINTS = 0x110000 };

#define O4 0, 0, 0, 0
#define L4 1, 1, 1, 1
#define N4 2, 2, 2, 2
/* clang-format off */
const uint8_t unicode_ascii_class[128] = {
    O4, O4, 0, 3, 3, 3, 3, 3, 0, 0, O4, O4, O4, O4,             /* controls; \t \n \v \f \r */
    3, 0, 0, 0, O4, O4, O4, N4, N4, 2, 2, 0, 0, O4,             /* space, digits            */
    0, 1, 1, 1, L4, L4, L4, L4, L4, 1, 1, 1, 0, O4,             /* @ A-Z [ \ ] ^ _          */
    0, 1, 1, 1, L4, L4, L4, L4, L4, 1, 1, 1, 0, O4,             /* ` a-z { | } ~            */
};
/* clang-format on */

static uint8_t *classes; /* [CODEPOINTS] */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void mark(const Str *all, const char *property, CharClass class)
{
    int error;
    PCRE2_SIZE at;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)property, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &error, &at, NULL);
    check(code);
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(data);
    for (size_t from = 0;; from = found[1]) {
        if (pcre2_match(code, (PCRE2_SPTR)all->at, all->n, from, PCRE2_NO_UTF_CHECK, data, NULL) < 0)
            break;
        uint32_t c;
        for (size_t i = found[0]; i < found[1]; i += (size_t)utf8_decode(&c, all->at + i, all->n - i)) {
            utf8_decode(&c, all->at + i, all->n - i);
            classes[c] = (uint8_t) class;
        }
    }
    pcre2_match_data_free(data);
    pcre2_code_free(code);
}

static void forget_classes(void)
{
    mem_free(classes);
    classes = NULL;
}

static void ask_pcre2(void)
{
    Str all = {0};
    str_reserve(&all, 4 * CODEPOINTS);
    for (uint32_t c = 1; c < CODEPOINTS; c++)
        if (c < 0xD800 || c > 0xDFFF)
            str_add_utf8(&all, c);
    classes = mem_array(uint8_t, CODEPOINTS);
    mark(&all, "\\p{L}+", CLASS_LETTER);
    mark(&all, "\\p{N}+", CLASS_NUMBER);
    mark(&all, "\\p{White_Space}+", CLASS_SPACE);
    str_drop(&all);
    atexit(forget_classes);
}

CharClass unicode_class(uint32_t codepoint)
{
    if (codepoint < 128)
        return unicode_ascii_class[codepoint];
    pthread_once(&once, ask_pcre2);
    return codepoint < CODEPOINTS ? classes[codepoint] : CLASS_OTHER;
}

bool unicode_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

bool unicode_is_word(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_PC: return true;
    default: return false;
    }
}

static void nfc_of_valid(Str *out, const char *text, size_t n)
{
    utf8proc_uint8_t *form = NULL;
    utf8proc_ssize_t m = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &form,
                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (m >= 0)
        str_add(out, form, (size_t)m);
    else
        str_add(out, text, n);
    free(form);
}

void unicode_nfc(Str *out, const char *text, size_t n)
{
    size_t start = 0, i = 0;
    bool ascii = true;
    while (i <= n) {
        uint32_t c = 0;
        int length = i < n ? utf8_decode(&c, text + i, n - i) : 0;
        if (length == 0) { /* the end of the text, or of a valid stretch */
            if (ascii)
                str_add(out, text + start, i - start);
            else
                nfc_of_valid(out, text + start, i - start);
            if (i < n)
                str_addc(out, text[i]);
            start = ++i;
            ascii = true;
            continue;
        }
        ascii = ascii && c < 128;
        i += (size_t)length;
    }
}
