#include "base/scratch_test.h"
#include "model/gguf_write.h"

static Gguf *open_with(GgufWriter *w)
{
    Gguf *g;
    assert_int_equal(gguf_begin(w, in_scratch("v.gguf")), ST_OK);
    assert_int_equal(gguf_commit(w), ST_OK);
    gguf_writer_free(w);
    assert_int_equal(gguf_open(&g, in_scratch("v.gguf")), ST_OK);
    return g;
}

static void absent_keys_have_their_standard(void **state)
{
    (void)state;
    int64_t n;
    double d;
    bool b;
    Span s, *texts;
    int32_t *ints;
    float *floats;
    Gguf *g = open_with(gguf_writer_new());
    assert_int_equal(gguf_int(g, "x", 5, &n), ST_OK);
    assert_int_equal(n, 5);
    assert_int_equal(gguf_double(g, "x", 0.25, &d), ST_OK);
    assert_true(d == 0.25);
    assert_int_equal(gguf_bool(g, "x", true, &b), ST_OK);
    assert_true(b);
    assert_int_equal(gguf_text(g, "x", &s), ST_OK);
    assert_null(s.at);
    assert_int_equal(gguf_texts(g, "x", &texts, &n), ST_OK);
    assert_true(!texts && n == 0);
    assert_int_equal(gguf_ints(g, "x", &ints, &n), ST_OK);
    assert_null(ints);
    assert_int_equal(gguf_floats(g, "x", &floats, &n), ST_OK);
    assert_null(floats);
    gguf_close(g);
}

static void other_kinds_are_refused(void **state)
{
    (void)state;
    int64_t n;
    double d;
    bool b;
    Span s, *texts;
    int32_t *ints;
    float *floats;
    const float one = 1;
    const unsigned char huge[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    GgufWriter *w = gguf_writer_new();
    gguf_put_text(w, "text", span("7"));
    gguf_put_f32(w, "real", 7.5f);
    gguf_put_u32(w, "whole", 1);
    gguf_put_floats(w, "reals", &one, 1);
    gguf_put_value(w, &(GgufValue){.key = span("huge"), .type = GGUF_U64, .n = 1, .at = huge, .bytes = 8});
    gguf_put_value(
        w,
        &(GgufValue){.key = span("huges"), .type = GGUF_U64, .array = true, .n = 1, .at = huge, .bytes = 8});
    Gguf *g = open_with(w);
    assert_int_equal(gguf_int(g, "text", 0, &n), ST_FORMAT);
    expect_words("key text is text and must be a whole number");
    assert_int_equal(gguf_int(g, "real", 0, &n), ST_FORMAT);
    assert_int_equal(gguf_int(g, "huge", 0, &n), ST_FORMAT);
    assert_int_equal(gguf_int(g, "reals", 0, &n), ST_FORMAT);
    expect_words("an array of f32");
    assert_int_equal(gguf_double(g, "text", 0, &d), ST_FORMAT);
    assert_int_equal(gguf_bool(g, "whole", false, &b), ST_FORMAT);
    assert_int_equal(gguf_text(g, "whole", &s), ST_FORMAT);
    assert_int_equal(gguf_texts(g, "reals", &texts, &n), ST_FORMAT);
    assert_int_equal(gguf_texts(g, "whole", &texts, &n), ST_FORMAT);
    assert_int_equal(gguf_ints(g, "reals", &ints, &n), ST_FORMAT);
    assert_int_equal(gguf_ints(g, "huges", &ints, &n), ST_FORMAT);
    assert_null(ints);
    assert_int_equal(gguf_floats(g, "text", &floats, &n), ST_FORMAT);
    gguf_close(g);
}

static void numbers_of_all_widths(void **state)
{
    (void)state;
    static const struct {
        GgufType type;
        unsigned char bytes[8];
        size_t n;
        int64_t value;
    } all[] = {
        {GGUF_U8, {200}, 1, 200},
        {GGUF_I8, {200}, 1, -56},
        {GGUF_U16, {1, 255}, 2, 0xFF01},
        {GGUF_I16, {1, 255}, 2, -255},
        {GGUF_I32, {254, 255, 255, 255}, 4, -2},
        {GGUF_U64, {1, 0, 0, 0, 1}, 8, (1ll << 32) + 1},
        {GGUF_I64, {255, 255, 255, 255, 255, 255, 255, 255}, 8, -1},
    };
    char key[16];
    GgufWriter *w = gguf_writer_new();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        snprintf(key, sizeof key, "k%zu", i);
        gguf_put_value(w, &(GgufValue){.key = span(key), .type = all[i].type, .n = 1, .at = all[i].bytes,
                                       .bytes = all[i].n});
    }
    const double half = 0.5;
    gguf_put_value(
        w, &(GgufValue){
               .key = span("d"), .type = GGUF_F64, .n = 1, .at = (const unsigned char *)&half, .bytes = 8});
    Gguf *g = open_with(w);
    double d;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int64_t n;
        snprintf(key, sizeof key, "k%zu", i);
        assert_int_equal(gguf_int(g, key, 0, &n), ST_OK);
        assert_int_equal(n, all[i].value);
        assert_int_equal(gguf_double(g, key, 0, &d), ST_OK);
        assert_true(d == (double)all[i].value);
    }
    assert_int_equal(gguf_double(g, "d", 0, &d), ST_OK);
    assert_true(d == 0.5);
    gguf_close(g);
}

/* As people wrote them before they became f32. */
static void floats_are_read_as_written(void **state)
{
    (void)state;
    static const double written[] = {1e-5, 1e-6, 0.1, 500000, 1000000, 3.14159, 0};
    char key[16];
    GgufWriter *w = gguf_writer_new();
    for (int i = 0; i < 7; i++) {
        snprintf(key, sizeof key, "k%d", i);
        gguf_put_f32(w, key, (float)written[i]);
    }
    Gguf *g = open_with(w);
    for (int i = 0; i < 7; i++) {
        double d;
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(gguf_double(g, key, -1, &d), ST_OK);
        assert_true(d == written[i]);
    }
    gguf_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_keys_have_their_standard),
        cmocka_unit_test(other_kinds_are_refused),
        cmocka_unit_test(numbers_of_all_widths),
        cmocka_unit_test(floats_are_read_as_written),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
