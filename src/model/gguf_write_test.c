#include "model/gguf_write.h"

#include "base/scratch_test.h"

static void what_is_written_is_read(void **state)
{
    (void)state;
    GgufWriter *w = gguf_writer_new();
    const Span words[] = {span("one"), span(""), {"a\0b", 3}};
    const int32_t numbers[] = {-1, 7};
    const float reals[] = {0.5f, -2};
    unsigned char matrix[2 * 34], vector[12];
    memset(matrix, 0xAB, sizeof matrix);
    memset(vector, 0xCD, sizeof vector);
    gguf_put_text(w, "general.architecture", span("llama"));
    gguf_put_once(w, "general.architecture", span("other"));
    gguf_put_u32(w, "u", 4000000000u);
    gguf_put_f32(w, "f", 500000);
    gguf_put_bool(w, "b", true);
    gguf_put_texts(w, "words", words, 3);
    gguf_put_ints(w, "numbers", numbers, 2);
    gguf_put_floats(w, "reals", reals, 2);
    assert_true(gguf_has(w, "reals"));
    assert_false(gguf_has(w, "real"));
    gguf_declare(w, "matrix", QUANT_Q8_0, 2, 32);
    gguf_declare(w, "vector", QUANT_F32, 0, 3);
    uint64_t bytes = gguf_file_bytes(w);
    assert_int_equal(gguf_begin(w, in_scratch("w.gguf")), ST_OK);
    assert_int_equal(gguf_write(w, matrix, 30), ST_OK); /* in pieces that end anywhere */
    assert_int_equal(gguf_write(w, matrix + 30, 38), ST_OK);
    assert_int_equal(gguf_write(w, vector, 12), ST_OK);
    assert_false(path_exists(in_scratch("w.gguf")));
    assert_int_equal(gguf_commit(w), ST_OK);
    gguf_writer_free(w);
    assert_int_equal(file_size(in_scratch("w.gguf")), bytes);

    Gguf *g;
    int64_t n;
    double d;
    bool b;
    Span s, *list;
    int32_t *ints;
    float *floats;
    assert_int_equal(gguf_open(&g, in_scratch("w.gguf")), ST_OK);
    assert_int_equal(gguf_text(g, "general.architecture", &s), ST_OK);
    assert_true(span_is(s, "llama"));
    assert_int_equal(gguf_int(g, "u", 0, &n), ST_OK);
    assert_int_equal(n, 4000000000);
    assert_int_equal(gguf_double(g, "f", 0, &d), ST_OK);
    assert_true(d == 500000);
    assert_int_equal(gguf_bool(g, "b", false, &b), ST_OK);
    assert_true(b);
    assert_int_equal(gguf_texts(g, "words", &list, &n), ST_OK);
    assert_int_equal(n, 3);
    assert_true(list[0].n == 3 && list[1].n == 0 && memcmp(list[2].at, "a\0b", 3) == 0);
    assert_int_equal(gguf_ints(g, "numbers", &ints, &n), ST_OK);
    assert_memory_equal(ints, numbers, sizeof numbers);
    assert_int_equal(gguf_floats(g, "reals", &floats, &n), ST_OK);
    assert_memory_equal(floats, reals, sizeof reals);
    assert_memory_equal(gguf_tensor_find(g, "matrix")->data, matrix, sizeof matrix);
    assert_memory_equal(gguf_tensor_find(g, "vector")->data, vector, sizeof vector);
    assert_int_equal(gguf_tensor_find(g, "vector")->ndim, 1);
    mem_free(list);
    mem_free(ints);
    mem_free(floats);

    /* every key by way of gguf_put_value: the same bytes */
    GgufWriter *copy = gguf_writer_new();
    for (int64_t i = 0; i < gguf_count(g); i++)
        gguf_put_value(copy, gguf_at(g, i));
    gguf_declare(copy, "matrix", QUANT_Q8_0, 2, 32);
    gguf_declare(copy, "vector", QUANT_F32, 0, 3);
    assert_int_equal(gguf_begin(copy, in_scratch("copy.gguf")), ST_OK);
    assert_int_equal(gguf_write(copy, matrix, sizeof matrix), ST_OK);
    assert_int_equal(gguf_write(copy, vector, sizeof vector), ST_OK);
    assert_int_equal(gguf_commit(copy), ST_OK);
    gguf_writer_free(copy);
    Str first = scratch_read("w.gguf"), second = scratch_read("copy.gguf");
    assert_int_equal(first.n, second.n);
    assert_memory_equal(first.at, second.at, first.n);
    str_drop(&first);
    str_drop(&second);
    gguf_close(g);
}

static void nothing_is_left_of_what_is_not_committed(void **state)
{
    (void)state;
    FolderList names;
    scratch_text("half/old.gguf", "old");
    GgufWriter *w = gguf_writer_new();
    gguf_declare(w, "a", QUANT_F32, 0, 2);
    assert_int_equal(gguf_begin(w, in_scratch("half/old.gguf")), ST_OK);
    assert_int_equal(gguf_write(w, "1234", 4), ST_OK);
    gguf_writer_free(w);
    Str old = scratch_read("half/old.gguf");
    assert_string_equal(old.at, "old");
    str_drop(&old);
    assert_int_equal(folder_list(&names, in_scratch("half")), ST_OK);
    assert_int_equal(names.n, 1);
    folder_list_drop(&names);
    w = gguf_writer_new();
    assert_int_equal(gguf_begin(w, in_scratch("no/such/folder.gguf")), ST_IO);
    gguf_writer_free(w);
    gguf_writer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(nothing_is_left_of_what_is_not_committed),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
