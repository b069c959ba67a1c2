/* lemur env: worlds to act in, without a model. */
#include <string.h>

#include "cli/env.h"
#include "cli/env_make.h"
#include "cli/env_make_family.h"
#include "cli/parts.h"
#include "cli/stop_signal.h"

static const Field place_fields[] = {
    F_STRING(EnvPlace, data, "data", "folder that the worlds' own files lie below"),
    F_STRING(EnvPlace, games, "", "folder of the household's games instead, as `lemur env make` writes them"),
    F_FLOAT(EnvPlace, seconds, 0, 0, 86400, "of a command or query; 0: the world's own limit"),
};
const FieldTable env_place_table = FIELD_TABLE(place_fields);

static bool stopped(void *context)
{
    return *(const volatile sig_atomic_t *)context != 0;
}

EnvOptions env_place_options(const EnvPlace *place)
{
    return (EnvOptions){.data = place->data,
                        .games = *place->games ? place->games : NULL,
                        .seconds = place->seconds,
                        .stopped = stopped,
                        .stopped_context = (void *)stop_signal_watch()};
}

Status env_kind_named(const EnvKind **out, Span name)
{
    Array(const char *) names = {0};
    for (size_t i = 0; env_kinds[i]; i++)
        array_push(&names, env_kinds[i]->name);
    char *word = mem_strn(name.at, name.n);
    const char *near = nearest_name(word, names.at, names.n);
    *out = env_kind_find(word);
    Status st = *out ? ST_OK
                     : fail(ST_ARG, "there is no world '%.100s'%s%s%s; lemur env list shows all", word,
                            near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    mem_free(word);
    array_drop(&names);
    return st;
}

/* A word names a family; without one household games alone are made. */
static int run_make(int argc, char **argv)
{
    return argc > 1 && argv[1][0] != '-' ? env_make_family(argc, argv) : env_make(argc, argv);
}

int cmd_env(int argc, char **argv)
{
    static const Part parts[] = {
        {"list", "[WORLD]", "the worlds there are, or the tasks of one", env_list, false},
        {"make", "[FAMILY] -o FOLDER",
         "tasks of a family, for training and testing; without one: household games", run_make, false},
        {"play", "WORLD [TASK]", "play a task yourself, or watch a policy play it", env_play, false},
        {"score", "WORLD... --policy NAME", "let the expert, chance or a script play all tasks", env_score,
         false},
    };
    return parts_run(parts, sizeof parts / sizeof parts[0], argc, argv);
}
