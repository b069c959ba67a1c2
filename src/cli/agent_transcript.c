#include "cli/agent_transcript.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { FILE_MAX = 1 << 30 };

Status agent_transcript_open(AgentTranscript *t, const char *path)
{
    FileWriter probe;
    *t = (AgentTranscript){0};
    TRY(file_begin(&probe, path)); /* before the conversation, not behind it */
    file_abandon(&probe);
    t->size = file_size(path);
    if (path_exists(path))
        TRY(file_read(&t->before, path, FILE_MAX));
    if (t->before.n && t->before.at[t->before.n - 1] != '\n')
        str_addc(&t->before, '\n');
    t->path = mem_str(path);
    return ST_OK;
}

Status agent_transcript_write(AgentTranscript *t, const json_t *object)
{
    if (!object && !t->line.n)
        return ST_OK;
    if (file_size(t->path) != t->size)
        return fail(ST_IO, "another process has written to %s; name another file", t->path);
    Str all = {0};
    str_clear(&t->line);
    if (object) {
        char *text = json_dumps(object, JSON_COMPACT);
        str_addf(&t->line, "%s\n", text);
        free(text);
    }
    str_add(&all, str_c(&t->before), t->before.n);
    str_add(&all, t->line.at, t->line.n);
    Status st = file_replace(t->path, all.at, all.n);
    if (st == ST_OK)
        t->size = (int64_t)all.n;
    str_drop(&all);
    return st;
}

bool agent_transcript_is(const AgentTranscript *t, const char *path)
{
    return t->path && (strcmp(t->path, path) == 0 || path_same(t->path, path));
}

void agent_transcript_next(AgentTranscript *t)
{
    str_add(&t->before, str_c(&t->line), t->line.n);
    str_clear(&t->line);
}

void agent_transcript_drop(AgentTranscript *t)
{
    mem_free(t->path);
    str_drop(&t->before);
    str_drop(&t->line);
    *t = (AgentTranscript){0};
}
