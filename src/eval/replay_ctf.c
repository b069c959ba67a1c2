#include "eval/replay_ctf.h"

#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "env/ctf.h"

typedef struct {
    ReplayReport *report;
    const ReplaySpec *spec;
    const char *path;
    json_t *tasks;
} File;

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
}

/* One of the words stands in the text as a word of its own. */
static bool has_any(Span text, const char *const *words)
{
    for (; *words; words++) {
        size_t n = strlen(*words);
        for (size_t i = 0; i + n <= text.n; i++)
            if (memcmp(text.at + i, *words, n) == 0 && (i == 0 || !is_name_char(text.at[i - 1])) &&
                (i + n == text.n || !is_name_char(text.at[i + n])))
                return true;
    }
    return false;
}

/* What cannot be compared, by the action and the recorded text; REPLAY_WHYS: nothing speaks against it. */
static ReplayWhy why_not(Span action, Span recorded)
{
    static const char *const network[] = {"nc",     "ncat", "netcat", "curl",     "wget",    "ssh",
                                          "telnet", "git",  "apt",    "pip",      "apt-get", "pip3",
                                          "ping",   "sudo", "socket", "requests", NULL};
    static const char *const versions[] = {"file",    "openssl",  "unzip", "gdb",       "objdump", "date",
                                           "uname",   "exiftool", "ls -l", "ls -la",    "ls -al",  "binwalk",
                                           "readelf", "man",      "ps",    "whoami",    "id",      "df",
                                           "gcc",     "hostname", "env",   "--version", "--help",  NULL};
    static const char *const containers[] = {"OCI", "Malformed command", "Command timed out", NULL};
    static const char *const absent[] = {"not found", "No module named", NULL};
    if (has_any(action, network))
        return REPLAY_NETWORK;
    if (has_any(action, versions) || has_any(recorded, containers) || has_any(recorded, absent))
        return REPLAY_TOOL;
    return REPLAY_WHYS;
}

/* The container lacked no tool that this host lacks. */
static bool lacks_tool(const CtfTurn *ours, Span recorded)
{
    static const char *const lacks[] = {"command not found", "No module named", "execvp", NULL};
    Span text = str_span(&ours->text);
    return text.n && has_any(text, lacks) && !has_any(recorded, lacks);
}

static Span text_at(const json_t *list, size_t i)
{
    const json_t *v = json_array_get(list, i);
    return json_is_string(v) ? (Span){json_string_value(v), json_string_length(v)} : (Span){NULL, 0};
}

typedef struct {
    int64_t task;
    const json_t *actions, *observations, *rewards;
    bool astray; /* a turn before was not compared: the files may be others */
} Episode;

static void compare(File *f, const Episode *e, size_t i, const CtfTurn *ours)
{
    Span action = text_at(e->actions, i), recorded = text_at(e->observations, i);
    double reward = json_number_value(json_array_get(e->rewards, i));
    bool same = ours->text.n == recorded.n && memcmp(str_c(&ours->text), recorded.at, recorded.n) == 0;
    /* Behind a turn that was not compared the right flag repeats another text. */
    bool agrees = (same || (e->astray && ours->submitted)) && (ours->solved ? 1 : 0) == reward;
    Str what = {0};
    if (!agrees)
        str_addf(&what, "task %lld turn %zu: \"%.*s\" gives \"%.80s\" here, \"%.*s\" recorded",
                 (long long)e->task, i, (int)(action.n < 80 ? action.n : 80), action.at, str_c(&ours->text),
                 (int)(recorded.n < 80 ? recorded.n : 80), recorded.at);
    replay_count(f->report, REPLAY_CTF, agrees, f->path, e->task, str_c(&what));
    str_drop(&what);
}

static void pass_over(File *f, Episode *e, ReplayWhy why)
{
    f->report->counts[REPLAY_CTF].undecided[why]++;
    e->astray = true;
}

/* By the quoting of the code that recorded them; an action that the two rules make different commands of is
 * run by the other one too where the first does not print what was recorded (both occur in one file). */
static Status act(Ctf *world, CtfTurn *ours, Span action, Span recorded)
{
    Str one = {0}, other = {0};
    bool same = ctf_command(&one, CTF_RECORDED, action) == ctf_command(&other, CTF_QUOTED, action) &&
                one.n == other.n && memcmp(str_c(&one), str_c(&other), one.n) == 0;
    Status st = ctf_act(world, ours, action);
    if (st == ST_OK && !same && !ours->submitted && !span_is(recorded, str_c(&ours->text))) {
        ctf_set_quoting(world, CTF_QUOTED);
        st = ctf_act(world, ours, action);
        ctf_set_quoting(world, CTF_RECORDED);
    }
    str_drop(&one);
    str_drop(&other);
    return st;
}

static Status run_turns(File *f, Episode *e, Ctf *world, bool no_files)
{
    CtfTurn ours = {0};
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < json_array_size(e->actions); i++) {
        Span action = text_at(e->actions, i), recorded = text_at(e->observations, i);
        bool submits = span_starts(action, "submit ");
        ReplayWhy why = submits ? REPLAY_WHYS : no_files ? REPLAY_NO_ASSETS : why_not(action, recorded);
        if (why == REPLAY_WHYS && e->astray && !submits)
            why = REPLAY_AFTER;
        if (why == REPLAY_WHYS && (st = act(world, &ours, action, recorded)) != ST_OK)
            break;
        if (why == REPLAY_WHYS && lacks_tool(&ours, recorded))
            why = REPLAY_TOOL;
        if (why != REPLAY_WHYS)
            pass_over(f, e, why);
        else
            compare(f, e, i, &ours);
    }
    ctf_turn_drop(&ours);
    return st;
}

static Status play(File *f, Episode *e)
{
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)e->task);
    char *name = mem_format("%s/%s", CTF_ASSETS, id), *assets = path_join(f->spec->intercode, name);
    const char *gold = json_string_value(json_object_get(json_array_get(f->tasks, (size_t)e->task), "gold"));
    bool there = path_is_folder(assets);
    CtfSpec spec = {.id = id, .gold = gold, .assets = there ? assets : NULL, .quoting = CTF_RECORDED};
    Ctf *world;
    Status st = ctf_open(&world, &spec);
    if (st == ST_OK) {
        st = run_turns(f, e, world, !there);
        ctf_close(world);
    }
    mem_free(assets);
    mem_free(name);
    return st;
}

static bool read_episode(Episode *e, const File *f, const json_t *episode)
{
    const json_t *history = json_object_get(episode, "turn_history"),
                 *id = json_object_get(episode, "task_id");
    *e = (Episode){.task = json_is_integer(id) ? json_integer_value(id) : -1,
                   .actions = json_object_get(history, "actions"),
                   .observations = json_object_get(history, "observations"),
                   .rewards = json_object_get(history, "rewards")};
    const json_t *task = e->task < 0 ? NULL : json_array_get(f->tasks, (size_t)e->task);
    size_t n = json_array_size(e->actions);
    bool good = json_is_string(json_object_get(task, "gold")) && n && json_array_size(e->observations) == n &&
                json_array_size(e->rewards) == n;
    for (size_t i = 0; good && i < n; i++)
        good = text_at(e->actions, i).at && text_at(e->observations, i).at;
    return good;
}

static Status episodes(File *f, const json_t *all)
{
    const char *key;
    const json_t *episode;
    json_object_foreach((json_t *)all, key, episode)
    {
        Episode e;
        if (!read_episode(&e, f, episode)) {
            f->report->bad_lines++;
            replay_trouble(f->report, "%s: \"%.20s\" is no episode of " CTF_QUESTIONS "; passed over",
                           f->path, key);
            continue;
        }
        f->report->episodes++;
        for (size_t i = 0; i < json_array_size(e.rewards); i++)
            f->report->solved += json_number_value(json_array_get(e.rewards, i)) == 1;
        Status st = play(f, &e);
        if (st == ST_UNSUPPORTED) /* no sandbox */
            f->report->counts[REPLAY_CTF].undecided[REPLAY_NO_SANDBOX] += (int64_t)json_array_size(e.actions);
        else if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

Status replay_ctf_file(ReplayReport *report, const ReplaySpec *spec, const char *path)
{
    Status st;
    json_t *all = NULL;
    File f = {.report = report, .spec = spec, .path = path};
    if (!replay_wants(spec, REPLAY_CTF))
        return ST_OK;
    report->files++;
    if (!spec->intercode) {
        report->counts[REPLAY_CTF].undecided[REPLAY_NO_QUESTIONS]++;
        return ST_OK;
    }
    char *tasks = path_join(spec->intercode, CTF_QUESTIONS);
    TRY_TO(undo, json_file_read(&all, path));
    TRY_TO(undo, json_file_read(&f.tasks, tasks));
    TRY_TO(undo, episodes(&f, all));
undo:
    json_decref(all);
    json_decref(f.tasks);
    mem_free(tasks);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}
