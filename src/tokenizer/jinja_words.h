/* The words that a Jinja text can print: what stands outside of tags, and string literals inside.  It is read
 * as Jinja's lexer reads it and never run. */
#ifndef TOKENIZER_JINJA_WORDS_H
#define TOKENIZER_JINJA_WORDS_H

#include "base/array.h"
#include "base/str.h"

typedef struct {
    Str text;      /* with \n and the like resolved; NUL-terminated */
    size_t at;     /* where it stands in the Jinja text            */
    bool literal;  /* a string in a tag, else text outside of tags  */
    bool compared; /* ... that an operator, a test or an index takes: never printed */
} Words;
typedef Array(Words) WordList;

void jinja_words_read(WordList *list, Span jinja); /* appends */
void jinja_words_drop(WordList *list);
/* Whether words that may be printed hold this text. */
bool jinja_words_have(const WordList *list, const char *text);
/* The length of the markup that s begins with: "<|x|>", "<x>", "</x>", "<<X>>", "[X]", "[/X]"; 0: none.  s is
 * not empty. */
size_t jinja_words_markup(Span s);

#endif
