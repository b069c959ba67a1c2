#include "corpus/instruct_set.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/file.h"
#include "base/glob.h"
#include "base/log.h"
#include "corpus/instruct_read.h"
#include "corpus/instruct_rows.h"
#include "corpus/shards_kind.h"

/* Part of the hash of inputs: changes when the same inputs make other rows. */
enum { RENDERING_VERSION = 2 };

typedef struct {
    const InstructJob *job;
    InstructReading reading;
    InstructLine *lines; /* [sources] */
    ShardSource *names;  /* [sources] */
    ShardSetWriter *writer;
    FileWriter rejected;
    bool rejected_open;
    char *work; /* for the store and the set of sums, in the stage */
    Str notes;
} Set;

/* Whether a set is there already ------------------------------------------------------------------------- */

static void hash_text(XXH3_state_t *h, const char *text)
{
    XXH3_64bits_update(h, text, strlen(text) + 1);
}

/* Names and bytes of every file of a source. */
static Status hash_files(XXH3_state_t *h, const InstructSource *s)
{
    Status st = ST_OK;
    GlobWalk *walk = glob_start((const char *const *)s->path.at, s->path.n,
                                (const char *const *)s->excludes.at, s->excludes.n);
    for (const char *path; st == ST_OK && (path = glob_next(walk));) {
        FileMap m;
        hash_text(h, path);
        st = file_map(&m, path);
        if (st != ST_OK)
            break;
        uint64_t n = m.n;
        XXH3_64bits_update(h, &n, sizeof n);
        XXH3_64bits_update(h, m.at, m.n);
        file_unmap(&m);
    }
    glob_end(walk);
    return st;
}

Status instruct_inputs_hash(uint64_t *out, const InstructJob *job)
{
    const InstructRecipe *r = job->recipe;
    XXH3_state_t *h = XXH3_createState();
    json_t *settings = instruct_recipe_to_json(r);
    char *text = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
    uint64_t numbers[] = {RENDERING_VERSION, job->seed, tokenizer_hash(job->tok)};
    Str jinja = {0}; /* all that the template does, but for calls of tools */
    chat_template_jinja(job->tmpl, job->tok, &jinja);
    check(h && text);
    XXH3_64bits_reset(h);
    hash_text(h, text);
    hash_text(h, chat_template_name(job->tmpl));
    hash_text(h, str_c(&jinja));
    hash_text(h, chat_template_has_tools(job->tmpl) ? "tools" : "");
    str_drop(&jinja);
    XXH3_64bits_update(h, numbers, sizeof numbers);
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < r->sources_n; i++)
        st = hash_files(h, &r->sources[i]);
    *out = XXH3_64bits_digest(h);
    XXH3_freeState(h);
    free(text);
    json_decref(settings);
    return st;
}

static void hash_hex(char hex[17], uint64_t hash)
{
    snprintf(hex, 17, "%016" PRIx64, hash);
}

Status instruct_manifest(json_t **out, const char *folder)
{
    TRY(manifest_read(out, &shards_kind, folder));
    if (json_is_object(json_object_get(*out, "tune")))
        return ST_OK;
    json_decref(*out);
    *out = NULL;
    return fail(ST_FORMAT, "%s holds rows of `lemur pack`, not a tuning set of `lemur tune`", folder);
}

/* The manifest of a whole set of the same inputs, or NULL. */
static json_t *find_same(const char *folder, const char *hex)
{
    json_t *manifest = NULL;
    if (!folder_holds(folder, "manifest.json") || instruct_manifest(&manifest, folder) != ST_OK) {
        (void)error_take();
        return NULL;
    }
    const char *was = json_string_value(json_object_get(json_object_get(manifest, "tune"), "inputs"));
    if (was && strcmp(was, hex) == 0)
        return manifest;
    json_decref(manifest);
    return NULL;
}

/* Making one --------------------------------------------------------------------------------------------- */

static Status writer_open(Set *s, const char *folder)
{
    const InstructRecipe *r = s->job->recipe;
    for (size_t i = 0; i < r->sources_n; i++)
        s->names[i] =
            (ShardSource){.name = r->sources[i].name,
                          .kind = strcmp(r->sources[i].kind, "code") == 0 ? SHARD_CODE : SHARD_TEXT};
    ShardSpec spec = {.row_tokens = (int32_t)r->config.context + 1,
                      .vocab_size = tokenizer_vocab_size(s->job->tok),
                      .tokenizer_hash = tokenizer_hash(s->job->tok),
                      .isolated = true,
                      .has_mask = true,
                      .sources = s->names,
                      .sources_n = (int32_t)r->sources_n};
    TRY(shards_create(&s->writer, folder, &spec, r->config.shard_rows));
    s->work = path_join(shards_stage(s->writer), "work");
    return folder_make(s->work);
}

static double bytes_of_all(const InstructRecipe *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->sources_n; i++) {
        ReaderSpec spec = instruct_recipe_spec(r, i);
        int64_t files, bytes;
        reader_measure(&spec, &files, &bytes);
        sum += (double)bytes;
    }
    return sum;
}

static Status sources_read(Set *s)
{
    const InstructRecipe *r = s->job->recipe;
    char *store = path_join(s->work, "examples"),
         *aside = path_join(shards_stage(s->writer), "rejected.jsonl");
    Progress progress = progress_start("reading examples", bytes_of_all(r) / 1e6, "MB");
    s->reading = (InstructReading){.recipe = r,
                                   .tok = s->job->tok,
                                   .tmpl = s->job->tmpl,
                                   .threads = s->job->threads < 1 ? 1 : s->job->threads,
                                   .seed = s->job->seed,
                                   .rejected = &s->rejected,
                                   .progress = &progress};
    instruct_read_start(&s->reading);
    Status st = example_store_create(&s->reading.store, store);
    if (st == ST_OK && r->config.dedup)
        st = dedup_open(&s->reading.dedup, s->work);
    if (st == ST_OK)
        st = file_begin(&s->rejected, aside);
    s->rejected_open = st == ST_OK;
    for (size_t i = 0; st == ST_OK && i < r->sources_n; i++)
        st = instruct_read(&s->reading, i, &s->lines[i].count);
    if (st == ST_OK)
        st = example_store_end(s->reading.store);
    progress_end(&progress);
    mem_free(store);
    mem_free(aside);
    return st;
}

static json_t *tune_json(const Set *s, const char *hex)
{
    const char *system = chat_template_system(s->job->tmpl);
    return json_pack("{s:{s:s, s:s, s:s?, s:I, s:o, s:o, s:s}}", "tune", "inputs", hex, "template",
                     chat_template_name(s->job->tmpl), "system", system, "seed", (json_int_t)s->job->seed,
                     "settings", instruct_recipe_to_json(s->job->recipe), "ledger",
                     instruct_ledger_json(s->job->recipe, s->lines), "notes", str_c(&s->notes));
}

static Status set_finish(Set *s, const char *hex)
{
    char *place = path_join(shards_stage(s->writer), "tokenizer");
    Status st = folder_make(place);
    if (st == ST_OK)
        st = tokenizer_save(s->job->tok, place);
    mem_free(place);
    s->rejected_open = false;
    if (st == ST_OK)
        st = file_commit(&s->rejected);
    else
        file_abandon(&s->rejected);
    if (st == ST_OK)
        st = folder_remove(s->work);
    TRY(st);
    json_t *more = tune_json(s, hex);
    ShardSetWriter *writer = s->writer;
    s->writer = NULL;
    st = shards_finish(writer, "tokenizer", more);
    json_decref(more);
    return st;
}

static Status set_make(Set *s, const char *folder, const char *hex)
{
    TRY(writer_open(s, folder));
    TRY(sources_read(s));
    TRY(instruct_rows_write(s->job, s->reading.store, s->lines, s->writer, &s->notes));
    return set_finish(s, hex);
}

static void set_drop(Set *s)
{
    example_store_close(s->reading.store);
    dedup_close(s->reading.dedup);
    instruct_read_drop(&s->reading);
    if (s->rejected_open)
        file_abandon(&s->rejected);
    shards_abandon(s->writer);
    mem_free(s->lines);
    mem_free(s->names);
    mem_free(s->work);
    str_drop(&s->notes);
}

/* The masks, against what ends an answer in this vocabulary. */
static Status prove(const char *folder, const InstructJob *job, const json_t *manifest)
{
    Ids ends = {0};
    if (chat_template_check(job->tmpl, job->tok) == ST_OK)
        chat_stop_ids(job->tok, job->tmpl, &ends);
    else
        (void)error_take(); /* marks are spelled out: no id ends a turn */
    Status st = instruct_prove(folder, &ends, manifest);
    array_drop(&ends);
    return st;
}

bool instruct_is_prepared(const InstructJob *job, const char *folder)
{
    uint64_t hash;
    char hex[17];
    if (!folder_holds(folder, "manifest.json"))
        return false;
    if (instruct_inputs_hash(&hash, job) != ST_OK) {
        (void)error_take(); /* whoever prepares it says what is wrong */
        return false;
    }
    hash_hex(hex, hash);
    json_t *made = find_same(folder, hex);
    json_decref(made);
    return made != NULL;
}

Status instruct_prepare(const InstructJob *job, const char *folder, json_t **manifest, bool *reused)
{
    uint64_t hash;
    char hex[17];
    check(job->recipe->config.context > 0);
    if (job->recipe->sources_n == 0)
        return fail(ST_ARG,
                    "there are no examples to learn from: name files with --data, or a recipe whose section "
                    "tune: has sources");
    TRY(instruct_inputs_hash(&hash, job));
    hash_hex(hex, hash);
    json_t *made = find_same(folder, hex);
    if (made && prove(folder, job, made) != ST_OK) {
        log_warn("examples %s: %s; they are prepared anew", folder, error_take().text);
        json_decref(made);
        made = NULL;
    }
    *reused = made;
    if (!made) {
        Set s = {.job = job,
                 .lines = mem_array(InstructLine, job->recipe->sources_n),
                 .names = mem_array(ShardSource, job->recipe->sources_n)};
        Status st = set_make(&s, folder, hex);
        set_drop(&s);
        TRY(st);
        TRY(instruct_manifest(&made, folder));
    }
    Status st = *reused ? ST_OK : prove(folder, job, made);
    if (st == ST_OK)
        *manifest = made;
    else
        json_decref(made);
    return st;
}
