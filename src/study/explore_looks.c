#include "study/explore_looks.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *const explore_world_names[EXPLORE_WORLDS] = {"household", "databases", "shells"};

ExploreWorld explore_world(const char *benchmark)
{
    Span name = span(benchmark);
    if (span_is(name, "alfworld") || span_is(name, "alfworld_python") || span_is(name, "mint_alfworld"))
        return EXPLORE_HOUSEHOLD;
    if (span_is(name, "ic_sql"))
        return EXPLORE_SQL;
    if (span_is(name, "ic_ctf") || span_ends(name, "_bash") || span_ends(name, "_shell") ||
        span_is(name, "shell"))
        return EXPLORE_SHELL;
    return EXPLORE_NONE;
}

static bool is_word_end(char c)
{
    return !isalnum((unsigned char)c) && c != '_';
}

bool explore_begins(const char *text, const char *words)
{
    size_t n = strlen(words);
    return strncasecmp(text, words, n) == 0 && is_word_end(text[n]);
}

static bool begins_any(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (explore_begins(text, *list))
            return true;
    return false;
}

HouseCommand explore_house_command(const char *action)
{
    static const char to_place[] = ""; /* what follows the verb is a place */
    static const struct {
        const char *verb;
        const char *between; /* stands between object and place; NULL: there is no place */
    } verbs[] = {{"go to", to_place}, {"open", to_place},  {"close", to_place}, {"take", " from "},
                 {"put", " in/on "},  {"move", " to "},    {"clean", " with "}, {"heat", " with "},
                 {"cool", " with "},  {"slice", " with "}, {"use", NULL},       {"toggle", NULL},
                 {"examine", NULL},   {"look", NULL},      {"inventory", NULL}};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        const char *verb = verbs[i].verb, *between = verbs[i].between;
        if (!explore_begins(action, verb))
            continue;
        Span rest = span_trim(span(action + strlen(verb)));
        const char *at = between ? strstr(rest.at, between) : NULL;
        if (!at)
            return (HouseCommand){.verb = span(verb), .object = rest};
        return (HouseCommand){.verb = span(verb),
                              .object = {rest.at, (size_t)(at - rest.at)},
                              .place = span_trim(span(at + strlen(between)))};
    }
    return (HouseCommand){0};
}

static bool house_looks(const char *command)
{
    static const char *const looking[] = {"go to", "open", "examine", "look", "inventory", NULL};
    return begins_any(command, looking);
}

/* A whole table, or what there is: neither picks, joins, counts nor orders. */
static bool sql_looks(const char *query)
{
    static const char *const looking[] = {"show", "describe", "desc", "explain", "pragma", NULL};
    static const char whole[] = "select * from ";
    const char *at;
    if (begins_any(query, looking))
        return true;
    if (strcasestr(query, "information_schema") || strcasestr(query, "sqlite_master"))
        return true;
    if (strncasecmp(query, whole, sizeof whole - 1) != 0)
        return false;
    at = query + sizeof whole - 1;
    at += strcspn(at, " ;");
    at += strspn(at, " ;");
    return !*at || explore_begins(at, "limit");
}

/* Each program of the line only reads, and nothing is written to a file. */
static bool shell_looks(const char *line)
{
    static const char *const reading[] = {
        "ls",   "cat",  "find", "grep", "egrep",   "head", "tail",     "wc",   "pwd",
        "cd",   "du",   "df",   "stat", "file",    "tree", "which",    "echo", "sort",
        "uniq", "cut",  "awk",  "less", "more",    "diff", "printf",   "date", "whoami",
        "env",  "test", "tr",   "nl",   "strings", "xxd",  "realpath", "type", NULL};
    static const char *const changing[] = {" -delete", " -exec", " -ok ", NULL};
    for (size_t i = 0; changing[i]; i++)
        if (strstr(line, changing[i]))
            return false;
    for (const char *at = line; *at;) {
        at += strspn(at, " |;&(");
        if (*at && !begins_any(at, reading))
            return false;
        for (; *at && !strchr("|;&", *at); at++)
            if (*at == '>' && !span_starts(span(at), ">/dev/null") && !span_starts(span(at), "> /dev/null") &&
                !span_starts(span(at), ">&"))
                return false;
            else if (*at == '>' && at[1] == '&')
                at++; /* 2>&1 does not end a program's words */
    }
    return true;
}

bool explore_looks(ExploreWorld world, const char *action)
{
    return world == EXPLORE_HOUSEHOLD ? house_looks(action)
           : world == EXPLORE_SQL     ? sql_looks(action)
                                      : shell_looks(action);
}
