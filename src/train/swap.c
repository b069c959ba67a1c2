#include "train/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

static const char old_mark[] = ".old-", made_mark[] = ".tmp-";

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static Status move(const char *from, const char *to)
{
    return rename(from, to) == 0 ? ST_OK : fail_errno(ST_IO, "cannot rename %s to %s", from, to);
}

Status swap_by_renames(const char *parent, const char *made, const char *name)
{
    Status st;
    char *from = path_join(parent, made), *to = path_join(parent, name);
    char *old = mem_format("%s/%s%s", parent, old_mark, name);
    TRY_TO(done, folder_remove(old));
    if (path_exists(to))
        TRY_TO(done, move(to, old));
    TRY_TO(done, move(from, to));
    TRY_TO(done, folder_sync(parent));
    st = folder_remove(old);
done:
    mem_free(old);
    mem_free(to);
    mem_free(from);
    return st;
}

Status swap_in(const char *parent, const char *made, const char *name)
{
    Status st;
    char *from = path_join(parent, made), *to = path_join(parent, name);
    TRY_TO(done, folder_sync(from));
    if (path_exists(to) && renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0) {
        TRY_TO(done, folder_sync(parent));
        st = folder_remove(from); /* which now holds the old one */
    } else {
        st = swap_by_renames(parent, made, name);
    }
done:
    mem_free(to);
    mem_free(from);
    return st;
}

static Status put_back(const char *parent, const char *name)
{
    char *from = path_join(parent, name), *to = path_join(parent, name + strlen(old_mark));
    Status st = path_exists(to) ? folder_remove(from) : move(from, to);
    mem_free(to);
    mem_free(from);
    return st;
}

Status swap_recover(const char *parent, const char *prefix)
{
    Status st = ST_OK;
    FolderList names;
    if (!path_is_folder(parent))
        return ST_OK;
    TRY(folder_list(&names, parent));
    for (size_t i = 0; i < names.n && st == ST_OK; i++) { /* .old- comes before .tmp- */
        const char *name = names.at[i];
        if (begins(name, old_mark) && begins(name + strlen(old_mark), prefix)) {
            st = put_back(parent, name);
        } else if (begins(name, made_mark) && begins(name + strlen(made_mark), prefix)) {
            char *path = path_join(parent, name);
            st = folder_remove(path);
            mem_free(path);
        }
    }
    folder_list_drop(&names);
    return st == ST_OK ? st : fail_in(st, "cleaning up behind a killed run");
}
