#include "study/transcripts.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "eval/eval_folder.h"

typedef struct {
    void (*take)(void *context, const char *benchmark, json_t *line);
    void *context;
    const char *benchmark;
    int64_t n;
} Reading;

static void take_line(void *context, Span line, json_t *object)
{
    Reading *r = context;
    (void)line;
    r->take(r->context, r->benchmark, object);
    r->n++;
}

Status transcripts_read(const char *folder, void (*take)(void *context, const char *benchmark, json_t *line),
                        void *context)
{
    static const char begin[] = "transcripts_", end[] = ".jsonl";
    FolderList names;
    Reading r = {take, context, NULL, 0};
    Status st = ST_OK;
    TRY(folder_list(&names, folder));
    for (size_t i = 0; i < names.n && st == ST_OK; i++) {
        size_t n = strlen(names.at[i]);
        if (!span_starts(span(names.at[i]), begin) || !span_ends(span(names.at[i]), end))
            continue;
        char *benchmark = mem_strn(names.at[i] + sizeof begin - 1, n - (sizeof begin - 1) - (sizeof end - 1));
        char *path = path_join(folder, names.at[i]);
        r.benchmark = benchmark;
        st = line_file_each(path, take_line, &r);
        mem_free(path);
        mem_free(benchmark);
    }
    folder_list_drop(&names);
    return st != ST_OK || r.n
               ? st
               : fail(ST_IO, "%s has no transcripts_*.jsonl with episodes in it, as `lemur eval` writes them",
                      folder);
}
