#include "cli/env_make.h"

#include <stdlib.h>
#include <string.h>

#include "agent/household_lesson.h"
#include "base/file.h"
#include "base/map.h"
#include "cli/cmd.h"
#include "cli/stop_signal.h"
#include "env/household_hints.h"
#include "env/household_make_games.h"
#include "env/household_seek.h"

static const Flag flags[] = {
    {"output", 'o', "FOLDER", "where the games go; what is there already is gone on with"},
    {"games", 'n', "N", "how many (100)"},
    {"seed", 0, "N", "of the first game; the next ones have the next seeds (1)"},
    {"type", 0, "TYPE", "put, examine, clean, heat, cool, puttwo, or ALFWorld's name of one (any)"},
    {"transcripts", 0, "FILE", "an episode of each game, won, as JSONL for lemur tune"},
    {"python", 0, NULL, "episodes act by Python and MINT's functions instead of commands"},
    {"fences", 0, NULL, "Python stands between ```python and ``` instead of <execute> and </execute>"},
    {"hinted", 0, NULL, "an expert's hints stand in the episodes, behind what the game says"},
    {"knowing", 0, NULL, "episodes go straight to what they need, as if one saw through doors"},
    {"prompt", 0, "FILE", "their first message; holes {task} {steps} {begin} {end}; ends at a line \"---\""},
    {"hints", 0, "FILE", "what that expert says to each game, for lemur eval --feedback-model hints:FILE"},
    {"overwrite", 0, NULL, "replace FILE of --transcripts and --hints"},
    {"json", 0, NULL, "print what was made as JSON"},
};

enum { PROMPT_BYTES = 1 << 20, SEEK_STREAM = 1 };

typedef struct {
    const volatile sig_atomic_t *stop;
    FileWriter file, hints; /* of transcripts, and of hints; f NULL: none are wanted */
    Map *openings;          /* of games that have a line of hints: what looks alike has one */
    HouseholdLesson lesson;
    bool knowing, hinted;
    Str prompt;
    int64_t episodes, commands, unfound; /* unfound: nothing was found in time, so that one who knows went */
} Job;

static bool stopped(void *context)
{
    return *((const Job *)context)->stop != 0;
}

/* The commands of a game's episode; the caller drops *out. */
static Status find_commands(HouseholdPlan *out, Job *job, const HouseholdMade *made)
{
    Rng rng;
    Status st = ST_LIMIT;
    rng_seed_pair(&rng, made->seed, SEEK_STREAM);
    if (!job->knowing) {
        st = household_seek(made->game, &rng, out);
        job->unfound += st == ST_LIMIT;
    }
    if (st != ST_LIMIT)
        return st;
    array_clear(out);
    for (size_t i = 0; i < made->plan.n; i++)
        array_push(out, made->plan.at[i]);
    return ST_OK;
}

static Status write_line(FileWriter *file, const json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    Status st = file_write(file, text, strlen(text));
    free(text);
    return st == ST_OK ? file_write(file, "\n", 1) : st;
}

static Status write_hints(Job *job, const json_t *hints)
{
    const json_t *opening = json_object_get(hints, "contains");
    int64_t *seen = map_put(job->openings, json_string_value(opening), json_string_length(opening));
    return (*seen)++ ? ST_OK : write_line(&job->hints, hints);
}

static Status write_episode(Job *job, const HouseholdMade *made, const char *id, const json_t *hints)
{
    HouseholdPlan commands = {0};
    json_t *line = NULL;
    job->lesson.hints = job->hinted ? hints : NULL;
    Status st = find_commands(&commands, job, made);
    if (st == ST_OK)
        st = household_lesson(&line, &job->lesson, made->game, id, &commands);
    if (st == ST_OK)
        st = write_line(&job->file, line);
    if (st == ST_OK) {
        job->episodes++;
        job->commands += (int64_t)commands.n;
    }
    json_decref(line);
    array_drop(&commands);
    return st;
}

static Status one_game(void *context, const HouseholdMade *made, const char *id)
{
    Job *job = context;
    json_t *hints = household_hints(made->game, made->task, made->object, made->target);
    Status st = job->file.f ? write_episode(job, made, id, hints) : ST_OK;
    if (st == ST_OK && job->hints.f)
        st = write_hints(job, hints);
    json_decref(hints);
    return st;
}

static Status read_prompt(Job *job, const char *path)
{
    TRY(file_read(&job->prompt, path, PROMPT_BYTES));
    const char *text = str_c(&job->prompt), *end = strstr(text, "\n---\n");
    job->lesson.opening = end ? (Span){text, (size_t)(end - text)} : span_trim(span(text));
    return ST_OK;
}

/* Where no file is in the way. */
static Status begin_file(FileWriter *file, const char *path, const Args *args)
{
    if (path_is_folder(path))
        return fail(ST_ARG, "%s is a folder; name a file", path);
    if (path_exists(path) && !args_has(args, "overwrite"))
        return fail(ST_ARG, "%s is there already; --overwrite replaces it", path);
    TRY(file_make_folder(path));
    return file_begin(file, path);
}

static Status begin_hints(Job *job, const Args *args)
{
    const char *path = args_value(args, "hints");
    if (!path)
        return args_has(args, "overwrite") && !args_has(args, "transcripts")
                   ? fail(ST_ARG, "--overwrite is about files; name one: --transcripts FILE, --hints FILE")
                   : ST_OK;
    job->openings = map_new();
    return begin_file(&job->hints, path, args);
}

static Status begin_transcripts(Job *job, const Args *args)
{
    static const char *const its[] = {"python", "fences", "knowing", "hinted", "prompt"};
    const char *path = args_value(args, "transcripts");
    for (size_t i = 0; !path && i < sizeof its / sizeof *its; i++)
        if (args_has(args, its[i]))
            return fail(ST_ARG, "--%s is about episodes; say where they go: --transcripts FILE", its[i]);
    if (!path)
        return ST_OK;
    job->hinted = args_has(args, "hinted");
    job->knowing = args_has(args, "knowing");
    job->lesson = (HouseholdLesson){.python = args_has(args, "python"), .fences = args_has(args, "fences")};
    if (job->lesson.fences && !job->lesson.python)
        return fail(ST_ARG, "--fences is about Python; say --python as well");
    if (args_value(args, "prompt"))
        TRY(read_prompt(job, args_value(args, "prompt")));
    return begin_file(&job->file, path, args);
}

static void print_made(const Job *job, const HouseholdMadeGames *m, const Args *args)
{
    json_t *of = json_object();
    for (int t = 0; t < HOUSEHOLD_TASKS; t++)
        json_object_set_new(of, household_tasks[t].name, json_integer(m->of_task[t]));
    json_t *all = json_pack(
        "{s:s, s:I, s:I, s:I, s:o, s:f, s:I, s:I, s:f, s:I, s:I, s:I}", "folder", args_value(args, "output"),
        "games", (json_int_t)m->games, "written", (json_int_t)m->written, "doubles", (json_int_t)m->doubles,
        "of_type", of, "expert_commands", m->games ? (double)m->steps / (double)m->games : 0,
        "expert_commands_most", (json_int_t)m->longest, "next_seed", (json_int_t)m->next_seed, "seconds",
        m->seconds, "episodes", (json_int_t)job->episodes, "episode_commands", (json_int_t)job->commands,
        "episodes_knowing", (json_int_t)job->unfound);
    if (args_has(args, "json")) {
        cmd_print_json(all, 6);
    } else {
        char time[32];
        printf("%s: %lld games, %lld of them new, in %s; their expert needs %.1f commands, at most %lld\n",
               args_value(args, "output"), (long long)m->games, (long long)m->written,
               human_time(time, m->seconds), m->games ? (double)m->steps / (double)m->games : 0,
               (long long)m->longest);
        for (int t = 0; t < HOUSEHOLD_TASKS; t++)
            printf("  %6lld  %s\n", (long long)m->of_task[t], household_tasks[t].name);
        if (job->episodes)
            printf("%s: %lld episodes of %.1f commands; for %lld the search was too long, and one who knows "
                   "went\n",
                   args_value(args, "transcripts"), (long long)job->episodes,
                   (double)job->commands / (double)job->episodes, (long long)job->unfound);
        printf("more of them: --seed %llu\n", (unsigned long long)m->next_seed);
    }
    json_decref(all);
}

static Status make(Job *job, const Args *args)
{
    HouseholdMadeGames made;
    int64_t games = 100, seed = 1;
    HouseholdMakeGames how = {
        .folder = args_value(args, "output"), .stopped = stopped, .each = one_game, .context = job};
    const char *type = args_value(args, "type");
    if (!how.folder)
        return fail(ST_ARG, "say where the games go: -o FOLDER");
    TRY(cmd_number(&games, args, "games", 1, 1000000000));
    TRY(cmd_number(&seed, args, "seed", 0, INT64_MAX - 1000000000));
    TRY(household_task_find(&how.task, type ? type : "any"));
    TRY(cmd_output_folder(how.folder, "household games"));
    TRY(begin_transcripts(job, args));
    TRY(begin_hints(job, args));
    job->stop = stop_signal_watch();
    how.games = games;
    how.seed = (uint64_t)seed;
    Status st = household_make_games(&made, &how);
    if (st == ST_OK && job->file.f)
        st = file_commit(&job->file);
    if (st == ST_OK && job->hints.f)
        st = file_commit(&job->hints);
    if (st == ST_OK)
        print_made(job, &made, args);
    return st;
}

static Status run(const Args *args, void *context)
{
    Job *job = context;
    Status st = make(job, args);
    if (job->file.f)
        file_abandon(&job->file);
    if (job->hints.f)
        file_abandon(&job->hints);
    map_free(job->openings);
    str_drop(&job->prompt);
    return st;
}

int env_make(int argc, char **argv)
{
    Job job = {0};
    const Command c = {
        .usage = "-o FOLDER [-n N] [--seed N] [--type TYPE] [--transcripts FILE]",
        .about =
            "Makes household games of ALFWorld's six types, each in a house of its own, and writes them as\n"
            "ALFWorld does; every one is won by an expert before it is written.  With --transcripts also an\n"
            "episode of each: it looks for what it needs, as a player has to.  `lemur env make FAMILY` makes "
            "tasks\n"
            "for training and others for testing: `lemur env make words --help` tells of the families.\n"
            "example: lemur env make -o games -n 1000 --transcripts games.jsonl\n"
            "         lemur tune -m MODEL --data games.jsonl -o RUN",
        COMMAND_FLAGS(flags)};
    return cmd_run(&c, argc, argv, run, &job);
}
