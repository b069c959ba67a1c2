/* YAML 1.2 (core schema) to JSON.  libfyaml parses; this file builds the values from its events itself,
 * because a recipe may be hostile: nesting, repetition by aliases, control bytes and unknown tags are bounded
 * or refused here. */
#include "base/config.h"

#include <ctype.h>
#include <errno.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/map.h"
#include "base/str.h"

enum { YAML_BYTES_MAX = 16 << 20, YAML_DEPTH_MAX = 64, YAML_VALUES_MAX = 1000000 };

/* A finished value that aliases may name, and how many values it is made of. */
typedef struct {
    json_t *value; /* own reference */
    int64_t values;
} Anchor;

/* A map or list that is still open. */
typedef struct {
    json_t *value; /* own reference */
    char *key;     /* of a map: the key that waits for its value */
    char *anchor;  /* name under which it is known once it is closed */
    int64_t values_before;
    int line;
} Level;

typedef struct {
    struct fy_parser *parser;
    struct fy_diag *diag;
    const char *name;
    Level levels[YAML_DEPTH_MAX];
    size_t depth;
    Array(Anchor) anchors;
    Map *anchor_names; /* -> index into anchors */
    int64_t values;
    json_t *root;
    int line; /* of the event being read */
} Yaml;

static Status refuse(const Yaml *y, Status st, const char *what)
{
    return fail(st, "%s:%d: %s", y->name, y->line, what);
}

/* Plain scalars: YAML 1.2.2, 10.3.2 (core schema) -------------------------------------------------------- */

static bool one_of(const char *s, const char *a, const char *b, const char *c)
{
    return strcmp(s, a) == 0 || strcmp(s, b) == 0 || strcmp(s, c) == 0;
}

static size_t digits(const char *s)
{
    size_t n = 0;
    while (isdigit((unsigned char)s[n]))
        n++;
    return n;
}

/* [-+]? ( . digits | digits ( . digits* )? ) ( [eE] [-+]? digits )? */
static bool is_real(const char *s)
{
    s += *s == '-' || *s == '+';
    size_t whole = digits(s), part = 0;
    s += whole;
    if (*s == '.')
        s += 1 + (part = digits(s + 1));
    if (whole + part == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        size_t power = digits(s);
        if (!power)
            return false;
        s += power;
    }
    return !*s;
}

/* Integers that do not fit 64 bits stay text: whoever reads them as a number says "too large". */
static json_t *integer_of(const char *s)
{
    bool hex = strncmp(s, "0x", 2) == 0, octal = strncmp(s, "0o", 2) == 0;
    const char *number = s + (hex || octal ? 2 : *s == '-' || *s == '+');
    const char *set = hex ? "0123456789abcdefABCDEF" : octal ? "01234567" : "0123456789";
    if (!*number || number[strspn(number, set)])
        return NULL;
    errno = 0;
    long long v = strtoll(hex || octal ? number : s, NULL, hex ? 16 : octal ? 8 : 10);
    return errno ? json_string(s) : json_integer(v);
}

static json_t *plain_value(const char *s)
{
    if (!*s || strcmp(s, "~") == 0 || one_of(s, "null", "Null", "NULL"))
        return json_null();
    if (one_of(s, "true", "True", "TRUE"))
        return json_true();
    if (one_of(s, "false", "False", "FALSE"))
        return json_false();
    json_t *v = integer_of(s);
    if (!v && is_real(s))
        v = json_real(strtod(s, NULL)); /* NULL for infinity: 1e999 stays text */
    return v ? v : json_string(s);
}

/* Building the tree -------------------------------------------------------------------------------------- */

static Status count_values(Yaml *y, int64_t more)
{
    y->values += more;
    if (y->values > YAML_VALUES_MAX)
        return refuse(y, ST_LIMIT, "more than a million values; are aliases multiplying them?");
    return ST_OK;
}

static char *token_text(struct fy_token *token)
{
    size_t n = 0;
    const char *s = token ? fy_token_get_text(token, &n) : NULL;
    return mem_strn(s ? s : "", s ? n : 0);
}

static void remember(Yaml *y, const char *anchor, json_t *value, int64_t values)
{
    array_push(&y->anchors, ((Anchor){json_incref(value), values}));
    *map_put(y->anchor_names, anchor, strlen(anchor)) = (int64_t)y->anchors.n - 1;
}

/* Puts a finished value where it belongs.  Takes over `value`. */
static Status place(Yaml *y, json_t *value)
{
    if (!value)
        return refuse(y, ST_FORMAT, "this text has a form that is not Unicode");
    if (y->depth == 0) {
        y->root = value;
        return ST_OK;
    }
    Level *top = &y->levels[y->depth - 1];
    if (json_is_array(top->value)) {
        json_array_append_new(top->value, value);
        return ST_OK;
    }
    if (!top->key) {
        json_decref(value);
        return refuse(y, ST_UNSUPPORTED,
                      "a name in a map must be text; here it is a map, a list or an alias");
    }
    json_object_set_new(top->value, top->key, value);
    mem_free(top->key);
    top->key = NULL;
    return ST_OK;
}

static bool waits_for_key(const Yaml *y)
{
    return y->depth && json_is_object(y->levels[y->depth - 1].value) && !y->levels[y->depth - 1].key;
}

/* Takes over `key`. */
static Status take_key(Yaml *y, char *key, bool plain)
{
    Level *top = &y->levels[y->depth - 1];
    Status st = ST_OK;
    if (plain && strcmp(key, "<<") == 0)
        st = refuse(y, ST_UNSUPPORTED,
                    "merge keys (<<) are not read; repeat the settings or give the whole map by alias");
    else if (!*key || *key == '\001' || !utf8_valid(key, strlen(key)))
        st = refuse(y, ST_FORMAT, "a name in a map is empty or no text");
    else if (json_object_get(top->value, key))
        st = fail(ST_FORMAT, "%s:%d: '%s' is given twice in one map (which begins at line %d)", y->name,
                  y->line, key, top->line);
    if (st != ST_OK) {
        mem_free(key);
        return st;
    }
    top->key = key;
    return ST_OK;
}

static Status on_scalar(Yaml *y, struct fy_event *e)
{
    size_t n = 0;
    struct fy_token *token = e->scalar.value;
    const char *raw = token ? fy_token_get_text(token, &n) : "";
    if (!raw || memchr(raw, 0, n))
        return refuse(y, ST_FORMAT, "a zero byte in text");
    const char *tag = e->scalar.tag ? fy_token_get_text0(e->scalar.tag) : NULL;
    bool is_text = tag && (strcmp(tag, "tag:yaml.org,2002:str") == 0 || strcmp(tag, "!") == 0);
    if (tag && !is_text)
        return fail(ST_UNSUPPORTED, "%s:%d: the tag %s is not understood; leave it out", y->name, y->line,
                    tag);
    bool plain = !is_text && (!token || fy_token_scalar_style(token) == FYSS_PLAIN);
    char *text = mem_strn(raw, n);
    if (waits_for_key(y))
        return take_key(y, text, plain);
    json_t *value = plain ? plain_value(text) : json_string(text);
    mem_free(text);
    Status st = count_values(y, 1);
    if (value && e->scalar.anchor) {
        char *anchor = token_text(e->scalar.anchor);
        remember(y, anchor, value, 1);
        mem_free(anchor);
    }
    if (st != ST_OK)
        json_decref(value);
    return st == ST_OK ? place(y, value) : st;
}

static Status on_alias(Yaml *y, struct fy_event *e)
{
    if (waits_for_key(y))
        return refuse(y, ST_UNSUPPORTED, "a name in a map must be text; here it is an alias");
    char *name = token_text(e->alias.anchor);
    const int64_t *found = map_find(y->anchor_names, name, strlen(name));
    Status st = found ? ST_OK
                      : fail(ST_FORMAT, "%s:%d: the alias *%s names nothing that is complete before it",
                             y->name, y->line, name);
    mem_free(name);
    if (!found)
        return st;
    const Anchor *a = &y->anchors.at[*found];
    TRY(count_values(y, a->values));
    return place(y, json_deep_copy(a->value));
}

static Status on_open(Yaml *y, json_t *value, struct fy_token *anchor, struct fy_token *tag_token)
{
    const char *tag = tag_token ? fy_token_get_text0(tag_token) : NULL;
    const char *own = json_is_object(value) ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
    Status st = count_values(y, 1);
    if (st == ST_OK && tag && strcmp(tag, own) != 0 && strcmp(tag, "!") != 0)
        st = fail(ST_UNSUPPORTED, "%s:%d: the tag %s is not understood; leave it out", y->name, y->line, tag);
    if (st == ST_OK && waits_for_key(y))
        st = refuse(y, ST_UNSUPPORTED, "a name in a map must be text; here it is a map or a list");
    if (st == ST_OK && y->depth == YAML_DEPTH_MAX)
        st = refuse(y, ST_LIMIT, "maps and lists are nested deeper than 64");
    if (st != ST_OK) {
        json_decref(value);
        return st;
    }
    if (json_is_object(value))
        json_object_set_new(value, "\001line", json_integer(y->line));
    y->levels[y->depth++] = (Level){.value = value,
                                    .anchor = anchor ? token_text(anchor) : NULL,
                                    .values_before = y->values - 1,
                                    .line = y->line};
    return ST_OK;
}

static Status on_close(Yaml *y)
{
    Level *top = &y->levels[--y->depth];
    json_t *value = top->value;
    if (top->anchor)
        remember(y, top->anchor, value, y->values - top->values_before);
    mem_free(top->anchor);
    mem_free(top->key);
    return place(y, value);
}

static Status on_event(Yaml *y, struct fy_event *e)
{
    const struct fy_mark *mark = fy_event_start_mark(e);
    if (mark)
        y->line = mark->line + 1;
    switch (e->type) {
    case FYET_SCALAR: return on_scalar(y, e);
    case FYET_ALIAS: return on_alias(y, e);
    case FYET_MAPPING_START:
        return on_open(y, json_object(), e->mapping_start.anchor, e->mapping_start.tag);
    case FYET_SEQUENCE_START:
        return on_open(y, json_array(), e->sequence_start.anchor, e->sequence_start.tag);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END: return on_close(y);
    case FYET_DOCUMENT_START:
        return y->root ? refuse(y, ST_UNSUPPORTED, "a second document begins here; one file holds one")
                       : ST_OK;
    default: return ST_OK;
    }
}

/* What libfyaml says, shortened to the first error. */
static Status syntax_error(const Yaml *y)
{
    void *seen = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(y->diag, &seen);
    if (!first)
        return refuse(y, ST_FORMAT, "this is no YAML");
    return fail(ST_FORMAT, "%s:%d:%d: %s", y->name, first->line, first->column, first->msg);
}

static Status read_events(Yaml *y)
{
    Status st = ST_OK;
    for (bool ended = false; st == ST_OK && !ended;) {
        struct fy_event *e = fy_parser_parse(y->parser);
        if (!e)
            return fy_parser_get_stream_error(y->parser) || !y->root ? syntax_error(y) : ST_OK;
        ended = e->type == FYET_STREAM_END;
        st = on_event(y, e);
        fy_parser_event_free(y->parser, e);
    }
    return st;
}

/* libfyaml is handed text only: what is binary is refused before it sees it. */
static Status check_text(const char *text, size_t n, const char *name)
{
    int line = 1;
    if (n > YAML_BYTES_MAX)
        return fail(ST_LIMIT, "%s: a file of settings may have 16 MB and has %zu bytes", name, n);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        line += c == '\n';
        if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F)
            return fail(ST_FORMAT, "%s:%d: a control byte (0x%02x); is this a text file?", name, line, c);
    }
    if (!utf8_valid(text, n))
        return fail(ST_FORMAT, "%s: not UTF-8; is this a text file?", name);
    return ST_OK;
}

static Status yaml_open(Yaml *y, const char *text, size_t n)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    y->diag = fy_diag_create(&diag_cfg);
    if (!y->diag)
        return fail(ST_NOMEM, "%s: no memory to read it", y->name);
    fy_diag_set_collect_errors(y->diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
                                        FYPCF_JSON_NONE,
                               .diag = y->diag};
    y->parser = fy_parser_create(&cfg);
    if (!y->parser || fy_parser_set_string(y->parser, text, n) != 0)
        return fail(ST_NOMEM, "%s: no memory to read it", y->name);
    return ST_OK;
}

static void yaml_close(Yaml *y)
{
    for (size_t i = 0; i < y->depth; i++) {
        json_decref(y->levels[i].value);
        mem_free(y->levels[i].key);
        mem_free(y->levels[i].anchor);
    }
    for (size_t i = 0; i < y->anchors.n; i++)
        json_decref(y->anchors.at[i].value);
    array_drop(&y->anchors);
    map_free(y->anchor_names);
    if (y->parser)
        fy_parser_destroy(y->parser);
    if (y->diag)
        fy_diag_destroy(y->diag);
}

Status config_parse_yaml(json_t **out, const char *text, size_t n, const char *name)
{
    *out = NULL;
    TRY(check_text(text, n, name));
    if (span_trim((Span){text, n}).n == 0) {
        *out = json_null();
        return ST_OK;
    }
    Yaml y = {.name = name, .line = 1, .anchor_names = map_new()};
    Status st = yaml_open(&y, text, n);
    if (st == ST_OK)
        st = read_events(&y);
    if (st == ST_OK)
        *out = y.root ? y.root : json_null();
    else
        json_decref(y.root);
    yaml_close(&y);
    return st;
}

Status config_read_yaml(json_t **out, const char *path)
{
    Str text = {0};
    *out = NULL;
    Status st = file_read(&text, path, YAML_BYTES_MAX);
    if (st == ST_OK)
        st = config_parse_yaml(out, str_c(&text), text.n, path);
    str_drop(&text);
    return st;
}
