/* What a conversation on a terminal takes besides messages: lines that begin with '/'.  A table names the
 * commands; `lemur chat` and `lemur agent` each have theirs. */
#ifndef CLI_SLASH_H
#define CLI_SLASH_H

#include <stdio.h>

#include "base/config.h"
#include "base/str.h"

typedef struct {
    const char *name, *words, *about; /* "/save", "FILE", "..."; words "": it takes none */
    Status (*run)(void *self, Span words, bool *over);
} SlashCommand; /* tables end with {NULL} */

/* Runs the command that the line names.  ST_ARG: there is none, and which one is near, or it takes no words;
 * others are the command's. */
MUST_CHECK Status slash_run(const SlashCommand *table, void *self, Span line, bool *over);
/* A line for each command, and how messages are written. */
void slash_help(FILE *out, const SlashCommand *table);
/* Fills names[0..most] with the table's, for completion; NULL-terminated. */
void slash_names(const char **names, size_t most, const SlashCommand *table);

/* The first word of *words, taken off with white space and a '=' behind it. */
Span slash_word(Span *words);

/* "NAME VALUE" or "NAME=VALUE" sets a field of one of the tables, "NAME" shows it, "" shows all.  ST_ARG. */
MUST_CHECK Status slash_set(FILE *out, const ArgsTable *tables, size_t n, Span words);
void slash_setting_names(const char **names, size_t most, const ArgsTable *tables, size_t n);

#endif
