/* Reads the lines of a file of episodes, and when all have been walked decides which version of the marking
 * rules it was made by. */
#include "eval/replay_mint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/stream.h"
#include "eval/replay_episode.h"

enum { LINE_MAX_BYTES = 64 << 20 };

/* The path's parts from its end: results.jsonl, task, group, max5_p2+tool+cd, [PHF=Y], F=X, model. */
static void setting_of(Recording *r, const char *path)
{
    enum { PARTS = 7 };
    Span parts[PARTS] = {{"", 0}};
    const char *end = path + strlen(path);
    for (int i = 0; i < PARTS && end > path; i++) {
        const char *begin = end;
        while (begin > path && begin[-1] != '/')
            begin--;
        parts[i] = (Span){begin, (size_t)(end - begin)};
        end = begin > path ? begin - 1 : path;
    }
    bool phf = span_starts(parts[4], "PHF=");
    Span who = phf ? parts[5] : parts[4], model = phf ? parts[6] : parts[5];
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)(parts[3].n < 63 ? parts[3].n : 63), parts[3].at);
    if (sscanf(text, "max%d_p%d", &r->max_steps, &r->max_propose) != 2)
        r->max_steps = r->max_propose = 0; /* replay_find lets none such through */
    r->path = path;
    r->task = parts[1];
    r->group = parts[2];
    r->feedback = !span_is(who, "F=None");
    r->model = span_starts(who, "F=") ? model : (Span){"", 0};
    r->setting = (Span){who.at, (size_t)(parts[3].at + parts[3].n - who.at)};
}

static void bad_line(ReplayReport *report, const Recording *r, const char *why)
{
    report->bad_lines++;
    replay_trouble(report, "%s:%lld: %s; passed over", r->path, (long long)r->line, why);
}

static void line_replay(ReplayReport *report, const ReplaySpec *spec, Recording *r, Span line, Map *seen)
{
    json_error_t error;
    json_t *episode = json_loadb(line.at, line.n, JSON_ALLOW_NUL, &error);
    json_t *id = json_object_get(json_object_get(episode, "task"), "task_id");
    char *name = id ? json_dumps(id, JSON_ENCODE_ANY) : NULL;
    if (!episode) {
        char why[JSON_ERROR_TEXT_LENGTH + 32];
        snprintf(why, sizeof why, "no JSON: %s", error.text);
        bad_line(report, r, why);
    } else if (!name || !replay_episode_is_whole(episode)) {
        bad_line(report, r,
                 "no episode: state.history, state.agent_action_count or task is missing or of "
                 "another type");
    } else if (map_find(seen, name, strlen(name))) {
        report->doubles++;
    } else {
        *map_put(seen, name, strlen(name)) = 1;
        replay_episode(report, spec, r, episode);
    }
    free(name);
    json_decref(episode);
}

/* Which version of the rule marked this check's proposals here. */
static MarkRule choose_rule(ReplayCount *count, const ReplaySpec *spec, const Recording *r, ReplayCheck check)
{
    int64_t n = 0, wrong[2] = {0, 0};
    for (size_t i = 0; i < r->verdicts.n; i++) {
        const Verdict *v = &r->verdicts.at[i];
        n += v->check == check;
        for (int rule = MARK_LEGACY; v->check == check && rule <= MARK_CURRENT; rule++)
            wrong[rule] += v->marks[rule] != MARK_UNDECIDED && (v->marks[rule] == MARK_RIGHT) != v->recorded;
    }
    MarkRule rule = wrong[MARK_CURRENT] < wrong[MARK_LEGACY] ? MARK_CURRENT : MARK_LEGACY;
    if (spec->rule != REPLAY_RULE_RECORDING)
        rule = spec->rule == REPLAY_RULE_CURRENT ? MARK_CURRENT : MARK_LEGACY;
    if (n > 0) {
        count->either += wrong[0] == wrong[1];
        count->legacy += wrong[0] != wrong[1] && rule == MARK_LEGACY;
        count->current += wrong[0] != wrong[1] && rule == MARK_CURRENT;
    }
    return rule;
}

static void verdicts_count(ReplayReport *report, const ReplaySpec *spec, const Recording *r,
                           const MarkRule *rules)
{
    for (size_t i = 0; i < r->verdicts.n; i++) {
        const Verdict *v = &r->verdicts.at[i];
        Mark mark = v->marks[rules[v->check]];
        if (!replay_wants(spec, v->check))
            continue;
        if (mark == MARK_UNDECIDED)
            report->counts[v->check].undecided[v->why]++;
        else
            replay_count(report, v->check, (mark == MARK_RIGHT) == v->recorded, r->path, v->line, v->text);
    }
}

/* Solved by our verdicts: some proposal is right.  Without one: those of which we have no verdict. */
static void score_add(ReplayReport *report, const Recording *r, const MarkRule *rules)
{
    ReplayScore s = {.model = mem_strn(r->model.at, r->model.n),
                     .setting = mem_strn(r->setting.at, r->setting.n),
                     .group = mem_strn(r->group.at, r->group.n),
                     .task = mem_strn(r->task.at, r->task.n),
                     .episodes = report->episodes,
                     .solved = report->solved};
    size_t at = 0;
    for (size_t e = 0; e < r->ends.n; e++) {
        bool right = false, undecided = r->ends.at[e].unmarked;
        for (; at < r->ends.at[e].verdicts_end; at++) {
            Mark mark = r->verdicts.at[at].marks[rules[r->verdicts.at[at].check]];
            right = right || mark == MARK_RIGHT;
            undecided = undecided || mark == MARK_UNDECIDED;
        }
        s.ours += right;
        s.unmarked += undecided && !right;
    }
    array_push(&report->scores, s);
}

static Status read_lines(ReplayReport *report, const ReplaySpec *spec, Recording *r)
{
    Status st;
    LineReader lines = {0};
    StreamReader *stream = NULL;
    Map *seen = map_new();
    const char *member;
    Span line;
    bool cut;
    TRY_TO(undo, stream_open(&stream, r->path));
    TRY_TO(undo, stream_next(stream, &member));
    lines_start(&lines, stream);
    for (;;) {
        TRY_TO(undo, lines_next(&lines, LINE_MAX_BYTES, &line, &cut));
        if (!line.at)
            break;
        r->line++;
        if (cut)
            bad_line(report, r, "longer than 64 MB");
        else if (span_trim(line).n)
            line_replay(report, spec, r, line, seen);
    }
undo:
    map_free(seen);
    lines_drop(&lines);
    stream_close(stream);
    return st == ST_OK ? ST_OK : fail_in(st, "%s:%lld", r->path, (long long)r->line + 1);
}

Status replay_mint_file(ReplayReport *report, const ReplaySpec *spec, const ReplayPrograms *programs,
                        const char *path)
{
    Recording r = {.programs = programs};
    MarkRule rules[REPLAY_CHECKS] = {MARK_LEGACY};
    setting_of(&r, path);
    report->files++;
    Status st = read_lines(report, spec, &r);
    static const ReplayCheck ruled[] = {REPLAY_R3, REPLAY_R4, REPLAY_R4_OPTION};
    for (size_t i = 0; i < sizeof ruled / sizeof ruled[0]; i++)
        rules[ruled[i]] = choose_rule(&report->counts[ruled[i]], spec, &r, ruled[i]);
    verdicts_count(report, spec, &r, rules);
    score_add(report, &r, rules);
    if (programs)
        programs->end(programs->arg);
    recording_drop(&r);
    return st;
}
