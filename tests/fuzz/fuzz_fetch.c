/* Any bytes as what a server replies to a download: heads, ranges, bodies that are cut.  There is a file, or
 * a sentence and at most a part of one. */
#include "fuzz_folder.h"
#include "fuzz_server.h"

#include "base/log.h"
#include "eval/fetch.h"

static int64_t size_and_remove(const char *name)
{
    char *path = path_join(fuzz_folder, name);
    int64_t size = path_exists(path) ? file_size(path) : -1;
    unlink(path);
    mem_free(path);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static HttpClient *http;
    if (!http) {
        log_level_set(LOG_ERROR);
        check(http_open(&http) == ST_OK);
        mem_free(fuzz_file("there", "", 0));
    }
    if (!fuzz_server_says(bytes, n))
        return 0;
    DataFile file = {.path = "f.bin", .url = fuzz_server.url};
    FetchSpec spec = fetch_spec(fuzz_folder);
    spec.tries = 3;
    spec.wait_s = spec.longest_s = 0;
    spec.idle_s = 2;
    FetchEnd end = FETCH_HERE;
    Status st = fetch_file(&end, http, &spec, &file);
    fuzz_server_says(NULL, 0);
    check(st == ST_OK || *error_text());
    check(st != ST_OK || end == FETCH_GOT);
    int64_t whole = size_and_remove("f.bin"), part = size_and_remove("f.bin.part");
    size_and_remove("f.bin.part.json");
    check((st == ST_OK) == (whole >= 0) && whole <= (int64_t)n && part <= (int64_t)n);
    check(st != ST_OK || part < 0);
    return 0;
}
