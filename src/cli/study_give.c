#include "cli/study_give.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"

Status study_give(const Args *args, const json_t *study, void (*print)(FILE *out, const json_t *study))
{
    const char *folder = args_value(args, "output");
    char *path = folder ? path_join(folder, "study.json") : NULL;
    Status st = folder ? folder_make(folder) : ST_OK;
    if (st == ST_OK && folder)
        st = json_file_write(path, study);
    if (st == ST_OK && args_has(args, "json"))
        cmd_print_json(study, 6);
    else if (st == ST_OK)
        print(stdout, study);
    if (st == ST_OK && folder)
        log_info("%s holds the study", path);
    mem_free(path);
    return st;
}
