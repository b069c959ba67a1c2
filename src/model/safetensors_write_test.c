#include <sys/resource.h>
#include <signal.h>

#include "base/mem.h"
#include "model/safetensors.h"
#include "base/scratch_test.h"

static SafetensorsItem item(const char *name, DType dtype, int64_t rows, int64_t cols, DType source_dtype,
                            const void *source)
{
    return (SafetensorsItem){.name = name,
                             .dtype = dtype,
                             .ndim = 2,
                             .shape = {rows, cols},
                             .source_dtype = source_dtype,
                             .source = source};
}

static Safetensors *open_file(const char *name)
{
    Safetensors *s;
    if (safetensors_open(&s, in_scratch(name)) != ST_OK)
        fail_msg("%s", error_text());
    return s;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    float w[] = {1, -2, 0.5f, 3, 1e-30f, -0.0f};
    uint32_t nan = 0x7FC00123u; /* a payload that a conversion would lose */
    memcpy(&w[5], &nan, 4);
    int32_t ids[] = {7, -1};
    SafetensorsItem items[] = {
        item("half", DTYPE_BF16, 2, 2, DTYPE_F32, w), /* first here, behind the wider ones in the file */
        item("w \"quoted\" \xC3\xA9", DTYPE_F32, 2, 3, DTYPE_F32, w),
        {.name = "ids",
         .dtype = DTYPE_I32,
         .ndim = 1,
         .shape = {2},
         .source_dtype = DTYPE_I32,
         .source = ids},
        {.name = "scalar", .dtype = DTYPE_F64, .ndim = 0, .source_dtype = DTYPE_F32, .source = w},
        item("empty", DTYPE_F16, 0, 4, DTYPE_F32, NULL),
    };
    const char *const metadata[] = {"format", "pt", "note", "x", NULL};
    assert_int_equal(safetensors_write(in_scratch("w.safetensors"), items, 5, metadata), ST_OK);
    Safetensors *s = open_file("w.safetensors");
    assert_int_equal(safetensors_count(s), 5);
    assert_memory_equal(safetensors_find(s, "w \"quoted\" \xC3\xA9")->data, w, sizeof w);
    assert_memory_equal(safetensors_find(s, "ids")->data, ids, sizeof ids);
    assert_int_equal(safetensors_find(s, "scalar")->ndim, 0);
    uint16_t half[4];
    memcpy(half, safetensors_find(s, "half")->data, sizeof half);
    assert_int_equal(half[1], 0xC000);
    assert_string_equal(safetensors_metadata(s, "note"), "x");
    for (int64_t i = 0; i < 5; i++) { /* aligned for whoever maps it */
        const SafetensorsEntry *e = safetensors_at(s, i);
        assert_int_equal(
            (uintptr_t)e->data % (e->count && e->dtype != DTYPE_COUNT ? dtype_size(e->dtype) : 1), 0);
    }
    safetensors_close(s);
}

static void large_tensors_are_converted_in_pieces(void **state)
{
    (void)state;
    enum { N = (1 << 18) * 2 + 77 };
    float *w = mem_array(float, N);
    for (int i = 0; i < N; i++)
        w[i] = (float)(i % 251) - 125;
    SafetensorsItem items[] = {item("w", DTYPE_F16, 1, N, DTYPE_F32, w)};
    assert_int_equal(safetensors_write(in_scratch("big.safetensors"), items, 1, NULL), ST_OK);
    Safetensors *s = open_file("big.safetensors");
    assert_string_equal(safetensors_metadata(s, "format"), "pt");
    const SafetensorsEntry *e = safetensors_find(s, "w");
    for (int i = 0; i < N; i++)
        assert_true(dtype_load(e->data, DTYPE_F16, i) == (double)w[i]);
    safetensors_close(s);
    mem_free(w);
}

static void what_a_type_cannot_hold_is_refused_and_the_old_file_stays(void **state)
{
    (void)state;
    float good = 1, large = 1e6f;
    SafetensorsItem items[] = {item("w", DTYPE_F16, 1, 1, DTYPE_F32, &good)};
    assert_int_equal(safetensors_write(in_scratch("keep.safetensors"), items, 1, NULL), ST_OK);
    items[0].source = &large;
    assert_int_equal(safetensors_write(in_scratch("keep.safetensors"), items, 1, NULL), ST_LIMIT);
    expect_words("tensor w are too large for f16");
    Safetensors *s = open_file("keep.safetensors");
    assert_true(dtype_load(safetensors_find(s, "w")->data, DTYPE_F16, 0) == 1.0);
    safetensors_close(s);
}

/* A limit on file size fails a write as a full disk does. */
static void a_full_disk_is_named_and_the_old_file_stays(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    float *w = mem_array(float, N);
    SafetensorsItem items[] = {item("w", DTYPE_F32, 1, N, DTYPE_F32, w)};
    assert_int_equal(safetensors_write(in_scratch("disk.safetensors"), items, 1, NULL), ST_OK);
    struct rlimit old, small = {.rlim_cur = N};
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    w[0] = 5;
    Status st = safetensors_write(in_scratch("disk.safetensors"), items, 1, NULL);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(st, ST_IO);
    expect_words("disk.safetensors");
    Safetensors *s = open_file("disk.safetensors");
    assert_true(dtype_load(safetensors_find(s, "w")->data, DTYPE_F32, 0) == 0.0);
    safetensors_close(s);
    mem_free(w);
}

static void check_folder(const SafetensorsItem *items, int64_t n)
{
    Safetensors *s;
    if (safetensors_open_folder(&s, scratch) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(safetensors_count(s), n);
    for (int64_t i = 0; i < n; i++)
        assert_memory_equal(safetensors_find(s, items[i].name)->data, items[i].source, 40);
    safetensors_close(s);
}

static void folders_are_sharded_where_asked(void **state)
{
    (void)state;
    float w[5][10];
    char names[5][16];
    SafetensorsItem items[5];
    for (int i = 0; i < 5; i++) {
        snprintf(names[i], sizeof names[i], "t%d", i);
        for (int k = 0; k < 10; k++)
            w[i][k] = (float)(10 * i + k);
        items[i] = item(names[i], DTYPE_F32, 2, 5, DTYPE_F32, w[i]);
    }
    assert_int_equal(safetensors_write_folder(scratch, items, 5, 0), ST_OK);
    assert_true(path_exists(in_scratch("model.safetensors")));
    check_folder(items, 5);
    assert_int_equal(safetensors_write_folder(scratch, items, 5, 100),
                     ST_OK); /* two tensors of 40 bytes each */
    assert_true(path_exists(in_scratch("model-00003-of-00003.safetensors")));
    assert_false(path_exists(in_scratch("model.safetensors")));
    check_folder(items, 5);
    assert_int_equal(safetensors_write_folder(scratch, items, 5, 1), ST_OK); /* each has one of its own */
    assert_true(path_exists(in_scratch("model-00005-of-00005.safetensors")));
    check_folder(items, 5);
    w[4][0] = -1; /* and back: what is read is what was written last */
    assert_int_equal(safetensors_write_folder(scratch, items, 5, 0), ST_OK);
    assert_false(path_exists(in_scratch("model.safetensors.index.json")));
    check_folder(items, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(large_tensors_are_converted_in_pieces),
        cmocka_unit_test(what_a_type_cannot_hold_is_refused_and_the_old_file_stays),
        cmocka_unit_test(a_full_disk_is_named_and_the_old_file_stays),
        cmocka_unit_test(folders_are_sharded_where_asked),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
