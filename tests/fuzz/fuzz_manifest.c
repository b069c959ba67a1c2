/* Any bytes as the manifest.json of a corpus and of rows, behind the first NUL those of their shard: what is
 * read is shown by every ledger, and a set of shards that opens holds what its manifest promises. */
#include <string.h>

#include "corpus/corpus_build.h"
#include "corpus/instruct_ledger.h"
#include "corpus/instruct_set.h"
#include "corpus/ledger.h"
#include "corpus/pack.h"
#include "corpus/shard.h"
#include "fuzz_folder.h"

static void show(void (*ledger)(Str *out, const json_t *manifest), Status read, json_t *manifest)
{
    Str out = {0};
    if (read == ST_OK) {
        ledger(&out, manifest);
        check(out.n > 0 && !memchr(out.at, 0, out.n));
    } else {
        check(*error_text());
    }
    str_drop(&out);
    json_decref(manifest);
}

static void show_corpus(const char *folder)
{
    json_t *manifest = NULL;
    Status st = corpus_manifest(&manifest, folder);
    char *file = NULL;
    if (st == ST_OK && corpus_file(&file, manifest, folder, "train", "a") == ST_OK)
        check(strncmp(file, folder, strlen(folder)) == 0); /* it names nothing outside */
    mem_free(file);
    show(ledger_corpus_text, st, manifest);
}

static void open_shards(const char *folder, const char *split)
{
    ShardSet *set;
    if (shards_open(&set, folder, split) != ST_OK) {
        check(*error_text());
        return;
    }
    double learned = shards_learned(set);
    check(shards_rows(set) >= 0 && shards_row_tokens(set) >= 2 && learned >= 0 && learned <= 1);
    shards_close(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Span rest = {(const char *)bytes, n}, text = fuzz_part(&rest);
    mem_free(fuzz_file("set/train-00000.tok", rest.at, rest.n));
    char *path = fuzz_file("set/manifest.json", text.at, text.n), *folder = path_join(fuzz_folder, "set");
    show_corpus(folder);
    json_t *manifest = NULL;
    Status st = pack_manifest(&manifest, folder);
    show(ledger_pack_text, st, manifest);
    manifest = NULL;
    st = instruct_manifest(&manifest, folder);
    show(instruct_ledger_text, st, manifest);
    open_shards(folder, "train");
    open_shards(folder, "held_out");
    mem_free(folder);
    mem_free(path);
    return 0;
}
