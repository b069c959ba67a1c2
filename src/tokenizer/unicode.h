/* The few questions that splitting text asks of Unicode. */
#ifndef TOKENIZER_UNICODE_H
#define TOKENIZER_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Letters, numbers (Nd, Nl, No), white space, all else: the classes of every known pre-split pattern. */
typedef enum { CLASS_OTHER, CLASS_LETTER, CLASS_NUMBER, CLASS_SPACE } CharClass;

extern const uint8_t unicode_ascii_class[128];

/* By PCRE2's own tables, so that a hand-written splitter and a regular expression agree on every character.
 * The first call of the process asks PCRE2 about all code points (some 20 ms); any thread. */
CharClass unicode_class(uint32_t codepoint);

bool unicode_is_space(uint32_t codepoint); /* property White_Space        */
bool unicode_is_word(uint32_t codepoint);  /* what \w means in a pattern  */

/* Appends text in normal form C.  Bytes that are not UTF-8 stay as they are. */
void unicode_nfc(Str *out, const char *text, size_t n);

#endif
