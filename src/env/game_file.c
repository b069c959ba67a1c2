/* Most of such a file is two long texts, which a general reader of JSON takes apart byte by byte through
 * several layers, in a quarter of the time that opening a game takes.  What ALFWorld writes - texts in ASCII
 * with plain escapes, true and false - is read here; all else, and all that is wrong, is left to jansson,
 * which also has the words for it. */
#include "env/game_file.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

enum { DOMAIN, GRAMMAR, PROBLEM, SOLVABLE, KEYS };
static const char *const keys[KEYS] = {"pddl_domain", "grammar", "pddl_problem", "solvable"};

static Span *text_of(GameFile *f, int key)
{
    return key == DOMAIN ? &f->domain : key == GRAMMAR ? &f->grammar : &f->problem;
}

/* --- plain files --------------------------------------------------------------------------------------- */

typedef struct {
    const char *at, *end;
    char *to; /* room for all texts */
} Scan;

static bool take(Scan *s, const char *word)
{
    while (s->at < s->end && strchr(" \t\r\n", *s->at) && *s->at)
        s->at++;
    if (!span_starts((Span){s->at, (size_t)(s->end - s->at)}, word))
        return false;
    s->at += strlen(word);
    return true;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && (unsigned char)c < 127 && c != '"' && c != '\\';
}

/* Whether eight bytes are certainly plain, by arithmetic on all at once. */
static bool are_plain(const char *at)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
    uint64_t x, found;
    memcpy(&x, at, sizeof x);
    uint64_t quote = x ^ '"' * ones, slash = x ^ '\\' * ones, del = x ^ 127 * ones;
    found = x | ((x - ' ' * ones) & ~x) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
            ((del - ones) & ~del);
    return !(found & high);
}

static bool take_text(Scan *s, Span *out)
{
    static const char escapes[] = "n\nt\tr\rb\bf\f\"\"\\\\//";
    if (!take(s, "\""))
        return false;
    char *to = s->to;
    const char *at = s->at;
    for (; at < s->end && *at != '"'; at++) {
        while (s->end - at > 8 && are_plain(at)) {
            memcpy(to, at, 8);
            to += 8;
            at += 8;
        }
        if (*at == '"')
            break;
        if (is_plain(*at)) {
            *to++ = *at;
            continue;
        }
        if (*at != '\\' || ++at == s->end)
            return false;
        const char *e = escapes;
        while (*e && *e != *at)
            e += 2;
        if (!*e)
            return false;
        *to++ = e[1];
    }
    *out = (Span){s->to, (size_t)(to - s->to)};
    s->to = to;
    s->at = at;
    return take(s, "\"");
}

static bool take_value(Scan *s, GameFile *out, int key)
{
    if (key != SOLVABLE)
        return take_text(s, text_of(out, key));
    out->solvable = take(s, "true");
    return out->solvable || take(s, "false");
}

/* The four keys in any order, each once, and nothing else. */
static bool read_plain(GameFile *out, Arena *arena, Span json)
{
    Scan s = {json.at, json.at + json.n, arena_alloc(arena, json.n + 1)};
    bool seen[KEYS] = {0};
    Span name;
    if (!take(&s, "{"))
        return false;
    for (int n = 0; n < KEYS; n++) {
        int key = 0;
        if ((n && !take(&s, ",")) || !take_text(&s, &name) || !take(&s, ":"))
            return false;
        while (key < KEYS && !span_is(name, keys[key]))
            key++;
        if (key == KEYS || seen[key] || !take_value(&s, out, key))
            return false;
        seen[key] = true;
    }
    return take(&s, "}") && take(&s, "") && s.at == s.end;
}

/* --- all others ---------------------------------------------------------------------------------------- */

static Status read_any(GameFile *out, Arena *arena, const json_t *game)
{
    for (int key = 0; key < SOLVABLE; key++) {
        const json_t *v = json_object_get(game, keys[key]);
        if (!json_is_string(v))
            return fail(ST_FORMAT, "no game.tw-pddl: \"%s\" is missing or no text", keys[key]);
        size_t n = json_string_length(v);
        *text_of(out, key) = (Span){arena_strn(arena, json_string_value(v), n), n};
    }
    const json_t *solvable = json_object_get(game, keys[SOLVABLE]);
    out->solvable = json_is_boolean(solvable) ? json_is_true(solvable) : -1;
    return ST_OK;
}

Status game_file_read(GameFile *out, Arena *arena, Span json)
{
    json_error_t error;
    if (json.n > GAME_FILE_MAX)
        return fail(ST_LIMIT, "a game of more than %d MB", GAME_FILE_MAX >> 20);
    if (json.n && read_plain(out, arena, json))
        return ST_OK;
    json_t *game = json_loadb(json.n ? json.at : "", json.n, JSON_REJECT_DUPLICATES, &error);
    if (!game)
        return fail(ST_FORMAT, "no JSON: line %d: %s", error.line, error.text);
    Status st = read_any(out, arena, game);
    json_decref(game);
    return st;
}
