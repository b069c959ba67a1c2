/* Walks the folders, opens the prompt files that belong to each recording, and counts. */
#include "eval/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/prompt.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/stream.h"
#include "eval/replay_episode.h"

enum { LINE_MAX_BYTES = 64 << 20 };

const char *const replay_check_names[REPLAY_CHECKS] = {"R1",          "R2", "R3", "R4",
                                                       "R4 (option)", "R5", "R6", "R7"};

/* The last `up`-th folder of a path, 0 the last. */
static Span part_from_end(const char *path, int up)
{
    const char *end = path + strlen(path), *begin;
    for (;; end = begin - 1) {
        begin = end;
        while (begin > path && begin[-1] != '/')
            begin--;
        if (up-- == 0 || begin == path)
            return (Span){begin, (size_t)(end - begin)};
    }
}

/* What the path says: .../F=X/[PHF=Y/]max5_p2+tool+cd/<group>/<task>/results.jsonl */
static bool setting_of(Recording *r, const char *path)
{
    Span setting = part_from_end(path, 3), above = part_from_end(path, 4);
    char text[64];
    if (setting.n >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", (int)setting.n, setting.at);
    r->path = path;
    r->task = part_from_end(path, 1);
    r->group = part_from_end(path, 2);
    r->feedback = !span_is(above, "F=None");
    return sscanf(text, "max%d_p%d", &r->max_steps, &r->max_propose) == 2;
}

static Status line_replay(ReplayReport *report, const ReplaySpec *spec, Recording *r, Span line, Map *seen)
{
    json_error_t error;
    json_t *episode = json_loadb(line.at, line.n, JSON_ALLOW_NUL, &error);
    json_t *id = json_object_get(json_object_get(episode, "task"), "task_id");
    char *name = id ? json_dumps(id, JSON_ENCODE_ANY) : NULL;
    Status st = ST_OK;
    if (!name || !replay_episode_is_whole(episode)) {
        report->bad_lines++;
    } else if (map_find(seen, name, strlen(name))) {
        report->doubles++;
    } else {
        *map_put(seen, name, strlen(name)) = 1;
        st = replay_episode(report, spec, r, episode);
    }
    free(name);
    json_decref(episode);
    return st;
}

static Status file_replay(ReplayReport *report, const ReplaySpec *spec, const char *path)
{
    Status st;
    Recording r = {0};
    LineReader lines = {0};
    StreamReader *stream = NULL;
    Map *seen = map_new();
    const char *member;
    Span line;
    bool cut;
    if (!setting_of(&r, path)) {
        st = fail(ST_FORMAT, "not below a folder named like max5_p2+tool+cd");
        goto undo;
    }
    report->files++;
    TRY_TO(undo, stream_open(&stream, path));
    TRY_TO(undo, stream_next(stream, &member));
    lines_start(&lines, stream);
    for (;;) {
        TRY_TO(undo, lines_next(&lines, LINE_MAX_BYTES, &line, &cut));
        if (!line.at)
            break;
        r.line++;
        if (cut)
            report->bad_lines++;
        else if (span_trim(line).n)
            TRY_TO(undo, line_replay(report, spec, &r, line, seen));
    }
undo:
    map_free(seen);
    lines_drop(&lines);
    stream_close(stream);
    recording_drop(&r);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}

Status replay_mint(ReplayReport *report, const ReplaySpec *spec, const char *folder)
{
    FolderList names;
    TRY(folder_list(&names, folder));
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < names.n; i++) {
        char *path = path_join(folder, names.at[i]);
        if (path_is_folder(path))
            st = replay_mint(report, spec, path);
        else if (!strcmp(names.at[i], "results.jsonl"))
            st = file_replay(report, spec, path);
        mem_free(path);
    }
    folder_list_drop(&names);
    return st;
}
