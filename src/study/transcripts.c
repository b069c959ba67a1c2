#include "study/transcripts.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "study/report_parts.h"

typedef struct {
    void (*take)(void *context, const char *benchmark, json_t *line);
    void *context;
    const char *benchmark;
    int64_t n;
} Reading;

static bool take_line(void *context, json_t *line)
{
    Reading *r = context;
    r->take(r->context, r->benchmark, line);
    r->n++;
    return true;
}

Status transcripts_read(const char *folder, void (*take)(void *context, const char *benchmark, json_t *line),
                        void *context)
{
    static const char begin[] = "transcripts_", end[] = ".jsonl";
    FolderList names;
    Reading r = {take, context, NULL, 0};
    TRY(folder_list(&names, folder));
    for (size_t i = 0; i < names.n; i++) {
        size_t n = strlen(names.at[i]);
        if (!span_starts(span(names.at[i]), begin) || !span_ends(span(names.at[i]), end))
            continue;
        char *benchmark = mem_strn(names.at[i] + sizeof begin - 1, n - (sizeof begin - 1) - (sizeof end - 1));
        r.benchmark = benchmark;
        report_lines(folder, names.at[i], take_line, &r);
        mem_free(benchmark);
    }
    folder_list_drop(&names);
    return r.n ? ST_OK
               : fail(ST_IO, "%s has no transcripts_*.jsonl with episodes in it, as `lemur eval` writes them",
                      folder);
}
