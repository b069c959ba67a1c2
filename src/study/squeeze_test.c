/* The sizes are those of the programs themselves, as pieces or whole. */
#include "study/squeeze.h"

#include "base/scratch_test.h"

static int64_t size_of(SqueezeKind kind, const Str *text, size_t piece)
{
    Squeeze *s;
    int64_t size = -1;
    assert_int_equal(squeeze_open(&s, kind), ST_OK);
    for (size_t at = 0; at < text->n; at += piece) {
        size_t n = text->n - at < piece ? text->n - at : piece;
        assert_int_equal(squeeze_add(s, (Span){text->at + at, n}), ST_OK);
    }
    assert_int_equal(squeeze_close(&size, s), ST_OK);
    return size;
}

static void sizes_are_those_of_the_programs(void **state)
{
    (void)state;
    Str text = {0};
    for (int i = 0; i < 20000; i++)
        str_addf(&text, "line %d of %d\n", i, i * i % 977);
    scratch_write("x", text.at, text.n);
    scratch_run("xz -9 -T1 -c x | wc -c > x.n");
    Str xz = scratch_read("x.n");
    int64_t programs = atoll(str_c(&xz));
    assert_int_equal(size_of(SQUEEZE_XZ, &text, text.n), programs);
    assert_int_equal(size_of(SQUEEZE_XZ, &text, 4097), programs);
    int64_t zstd = size_of(SQUEEZE_ZSTD, &text, 4097);
    assert_in_range(zstd, text.n / 100, text.n / 3);
    str_clear(&text);
    assert_in_range(size_of(SQUEEZE_XZ, &text, 1), 1, 64); /* of nothing: a frame */
    str_drop(&text);
    str_drop(&xz);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes_are_those_of_the_programs)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
