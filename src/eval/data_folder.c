#include "eval/data_folder.h"

#include "base/file.h"
#include "base/mem.h"

enum { DATA_TEXT_MOST = 16 << 20 };

Status data_find(char **out, const char *data, const char *file)
{
    char *path = path_join(data, file);
    *out = NULL;
    if (path_exists(path)) {
        *out = path;
        return ST_OK;
    }
    Status st = fail(ST_IO,
                     "%s is not there; lemur eval --list NAME says where it comes from, and whether --fetch "
                     "gets it",
                     path);
    mem_free(path);
    return st;
}

Status data_text(Str *out, const char *data, const char *file)
{
    char *path;
    size_t before = out->n;
    TRY(data_find(&path, data, file));
    Status st = file_read(out, path, DATA_TEXT_MOST);
    if (st == ST_OK && out->n == before)
        st = fail(ST_FORMAT, "%s is empty", path);
    else if (st == ST_OK && !utf8_valid(out->at + before, out->n - before))
        st = fail(ST_FORMAT, "%s is no UTF-8 text", path);
    mem_free(path);
    return st;
}
