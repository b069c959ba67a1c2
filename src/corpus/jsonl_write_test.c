#include "corpus/jsonl_write.h"

#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/rng.h"
#include "corpus/scratch_test.h"

static void escapes_are_what_a_parser_undoes(void **state)
{
    (void)state;
    char text[140];
    size_t n = 0;
    for (char c = 1; c > 0 && n < 127; c++)
        text[n++] = c;
    memcpy(text + n, "\xC3\xA9\xF0\x9F\x98\x80", 6);
    Str out = {0};
    jsonl_escape(&out, (Span){text, n + 6});
    json_t *value = json_loadb(out.at, out.n, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    assert_int_equal(json_string_length(value), n + 6);
    assert_memory_equal(json_string_value(value), text, n + 6);
    json_decref(value);
    str_clear(&out);
    jsonl_escape(&out, (Span){"", 0});
    assert_string_equal(str_c(&out), "\"\"");
    str_drop(&out);
}

static void lines_come_back_from_another_program(void **state)
{
    (void)state;
    JsonlWriter *w;
    char *path = scratch_path("a.zst");
    assert_int_equal(jsonl_create(&w, path), ST_OK);
    for (int i = 0; i < 10000; i++) {
        char line[32];
        snprintf(line, sizeof line, "line %d\n", i);
        assert_int_equal(jsonl_add(w, span(line)), ST_OK);
    }
    assert_int_equal(jsonl_finish(w), ST_OK);
    scratch_run("zstd -qt a.zst && test $(zstd -dc a.zst | wc -l) = 10000 && test \"$(zstd -dc a.zst | tail "
                "-n 1)\" = 'line 9999'");
    assert_int_equal(jsonl_create(&w, path), ST_OK);
    assert_int_equal(jsonl_finish(w), ST_OK); /* nothing written: an empty frame, not an empty file */
    scratch_run("zstd -qt a.zst && test $(zstd -dc a.zst | wc -c) = 0");
    mem_free(path);
}

static void an_abandoned_file_never_appears(void **state)
{
    (void)state;
    JsonlWriter *w;
    char *path = scratch_path("b.zst");
    assert_int_equal(jsonl_create(&w, path), ST_OK);
    assert_int_equal(jsonl_add(w, span("x\n")), ST_OK);
    jsonl_abandon(w);
    scratch_run("test \"$(ls)\" = a.zst");
    jsonl_abandon(NULL);
    mem_free(path);
    assert_int_equal(jsonl_create(&w, "/tmp/lemur-no-such-folder/x.zst"), ST_IO);
}

/* A limit on the size of files stands in for a disk that is full. */
static void a_full_disk_is_said(void **state)
{
    (void)state;
    JsonlWriter *w;
    Rng rng;
    struct rlimit old, small;
    char *path = scratch_path("full.zst"), noise[4096];
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){100000, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    rng_seed(&rng, 1);
    Status st = jsonl_create(&w, path);
    for (int i = 0; st == ST_OK && i < 1000; i++) {
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (char)rng_next(&rng);
        st = jsonl_add(w, (Span){noise, sizeof noise});
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(st, ST_IO);
    assert_non_null(strstr(error_text(), "full.zst"));
    jsonl_abandon(w);
    scratch_run("test ! -e full.zst && test -z \"$(ls | grep tmp)\"");
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_what_a_parser_undoes),
        cmocka_unit_test(lines_come_back_from_another_program),
        cmocka_unit_test(an_abandoned_file_never_appears),
        cmocka_unit_test(a_full_disk_is_said),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
