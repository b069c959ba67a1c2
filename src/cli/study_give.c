#include "cli/study_give.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"

Status study_save(const Args *args, const json_t *study, const char *name)
{
    const char *folder = args_value(args, "output");
    if (!folder)
        return ST_OK;
    char *path = path_join(folder, name);
    Status st = folder_make(folder);
    if (st == ST_OK)
        st = json_file_write(path, study);
    if (st == ST_OK)
        log_info("%s holds the study", path);
    mem_free(path);
    return st;
}

Status study_give(const Args *args, json_t *study, void (*print)(FILE *out, const json_t *study))
{
    Status st = study_save(args, study, "study.json");
    if (st == ST_OK && args_has(args, "json"))
        cmd_print_json(study, 6);
    else if (st == ST_OK)
        print(stdout, study);
    json_decref(study);
    return st;
}
