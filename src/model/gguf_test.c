/* Files are made here byte by byte, so that each can be wrong in one way; one comes from another writer
 * (gguf's Python package, tools/make_golden_quant.py). */
#include "model/gguf.h"

#include "base/scratch_test.h"

static void number(Str *s, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        str_addc(s, (char)(value >> (8 * i)));
}

static void text(Str *s, const char *t)
{
    number(s, strlen(t), 8);
    str_adds(s, t);
}

static void head(Str *s, uint32_t version, uint64_t tensors, uint64_t keys)
{
    str_adds(s, "GGUF");
    number(s, version, 4);
    number(s, tensors, 8);
    number(s, keys, 8);
}

static void key_u32(Str *s, const char *key, uint32_t value)
{
    text(s, key);
    number(s, GGUF_U32, 4);
    number(s, value, 4);
}

static void tensor(Str *s, const char *name, uint32_t ndim, uint64_t first, uint64_t second, uint32_t type,
                   uint64_t offset)
{
    text(s, name);
    number(s, ndim, 4);
    if (ndim > 0)
        number(s, first, 8);
    for (uint32_t i = 1; i < ndim && i < 6; i++)
        number(s, second, 8);
    number(s, type, 4);
    number(s, offset, 8);
}

/* Up to the alignment, then so many bytes that count up. */
static void data(Str *s, size_t n)
{
    while (s->n % GGUF_ALIGNMENT)
        str_addc(s, 0);
    for (size_t i = 0; i < n; i++)
        str_addc(s, (char)i);
}

/* Two tensors and keys of every kind. */
static Str good_file(void)
{
    Str s = {0};
    head(&s, 3, 2, 7);
    text(&s, "general.architecture");
    number(&s, GGUF_TEXT, 4);
    text(&s, "llama");
    key_u32(&s, "count", 7);
    text(&s, "small");
    number(&s, GGUF_F32, 4);
    float small = 1e-5f;
    str_add(&s, &small, 4);
    text(&s, "yes");
    number(&s, GGUF_BOOL, 4);
    number(&s, 1, 1);
    text(&s, "words");
    number(&s, GGUF_ARRAY, 4);
    number(&s, GGUF_TEXT, 4);
    number(&s, 2, 8);
    text(&s, "one");
    text(&s, "");
    text(&s, "numbers");
    number(&s, GGUF_ARRAY, 4);
    number(&s, GGUF_I16, 4);
    number(&s, 3, 8);
    number(&s, 1, 2);
    number(&s, 0xFFFF, 2);
    number(&s, 3, 2);
    text(&s, "huge");
    number(&s, GGUF_U64, 4);
    number(&s, UINT64_MAX, 8);
    tensor(&s, "a", 2, 4, 2, 0, 0);
    tensor(&s, "b", 1, 32, 0, 8, 32);
    data(&s, 32 + 34);
    return s;
}

static void a_file_is_read(void **state)
{
    (void)state;
    Gguf *g;
    Str s = good_file();
    scratch_write("good.gguf", s.at, s.n);
    str_drop(&s);
    assert_int_equal(gguf_open(&g, in_scratch("good.gguf")), ST_OK);
    assert_int_equal(gguf_count(g), 7);
    assert_true(span_is(gguf_at(g, 1)->key, "count"));
    assert_int_equal(gguf_tensor_count(g), 2);
    const GgufTensor *a = gguf_tensor_find(g, "a"), *b = gguf_tensor_find(g, "b");
    assert_int_equal(a->shape[0], 4);
    assert_int_equal(a->shape[1], 2);
    assert_int_equal(a->shape[2], 1);
    assert_int_equal(a->bytes, 32);
    assert_int_equal(b->type, QUANT_Q8_0);
    assert_int_equal(b->bytes, 34);
    assert_int_equal(a->data[5], 5);
    assert_int_equal(b->data[0], 32);
    assert_int_equal((uintptr_t)b->data % GGUF_ALIGNMENT, 0);
    assert_null(gguf_tensor_find(g, "c"));
    gguf_close(g);
}

/* Under every name of ours there is a number, and it leads back. */
static void types_have_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(gguf_type_id(QUANT_F32), 0);
    assert_int_equal(gguf_type_id(QUANT_BF16), 30);
    assert_int_equal(gguf_type_id(QUANT_Q4_K), 12);
    assert_int_equal(gguf_type_id(QUANT_Q5_1), 7);
    for (int t = 0; t < QUANT_TYPES; t++) { /* a size that differs would shift the second tensor's data */
        Gguf *g;
        Str s = {0};
        size_t bytes = quant_block_bytes((QuantType)t);
        head(&s, 2, 1, 0);
        tensor(&s, "a", 1, (uint64_t)quant_block((QuantType)t), 0, gguf_type_id((QuantType)t), 0);
        data(&s, bytes);
        scratch_write("t.gguf", s.at, s.n);
        assert_int_equal(gguf_open(&g, in_scratch("t.gguf")), ST_OK);
        assert_true(gguf_tensor_at(g, 0)->known);
        assert_int_equal(gguf_tensor_at(g, 0)->type, t);
        assert_int_equal(gguf_tensor_at(g, 0)->bytes, bytes);
        gguf_close(g);
        str_drop(&s);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    Str s = good_file();
    for (size_t n = 0; n < s.n; n++) {
        Gguf *g = NULL;
        scratch_write("cut.gguf", s.at, n);
        Status st = gguf_open(&g, in_scratch("cut.gguf"));
        if (st != ST_FORMAT || g)
            fail_msg("the first %zu bytes of %zu give %s", n, s.n, status_name(st));
        expect_words("cut.gguf");
    }
    str_drop(&s);
}

static void expect_refused(Str *s, Status status, const char *words)
{
    Gguf *g = NULL;
    scratch_write("bad.gguf", s->at, s->n);
    assert_int_equal(gguf_open(&g, in_scratch("bad.gguf")), status);
    assert_null(g);
    expect_words(words);
    expect_words("bad.gguf");
    str_clear(s);
}

static void other_formats_are_named(void **state)
{
    (void)state;
    Str s = {0};
    str_adds(&s, "PK\3\4 and more of it, and more, and more");
    expect_refused(&s, ST_FORMAT, "no GGUF file");
    str_adds(&s, "tjgg and more of it, and more, and more");
    expect_refused(&s, ST_UNSUPPORTED, "before GGUF");
    head(&s, 1, 0, 0);
    expect_refused(&s, ST_UNSUPPORTED, "version 1");
    head(&s, 4, 0, 0);
    expect_refused(&s, ST_UNSUPPORTED, "version 4");
    head(&s, 0x03000000, 0, 0);
    expect_refused(&s, ST_UNSUPPORTED, "big-endian");
    str_drop(&s);
}

static void hostile_keys_are_refused(void **state)
{
    (void)state;
    Str s = {0};
    head(&s, 3, 0, UINT64_MAX);
    expect_refused(&s, ST_FORMAT, "no room");
    head(&s, 3, UINT64_MAX, 0);
    expect_refused(&s, ST_FORMAT, "no room");
    head(&s, 3, 0, 1);
    number(&s, UINT64_MAX, 8); /* the length of its name */
    data(&s, 64);
    expect_refused(&s, ST_FORMAT, "ends too soon");
    head(&s, 3, 0, 1);
    text(&s, "");
    data(&s, 64);
    expect_refused(&s, ST_FORMAT, "no name");
    head(&s, 3, 0, 1);
    key_u32(&s, "a\033[2J", 1);
    expect_refused(&s, ST_FORMAT, "no name");
    head(&s, 3, 0, 2);
    key_u32(&s, "twin", 1);
    key_u32(&s, "twin", 2);
    expect_refused(&s, ST_FORMAT, "key twin comes twice");
    head(&s, 3, 0, 1);
    text(&s, "a");
    number(&s, 13, 4);
    number(&s, 0, 8);
    expect_refused(&s, ST_FORMAT, "key a: its value has the unknown type 13");
    head(&s, 3, 0, 1);
    text(&s, "a");
    number(&s, GGUF_ARRAY, 4);
    number(&s, GGUF_ARRAY, 4);
    number(&s, 1, 8);
    expect_refused(&s, ST_UNSUPPORTED, "array of arrays");
    head(&s, 3, 0, 1);
    text(&s, "a");
    number(&s, GGUF_ARRAY, 4);
    number(&s, GGUF_F64, 4);
    number(&s, UINT64_MAX / 8 + 1, 8); /* times eight: zero */
    expect_refused(&s, ST_FORMAT, "ends too soon");
    head(&s, 3, 0, 1);
    text(&s, "a");
    number(&s, GGUF_ARRAY, 4);
    number(&s, GGUF_TEXT, 4);
    number(&s, 1ull << 40, 8);
    data(&s, 100);
    expect_refused(&s, ST_FORMAT, "ends too soon");
    static const uint32_t alignments[] = {0, 3, 1u << 30};
    for (int i = 0; i < 3; i++) {
        head(&s, 3, 1, 1);
        key_u32(&s, "general.alignment", alignments[i]);
        tensor(&s, "a", 1, 1, 0, 0, 0);
        data(&s, 32);
        expect_refused(&s, ST_FORMAT, "power of two");
    }
    str_drop(&s);
}

/* One tensor that is wrong, behind one that is right. */
static void expect_tensor_refused(uint32_t ndim, uint64_t first, uint64_t second, uint32_t type,
                                  uint64_t offset, Status status, const char *words)
{
    Str s = {0};
    head(&s, 3, 2, 0);
    tensor(&s, "right", 1, 8, 0, 0, 0);
    tensor(&s, "wrong", ndim, first, second, type, offset);
    data(&s, 96);
    expect_refused(&s, status, words);
    str_drop(&s);
}

static void hostile_tensors_are_refused(void **state)
{
    (void)state;
    expect_tensor_refused(0, 0, 0, 0, 32, ST_FORMAT, "tensor wrong: it has 0 dimensions");
    expect_tensor_refused(5, 1, 1, 0, 32, ST_FORMAT, "5 dimensions");
    expect_tensor_refused(2, 0, 1, 0, 32, ST_FORMAT, "dimension 0 is 0");
    expect_tensor_refused(2, 1ull << 32, 1ull << 32, 0, 32, ST_FORMAT, "no possible size");
    expect_tensor_refused(1, UINT64_MAX, 0, 0, 32, ST_FORMAT, "no possible size");
    expect_tensor_refused(1, INT64_MAX, 0, 0, 32, ST_FORMAT, "overflows");
    expect_tensor_refused(1, 1ull << 62, 0, 0, 32, ST_FORMAT, "overflows");
    expect_tensor_refused(1, 1ull << 60, 0, 0, 32, ST_FORMAT, "cut short");
    expect_tensor_refused(1, 48, 0, 8, 32, ST_FORMAT, "not whole blocks of Q8_0");
    expect_tensor_refused(1, 8, 0, 4, 32, ST_UNSUPPORTED, "type has the number 4");
    expect_tensor_refused(1, 8, 0, 99, 32, ST_UNSUPPORTED, "number 99");
    expect_tensor_refused(1, 8, 0, 0, 33, ST_FORMAT, "no multiple of the alignment 32");
    expect_tensor_refused(1, 8, 0, 0, 96, ST_FORMAT, "cut short");
    expect_tensor_refused(1, 8, 0, 0, UINT64_MAX - 31, ST_FORMAT, "cut short");
    expect_tensor_refused(1, 8, 0, 0, 0, ST_FORMAT, "overlap");
    Str s = {0};
    head(&s, 3, 2, 0);
    tensor(&s, "twin", 1, 8, 0, 0, 0);
    tensor(&s, "twin", 1, 8, 0, 0, 32);
    data(&s, 96);
    expect_refused(&s, ST_FORMAT, "tensor twin comes twice");
    str_drop(&s);
}

/* Q2_K is known by name and size, and is none of ours: who wants the tensor says so. */
static void other_types_are_listed(void **state)
{
    (void)state;
    Gguf *g;
    Str s = {0};
    head(&s, 3, 1, 0);
    tensor(&s, "a", 2, 256, 2, 10, 0);
    data(&s, 168);
    scratch_write("q2.gguf", s.at, s.n);
    str_drop(&s);
    assert_int_equal(gguf_open(&g, in_scratch("q2.gguf")), ST_OK);
    assert_false(gguf_tensor_at(g, 0)->known);
    assert_string_equal(gguf_tensor_at(g, 0)->type_name, "Q2_K");
    assert_int_equal(gguf_tensor_at(g, 0)->bytes, 168);
    gguf_close(g);
}

static void write_piece(const char *name, uint32_t number_of, uint32_t count, const char *tensor_name)
{
    Str s = {0};
    head(&s, 3, 1, 3);
    key_u32(&s, "split.no", number_of);
    key_u32(&s, "split.count", count);
    key_u32(&s, "split.tensors.count", count);
    tensor(&s, tensor_name, 1, 8, 0, 0, 0);
    data(&s, 32);
    s.at[s.n - 32] = (char)number_of;
    scratch_write(name, s.at, s.n);
    str_drop(&s);
}

static void a_model_in_pieces_is_one(void **state)
{
    (void)state;
    Gguf *g = NULL;
    write_piece("m-00001-of-00003.gguf", 0, 3, "a");
    write_piece("m-00002-of-00003.gguf", 1, 3, "b");
    assert_int_equal(gguf_open(&g, in_scratch("m-00001-of-00003.gguf")), ST_IO);
    expect_words("m-00003-of-00003.gguf");
    write_piece("m-00003-of-00003.gguf", 2, 3, "c");
    assert_int_equal(gguf_open(&g, in_scratch("m-00001-of-00003.gguf")), ST_OK);
    assert_int_equal(gguf_tensor_count(g), 3);
    assert_int_equal(gguf_tensor_find(g, "c")->data[0], 2);
    gguf_close(g);
    g = NULL;
    assert_int_equal(gguf_open(&g, in_scratch("m-00002-of-00003.gguf")), ST_ARG);
    expect_words("piece 2 of 3");
    write_piece("m-00003-of-00003.gguf", 2, 3, "a");
    assert_int_equal(gguf_open(&g, in_scratch("m-00001-of-00003.gguf")), ST_FORMAT);
    expect_words("comes twice");
    write_piece("other.gguf", 0, 3, "a");
    assert_int_equal(gguf_open(&g, in_scratch("other.gguf")), ST_FORMAT);
    expect_words("-00001-of-00003.gguf");
    assert_null(g);
}

static void another_writers_file_is_read(void **state)
{
    (void)state;
    Gguf *g;
    int64_t n;
    assert_int_equal(gguf_open(&g, "tests/golden/quant/llama3.gguf"), ST_OK);
    assert_int_equal(gguf_int(g, "llama.embedding_length", 0, &n), ST_OK);
    assert_int_equal(n, 32);
    const GgufTensor *t = gguf_tensor_find(g, "blk.0.ffn_down.weight");
    assert_int_equal(t->shape[0], 40);
    assert_int_equal(t->shape[1], 32);
    gguf_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(types_have_their_numbers),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(other_formats_are_named),
        cmocka_unit_test(hostile_keys_are_refused),
        cmocka_unit_test(hostile_tensors_are_refused),
        cmocka_unit_test(other_types_are_listed),
        cmocka_unit_test(a_model_in_pieces_is_one),
        cmocka_unit_test(another_writers_file_is_read),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
