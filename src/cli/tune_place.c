#include "cli/tune_place.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

bool tune_place_holds_run(const char *folder)
{
    static const char *const names[] = {"config.json", "log.jsonl", "checkpoints"};
    bool is = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        is |= folder_holds(folder, names[i]);
    return is;
}

static Status open_temporary(TunePlace *p)
{
    const char *place = getenv("TMPDIR");
    p->data = mem_format("%s/lemur-tune-XXXXXX", place && *place ? place : "/tmp");
    if (!mkdtemp(p->data))
        return fail_errno(ST_IO, "cannot make a folder %s", p->data);
    p->temporary = true;
    p->made = mem_str(p->data);
    return ST_OK;
}

Status tune_place_open(TunePlace *p, const TuneSettings *t, const InstructJob *job, const char *base)
{
    bool looks = t->words.dry_run || t->words.inspect > 0;
    *p = (TunePlace){.run = {.lock = -1}};
    if (!t->output || (looks && tune_place_holds_run(t->output)))
        return open_temporary(p);
    TRY(run_folder_open(&p->run, t->output, t->words.resume, t->words.overwrite));
    TRY(run_folder_spares(&p->run, "the model to begin from", base));
    p->data = path_join(t->output, "data");
    bool in_use = (p->run.stale || p->run.holds_run) && path_exists(p->data);
    p->made =
        in_use && !instruct_is_prepared(job, p->data) ? path_join(t->output, ".tmp-data") : mem_str(p->data);
    return ST_OK;
}

void tune_place_close(TunePlace *p)
{
    bool beside = p->made && strcmp(p->made, p->data) != 0;
    Error why = error_take();
    if ((p->temporary || beside) && folder_remove(p->made) != ST_OK)
        log_warn("%s", error_take().text);
    run_folder_close(&p->run);
    if (why.status != ST_OK)
        (void)error_put(&why);
    mem_free(p->data);
    mem_free(p->made);
    *p = (TunePlace){.run = {.lock = -1}};
}
