#include "eval/inventory.h"

#include <string.h>

#include "base/file.h"
#include "base/map.h"
#include "env/sandbox.h"
#include "eval/fetch.h"

struct Inventory {
    const char *data;
    bool probed, sandbox;
    Str says;      /* of the sandbox: what guards it, or what is missing */
    Map *programs; /* name -> 1: there; -1: not */
};

Inventory *inventory_new(const char *data)
{
    Inventory *v = mem_new(Inventory);
    v->data = data;
    v->programs = map_new();
    return v;
}

void inventory_free(Inventory *v)
{
    if (!v)
        return;
    str_drop(&v->says);
    map_free(v->programs);
    mem_free(v);
}

/* The machine -------------------------------------------------------------------------------------------- */

static bool has_sandbox(Inventory *v)
{
    if (!v->probed) {
        v->probed = true;
        v->sandbox = sandbox_probe(&v->says) == ST_OK;
        if (!v->sandbox) {
            str_clear(&v->says);
            str_adds(&v->says, error_text());
        }
    }
    return v->sandbox;
}

static bool look_for(const char *name)
{
    SandboxResult r;
    SandboxSpec spec = {.argv = (const char *const[]){"sh", "-c", "command -v -- \"$0\"", name, NULL},
                        .limits = sandbox_limits()};
    if (sandbox_run(&r, &spec, NULL) != ST_OK)
        return false;
    bool there = r.end == SANDBOX_EXITED && r.code == 0;
    sandbox_result_drop(&r);
    return there;
}

static bool has_program(Inventory *v, const char *name)
{
    int64_t *known = map_put(v->programs, name, strlen(name));
    if (!*known)
        *known = has_sandbox(v) && look_for(name) ? 1 : -1;
    return *known == 1;
}

/* A benchmark -------------------------------------------------------------------------------------------- */

static void add_word(json_t *array, const char *word)
{
    json_array_append_new(array, json_string(word));
}

static json_t *words_of(const char *words)
{
    json_t *out = json_array();
    for (Span w; words && (w = words_next(&words)).n;)
        json_array_append_new(out, json_stringn(w.at, w.n));
    return out;
}

/* JSON Lines may stand under either name (benchmarks of MINT are published as .json). */
static bool stands_in(const char *data, const char *path)
{
    char *lines = mem_format("%s/%sl", data, path);
    bool there = span_ends(span(path), ".json") && path_exists(lines);
    mem_free(lines);
    return there;
}

static void add_files(const Inventory *v, json_t *out, const Benchmark *b, bool sums)
{
    static const char *const names[] = {"absent", "present", "right", "wrong"};
    json_t *files = json_array();
    for (const DataFile *f = b->files; f && f->path; f++) {
        FileState state = fetch_state(v->data, f, sums);
        if (state == FILE_ABSENT && stands_in(v->data, f->path))
            state = FILE_PRESENT;
        json_array_append_new(files, json_pack("{s:s, s:s?, s:s?, s:s}", "path", f->path, "url", f->url,
                                               "sha256", f->sha256, "state", names[state]));
    }
    json_object_set_new(out, "files", files);
}

/* False: they cannot be read. */
static bool add_questions(const Inventory *v, json_t *out, const Benchmark *b)
{
    EvalSettings settings = eval_settings();
    EvalRun run = {.data = v->data, .settings = &settings};
    Questions q = {0};
    void *state = NULL;
    Status st = b->open(&run, &q, &state);
    if (st == ST_OK) {
        json_object_set_new(out, "questions", json_integer((json_int_t)q.all.n));
        json_object_set_new(out, "bad_lines", json_integer(q.bad));
        if (q.left_out)
            json_object_set_new(out, "left_out", json_integer(q.left_out));
        if (q.lacking)
            json_object_set(out, "lacking", q.lacking);
        if (b->close)
            b->close(state);
    } else {
        json_object_set_new(out, "questions_why", json_string(error_text()));
    }
    questions_drop(&q);
    return st == ST_OK;
}

static void add_machine(Inventory *v, json_t *out, const Benchmark *b, json_t *missing)
{
    if (b->needs & NEEDS_SANDBOX) {
        bool here = has_sandbox(v);
        json_object_set_new(out, "sandbox", json_pack("{s:b, s:s}", "here", here, "says", str_c(&v->says)));
        if (!here)
            add_word(missing, "sandbox");
    }
    if (!b->programs)
        return;
    json_t *programs = json_object();
    for (const char *const *p = b->programs; *p; p++) {
        bool here = has_program(v, *p);
        json_object_set_new(programs, *p, json_boolean(here));
        if (!here)
            add_word(missing, *p);
    }
    json_object_set_new(out, "programs", programs);
}

json_t *inventory_of(Inventory *v, const Benchmark *b, bool sums)
{
    json_t *missing = json_array();
    json_t *out = json_pack("{s:s, s:o, s:s?, s:s?, s:s, s:i, s:i, s:b, s:n}", "name", b->name, "groups",
                            words_of(b->groups), "about", b->about, "source", b->source, "metric", b->metric,
                            "version", b->version, "shots", b->shots, "likelihood",
                            (b->needs & NEEDS_LIKELIHOOD) != 0, "questions");
    add_files(v, out, b, sums);
    if (!add_questions(v, out, b)) /* which files it can do without, the benchmark knows */
        add_word(missing, "data");
    add_machine(v, out, b, missing);
    json_object_set_new(out, "ready", json_boolean(json_array_size(missing) == 0));
    json_object_set_new(out, "missing", missing);
    return out;
}
