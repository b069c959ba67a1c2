/* Settings.  One plain struct per stage; one table names, types, bounds and explains its fields; the table
 * drives defaults, YAML recipes, command-line flags, --help, the config.json saved with each run, and
 * comparisons.
 *
 *     static const Field train_fields[] = {
 *         F_FLOAT(TrainConfig, learning_rate, 3e-4, 0, 1, "peak learning rate"),
 *         F_CHOICE(TrainConfig, schedule, "cosine", schedule_names, "learning-rate schedule"),
 *     };
 *     static const FieldTable train_table = FIELD_TABLE(train_fields);
 *
 * A flag is the field's name with '-' or '_':  --learning-rate 1e-3, --learning_rate=1e-3; a bool is set by
 * --name and cleared by --no-name.  Integers take k, M, G. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

typedef enum { FIELD_INT, FIELD_FLOAT, FIELD_BOOL, FIELD_STRING, FIELD_CHOICE } FieldKind;

/* In the struct: FIELD_INT int64_t, FIELD_FLOAT double, FIELD_BOOL bool, FIELD_STRING and FIELD_CHOICE char *
 * (owned by the struct, never NULL after config_defaults). */
typedef struct {
    FieldKind kind;
    const char *name;
    size_t offset;
    double number, min, max;    /* default and bounds; a bool's default is 0 or 1 */
    const char *text;           /* default of strings and choices                 */
    const char *const *choices; /* NULL-terminated                                */
    const char *help;
} Field;

typedef struct {
    const Field *fields;
    size_t n;
} FieldTable;

#define FIELD_TABLE(array) {(array), sizeof(array) / sizeof(array)[0]}
#define F_INT(S, f, def, lo, hi, text_) \
    {.kind = FIELD_INT, .name = #f, .offset = offsetof(S, f), .number = (def), .min = (lo), .max = (hi), \
     .help = (text_)}
#define F_FLOAT(S, f, def, lo, hi, text_) \
    {.kind = FIELD_FLOAT, .name = #f, .offset = offsetof(S, f), .number = (def), .min = (lo), .max = (hi), \
     .help = (text_)}
#define F_BOOL(S, f, def, text_) \
    {.kind = FIELD_BOOL, .name = #f, .offset = offsetof(S, f), .number = (def), .max = 1, .help = (text_)}
#define F_STRING(S, f, def, text_) \
    {.kind = FIELD_STRING, .name = #f, .offset = offsetof(S, f), .text = (def), .help = (text_)}
#define F_CHOICE(S, f, def, list, text_) \
    {.kind = FIELD_CHOICE, .name = #f, .offset = offsetof(S, f), .text = (def), .choices = (list), \
     .help = (text_)}

/* The first time, config is zeroed memory; later calls put the defaults back. */
void config_defaults(const FieldTable *t, void *config);
void config_drop(const FieldTable *t, void *config);     /* frees its strings       */

/* The field of that name, '-' and '_' being the same letter, or NULL. */
const Field *config_find(const FieldTable *t, const char *key);
bool config_same_name(const char *a, const char *b);

/* Sets one field from text.  ST_ARG: no such key (names the nearest), not of its type, or out of bounds. */
MUST_CHECK Status config_set(const FieldTable *t, void *config, const char *key, const char *value);

/* Sets the fields that `object` names; refuses keys that the table lacks. */
MUST_CHECK Status config_from_json(const FieldTable *t, void *config, const json_t *object);
json_t *config_to_json(const FieldTable *t, const void *config); /* new reference */

/* One line per field: flag, default, bounds, help. */
void config_help(const FieldTable *t, FILE *out);

/* Reads a YAML file as JSON: maps, lists, text, and plain scalars that look like integers, reals, true, false
 * or null as such.  The caller owns *out.  Errors name file and line.  Duplicate keys, merge keys (<<),
 * second documents, nesting deeper than 64, aliases that loop or multiply past a million values, and files
 * over 16 MB are refused.
 *   ST_IO     cannot read             ST_FORMAT       not YAML
 *   ST_LIMIT  too large or too deep   ST_UNSUPPORTED  unknown tag, merge key
 * Each map carries the line it began on under the key "\001line", which config_from_json passes over. */
MUST_CHECK Status config_read_yaml(json_t **out, const char *path);
/* The same for text in memory; `name` stands for the file in errors. */
MUST_CHECK Status config_parse_yaml(json_t **out, const char *text, size_t n, const char *name);
int config_line(const json_t *object);    /* 0 where unknown                                            */
void config_forget_lines(json_t *value);  /* removes them at every depth: before the value is written out */

/* Command lines ------------------------------------------------------------------------------------------ */

typedef struct {
    const char *name; /* long name, words joined by '-'          */
    char letter;      /* short form or 0                         */
    const char *value; /* what it takes, for --help; NULL: nothing */
    const char *help;
} Flag;

/* What a command line said.  Flags of `tables` are set straight into their structs; the rest lands here,
 * in order. */
typedef struct {
    const Flag *flag;
    const char *value; /* NULL for a flag that takes nothing */
} GivenFlag;

typedef struct {
    GivenFlag *given;
    size_t given_n;
    const char **positional;
    size_t positional_n;
} Args;

typedef struct {
    const FieldTable *table;
    void *config;
} ArgsTable;

/* argv[0] is skipped; the strings of `out` are views into argv.  A command that reads settings from a file
 * named on the command line parses twice: once to find the file, and after reading it again, so that flags
 * win over the file.
 * "--" ends flags; "-" is positional.  A value may start with '-'; one that starts with "--" must be given as
 * --flag=VALUE.  Whatever is returned, args_drop(out) afterwards.
 *   ST_ARG  unknown flag (names the nearest), missing value, value out of bounds */
MUST_CHECK Status args_parse(Args *out, int argc, char **argv, const Flag *flags, size_t flags_n,
                             const ArgsTable *tables, size_t tables_n);
const char *args_value(const Args *a, const char *name); /* last given, NULL when absent */
bool args_has(const Args *a, const char *name);
/* The values of a flag that may be given more than once, in their order: *place begins at 0; NULL: no more. */
const char *args_next(const Args *a, const char *name, size_t *place);
void args_help(FILE *out, const Flag *flags, size_t flags_n);
void args_drop(Args *a);

#endif
