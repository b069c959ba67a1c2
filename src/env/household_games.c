#include "env/household_games.h"

#include <string.h>

#include "base/file.h"

void household_games_drop(HouseholdGames *games)
{
    for (size_t i = 0; i < games->n; i++) {
        mem_free(games->at[i].id);
        mem_free(games->at[i].kind);
        mem_free(games->at[i].path);
    }
    array_drop(games);
}

/* Thousands of games are listed to play one, so no file is read as JSON here: this key between its quotes can
 * be in no text of it.  A file that cannot be read is none: who opens it is told what is wrong with it. */
static bool is_unsolvable(const char *path)
{
    static const char key[] = "\"solvable\"";
    FileMap file;
    if (file_map(&file, path) != ST_OK)
        return false;
    const char *end = (const char *)file.at + file.n, *at = memmem(file.at, file.n, key, strlen(key));
    for (at = at ? at + strlen(key) : end; at < end && *at && strchr(" \t\r\n:", *at);)
        at++;
    bool is = span_starts((Span){at, (size_t)(end - at)}, "false");
    file_unmap(&file);
    return is;
}

static void take(HouseholdGames *out, const char *folder, const char *name, const char *trial)
{
    char *path = mem_format("%s/%s/%s/game.tw-pddl", folder, name, trial);
    if (!path_exists(path) || is_unsolvable(path)) {
        mem_free(path);
        return;
    }
    HouseholdGame g = {mem_format("%s/%s", name, trial), mem_strn(name, strcspn(name, "-")), path};
    array_push(out, g);
}

Status household_games_find(HouseholdGames *out, const char *folder)
{
    FolderList names;
    *out = (HouseholdGames){0};
    TRY(folder_list(&names, folder));
    for (size_t i = 0; i < names.n; i++) {
        char *inner = path_join(folder, names.at[i]);
        FolderList trials = {0};
        bool passed = strstr(names.at[i], "movable") || strstr(names.at[i], "Sliced");
        /* A file beside the games, or a folder that cannot be read, holds none. */
        if (!passed && path_is_folder(inner) && folder_list(&trials, inner) == ST_OK) {
            for (size_t k = 0; k < trials.n; k++)
                take(out, folder, names.at[i], trials.at[k]);
            folder_list_drop(&trials);
        }
        mem_free(inner);
    }
    folder_list_drop(&names);
    return ST_OK;
}
