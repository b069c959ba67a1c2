/* Small functions of the family `programs`: each is put together of parts, so that what it gives can be told
 * here, for its tests, without running it.  For family_programs.c, which makes tasks of them. */
#ifndef ENV_FAMILY_PROGRAMS_H
#define ENV_FAMILY_PROGRAMS_H

#include "env/family_draw.h"

/* What a function does: of `numbers` those that pass a filter, each changed, put together; or of the words of
 * a `text` the same.  k and j are the numbers in filter and change, c the letter in the filter. */
typedef struct {
    bool text;
    int filter, change, gather; /* into the tables of family_programs_parts.c */
    int k, j;
    char c;
} Program;

void program_draw(Program *p, Rng *rng);
/* Another one that one may take it for: one part differs. */
void program_draw_wrong(Program *out, const Program *p, Rng *rng);
void program_key(Str *out, const Program *p);                     /* tells any two apart */
void program_words(Str *out, const Program *p, const char *name); /* "Write a function ..." */
void program_code(Str *out, const Program *p, const char *name);  /* without a line end */
/* What an expert who hints says to other functions. */
void program_hints(FamilyTask *t, const Program *p, const char *name);

enum { PROGRAM_ITEMS = 6, PROGRAM_WORD = 12 };
typedef struct {
    int64_t numbers[PROGRAM_ITEMS];
    char words[PROGRAM_ITEMS][PROGRAM_WORD];
} ProgramInput;
void program_input_draw(ProgramInput *in, const Program *p, Rng *rng);
/* Both as Python writes them.  False: it raises (the largest of none). */
void program_argument(Str *out, const Program *p, const ProgramInput *in);
bool program_result(Str *out, const Program *p, const ProgramInput *in);

#endif
