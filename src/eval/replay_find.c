#include "eval/replay_find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/map.h"

enum { DEEPEST = 32 };

typedef struct {
    ReplayFiles *out;
    Map *seen; /* folders by device and number: links may make rings */
} Walk;

/* The tasks of MINT that have checks. */
static bool known_task(Span group, Span task)
{
    static const char *const known[][2] = {{"reasoning", "gsm8k"},      {"reasoning", "math"},
                                           {"reasoning", "theoremqa"},  {"reasoning", "hotpotqa"},
                                           {"reasoning", "mmlu"},       {"code_generation", "humaneval"},
                                           {"code_generation", "mbpp"}, {"decision_making", "alfworld"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_is(group, known[i][0]) && span_is(task, known[i][1]))
            return true;
    return false;
}

/* The up-th name from the path's end, 0 the last; empty where there are fewer. */
static Span name_from_end(const char *path, int up)
{
    const char *end = path + strlen(path), *begin;
    for (;; end = begin - 1) {
        begin = end;
        while (begin > path && begin[-1] != '/')
            begin--;
        if (up-- == 0 || begin == path)
            return up < 0 ? (Span){begin, (size_t)(end - begin)} : (Span){"", 0};
    }
}

static bool is_setting(Span name)
{
    int k, p;
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)(name.n < 63 ? name.n : 63), name.at);
    return sscanf(text, "max%d_p%d", &k, &p) == 2 && k > 0 && p > 0 && k < 1000 && p < 1000;
}

static void add(Walk *w, RecordingKind kind, const char *path)
{
    ReplayFile f = {.kind = kind, .path = mem_str(path), .bytes = file_size(path)};
    array_push(&w->out->files, f);
    w->out->count[kind]++;
}

static void add_episodes(Walk *w, const char *path)
{
    Span task = name_from_end(path, 1), group = name_from_end(path, 2), setting = name_from_end(path, 3);
    if (!is_setting(setting))
        array_push(&w->out->passed_over,
                   mem_format("%s: not below a folder named like max5_p2+tool+cd/<group>/<task>", path));
    else if (!known_task(group, task))
        array_push(&w->out->passed_over, mem_format("%s: %.*s/%.*s is no task that has checks here", path,
                                                    (int)group.n, group.at, (int)task.n, task.at));
    else
        add(w, RECORDING_MINT, path);
}

static void add_intercode(Walk *w, const char *path, const char *name)
{
    if (strncmp(name, "ic_sql_multiturn_", 17) == 0)
        add(w, RECORDING_INTERCODE_SQL, path);
    else
        array_push(&w->out->passed_over,
                   mem_format("%s: no multi-turn run of InterCode-SQL; others keep rewards otherwise, and "
                              "let the agent change the databases",
                              path));
}

static void look_at_file(Walk *w, const char *path, const char *name)
{
    bool beside = span_is(name_from_end(path, 1), "replay") && span_is(name_from_end(path, 2), "gsm8k");
    if (strcmp(name, "results.jsonl") == 0)
        add_episodes(w, path);
    else if (strcmp(name, "example_model_solutions.jsonl") == 0 ||
             (beside && span_ends(span(name), ".jsonl")))
        add(w, RECORDING_GSM8K, path);
    else if (strstr(name, "_few_shot_template_") && span_ends(span(name), ".json"))
        add(w, RECORDING_BBH, path);
    else if (span_ends(span(name), ".json") &&
             (strncmp(name, "ic_ctf_multiturn_", 17) == 0 ||
              (span_is(name_from_end(path, 1), "ctf") && span_is(name_from_end(path, 2), "replay"))))
        add(w, RECORDING_INTERCODE_CTF, path);
    else if (strcmp(name, "recorded.json") == 0 && span_is(name_from_end(path, 1), "robocodegen"))
        add(w, RECORDING_ROBOCODEGEN, path);
    else if (strncmp(name, "ic_bash_", 8) == 0 && span_ends(span(name), ".json"))
        add(w, RECORDING_INTERCODE_BASH, path);
    else if (strncmp(name, "ic_sql_", 7) == 0 && span_ends(span(name), ".json"))
        add_intercode(w, path, name);
}

static bool first_visit(Walk *w, const char *folder)
{
    struct stat s;
    char key[64];
    if (stat(folder, &s) != 0)
        return true; /* listing it says why */
    int n =
        snprintf(key, sizeof key, "%llu.%llu", (unsigned long long)s.st_dev, (unsigned long long)s.st_ino);
    int64_t *times = map_put(w->seen, key, (size_t)n);
    return (*times)++ == 0;
}

static void walk(Walk *w, const char *folder, int depth)
{
    FolderList names;
    if (depth > DEEPEST || !first_visit(w, folder))
        return;
    if (folder_list(&names, folder) != ST_OK) {
        array_push(&w->out->unread, mem_str(error_text()));
        return;
    }
    for (size_t i = 0; i < names.n; i++) {
        char *path = path_join(folder, names.at[i]);
        if (path_is_folder(path))
            walk(w, path, depth + 1);
        else
            look_at_file(w, path, names.at[i]);
        mem_free(path);
    }
    folder_list_drop(&names);
}

static Status nothing_there(const ReplayFiles *f, const char *folder)
{
    if (f->unread.n)
        return fail(ST_IO, "no recordings in %s, of which this cannot be read: %s", folder, f->unread.at[0]);
    if (f->passed_over.n)
        return fail(ST_ARG, "no recordings of known tasks in %s: %s", folder, f->passed_over.at[0]);
    return fail(ST_ARG,
                "no recordings in %s: looked below it for <model>/F=.../max<k>_p<p>.../<group>/<task>/"
                "results.jsonl, gsm8k/replay/*.jsonl, *_few_shot_template_*.json, ic_sql_multiturn_*.json and ic_bash_*.json",
                folder);
}

Status replay_find(ReplayFiles *out, const char *folder)
{
    *out = (ReplayFiles){0};
    char *whole = realpath(folder, NULL);
    if (!whole)
        return fail_errno(ST_IO, "%s", folder);
    Walk w = {out, map_new()};
    if (path_is_folder(whole))
        walk(&w, whole, 0);
    else
        look_at_file(&w, whole, path_base(whole));
    map_free(w.seen);
    free(whole);
    return out->files.n ? ST_OK : nothing_there(out, folder);
}

void replay_files_drop(ReplayFiles *f)
{
    for (size_t i = 0; i < f->files.n; i++)
        mem_free(f->files.at[i].path);
    for (size_t i = 0; i < f->passed_over.n; i++)
        mem_free(f->passed_over.at[i]);
    for (size_t i = 0; i < f->unread.n; i++)
        mem_free(f->unread.at[i]);
    array_drop(&f->files);
    array_drop(&f->passed_over);
    array_drop(&f->unread);
}
