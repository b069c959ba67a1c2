/* Reading.  Files are made here byte by byte, so that each can be wrong in one way; one comes from another
 * writer (tools/make_golden.py, in Python). */
#include "model/safetensors.h"

#include "base/str.h"
#include "base/scratch_test.h"

/* A file of this header and `data_bytes` of data that count up. */
static void write_file(const char *name, const char *header, size_t data_bytes)
{
    Str file = {0};
    uint64_t n = strlen(header);
    for (int i = 0; i < 8; i++)
        str_addc(&file, (char)(n >> (8 * i)));
    str_adds(&file, header);
    for (size_t i = 0; i < data_bytes; i++)
        str_addc(&file, (char)i);
    scratch_write(name, file.at, file.n);
    str_drop(&file);
}

static const char good[] = "{\"__metadata__\":{\"format\":\"pt\",\"k\":\"v\"},"
                           "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[24,30]},"
                           "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                           "\"scalar\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[30,38]},"
                           "\"empty\":{\"dtype\":\"F16\",\"shape\":[0,5],\"data_offsets\":[38,38]}}   ";

static void a_file_is_read(void **state)
{
    (void)state;
    Safetensors *s;
    write_file("x.safetensors", good, 38);
    assert_int_equal(safetensors_open(&s, in_scratch("x.safetensors")), ST_OK);
    assert_int_equal(safetensors_count(s), 4);
    const SafetensorsEntry *a = safetensors_find(s, "a"), *b = safetensors_find(s, "b");
    assert_int_equal(a->dtype, DTYPE_F32);
    assert_int_equal(a->ndim, 2);
    assert_int_equal(a->shape[1], 3);
    assert_int_equal(a->count, 6);
    assert_int_equal(((const unsigned char *)a->data)[5], 5);
    assert_int_equal(((const unsigned char *)b->data)[0], 24);
    const SafetensorsEntry *scalar = safetensors_find(s, "scalar");
    assert_int_equal(scalar->dtype, DTYPE_COUNT);
    assert_string_equal(scalar->dtype_text, "I64");
    assert_int_equal(scalar->count, 1);
    assert_int_equal(safetensors_find(s, "empty")->count, 0);
    assert_null(safetensors_find(s, "c"));
    assert_string_equal(safetensors_metadata(s, "k"), "v");
    assert_null(safetensors_metadata(s, "absent"));
    safetensors_close(s);
}

static void another_writers_file_is_read(void **state)
{
    (void)state;
    Safetensors *s;
    assert_int_equal(safetensors_open(&s, "tests/golden/llama/isolated/expected.safetensors"), ST_OK);
    const SafetensorsEntry *e = safetensors_find(s, "starts");
    assert_int_equal(e->dtype, DTYPE_I32);
    assert_int_equal(e->count, 24);
    int32_t starts[24];
    memcpy(starts, e->data, sizeof starts);
    assert_int_equal(starts[4], 0);
    assert_int_equal(starts[5], 5);
    assert_string_equal(safetensors_metadata(s, "clip"), "1.0");
    safetensors_close(s);
}

static void expect_refused(const char *header, size_t data_bytes, Status status, const char *words)
{
    Safetensors *s = NULL;
    write_file("bad.safetensors", header, data_bytes);
    assert_int_equal(safetensors_open(&s, in_scratch("bad.safetensors")), status);
    assert_null(s);
    expect_words(words);
    expect_words("bad.safetensors");
}

#define TENSOR(name, dtype, shape, begin, end) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static void hostile_headers_are_refused(void **state)
{
    (void)state;
    expect_refused("", 0, ST_FORMAT, "header");
    expect_refused("[]", 0, ST_FORMAT, "not a JSON object");
    expect_refused("{\"a\":1}", 0, ST_FORMAT, "tensor a: it is not an object");
    expect_refused("{} {}", 0, ST_FORMAT, "header");
    expect_refused("{" TENSOR("a", "F32", "[1]", 0, 4) "," TENSOR("a", "F32", "[1]", 4, 8) "}", 8, ST_FORMAT,
                   "duplicate");
    expect_refused("{" TENSOR("a", "F32", "[2]", 0, 4) "}", 4, ST_FORMAT,
                   "2 elements of 4 bytes and it takes 4");
    expect_refused("{" TENSOR("a", "F32", "[1]", 0, 8) "}", 4, ST_FORMAT, "cut short");
    expect_refused("{" TENSOR("a", "F32", "[1]", 4, 8) "}", 8, ST_FORMAT, "hole");
    expect_refused("{" TENSOR("a", "F32", "[1]", 0, 4) "}", 8, ST_FORMAT, "longer");
    expect_refused("{" TENSOR("a", "F32", "[2]", 0, 8) "," TENSOR("b", "F32", "[2]", 4, 12) "}", 12,
                   ST_FORMAT, "inside another");
    expect_refused("{" TENSOR("a", "F32", "[1]", 4, 0) "}", 4, ST_FORMAT, "end before they begin");
    expect_refused("{" TENSOR("a", "F32", "[1]", -4, 0) "}", 4, ST_FORMAT, "negative");
    expect_refused("{" TENSOR("a", "F32", "[-1]", 0, 4) "}", 4, ST_FORMAT, "not a count");
    expect_refused("{" TENSOR("a", "F32", "[1.0]", 0, 4) "}", 4, ST_FORMAT, "not a count");
    expect_refused("{" TENSOR("a", "F32", "[4294967296,4294967296]", 0, 0) "}", 0, ST_FORMAT, "overflows");
    expect_refused("{" TENSOR("a", "F32", "[4611686018427387905]", 0, 4) "}", 4, ST_FORMAT, "elements");
    expect_refused("{" TENSOR("a", "F32", "[99999999999999999999]", 0, 4) "}", 4, ST_FORMAT, "too big");
    expect_refused("{" TENSOR("a", "F4", "[1]", 0, 1) "}", 1, ST_UNSUPPORTED, "\"F4\"");
    expect_refused("{" TENSOR("a", "F32", "[1,1,1,1,1]", 0, 4) "}", 4, ST_UNSUPPORTED, "5 dimensions");
    expect_refused("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, ST_FORMAT, "dtype");
    expect_refused("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, ST_FORMAT, "shape");
    expect_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, ST_FORMAT,
                   "data_offsets");
    expect_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, ST_FORMAT, "data_offsets");
    expect_refused("{\"__metadata__\":{\"a\":1}}", 0, ST_FORMAT, "__metadata__");
    expect_refused("{\"__metadata__\":[]}", 0, ST_FORMAT, "__metadata__");
    expect_refused("{\"a\\u0000b\":{}}", 0, ST_FORMAT, "header");
}

static void hostile_lengths_are_refused(void **state)
{
    (void)state;
    static const unsigned char huge[] = {255, 255, 255, 255, 255, 255, 255, 255, '{', '}'};
    static const unsigned char above_limit[] = {1, 0xE1, 0xF5, 5, 0, 0, 0, 0, '{', '}'};
    static const unsigned char one_more[] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    const unsigned char *cases[] = {huge, above_limit, one_more};
    Safetensors *s = NULL;
    for (int i = 0; i < 3; i++) {
        scratch_write("long.safetensors", cases[i], 10);
        assert_int_equal(safetensors_open(&s, in_scratch("long.safetensors")), ST_FORMAT);
        expect_words("header claims");
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    Str file = {0};
    Safetensors *s = NULL;
    write_file("x.safetensors", good, 38);
    assert_int_equal(file_read(&file, in_scratch("x.safetensors"), 0), ST_OK);
    for (size_t n = 0; n < file.n; n++) {
        scratch_write("cut.safetensors", file.at, n);
        assert_int_equal(safetensors_open(&s, in_scratch("cut.safetensors")), ST_FORMAT);
    }
    scratch_write("cut.safetensors", file.at, file.n);
    assert_int_equal(safetensors_open(&s, in_scratch("cut.safetensors")), ST_OK);
    safetensors_close(s);
    str_drop(&file);
}

/* Folders. ----------------------------------------------------------------------------------------------- */

static Status open_with_index(const char *index)
{
    Safetensors *s = NULL;
    scratch_write("model.safetensors.index.json", index, strlen(index));
    Status st = safetensors_open_folder(&s, scratch);
    if (st == ST_OK)
        assert_int_equal(safetensors_count(s), 2);
    safetensors_close(s);
    return st;
}

static void shards_are_found_by_their_index(void **state)
{
    (void)state;
    write_file("one.safetensors", "{" TENSOR("a", "F32", "[1]", 0, 4) "}", 4);
    write_file("two.safetensors", "{" TENSOR("b", "F32", "[1]", 0, 4) "}", 4);
    write_file("both.safetensors",
               "{" TENSOR("a", "F32", "[1]", 0, 4) "," TENSOR("b", "F32", "[1]", 4, 8) "}", 8);
    assert_int_equal(open_with_index("{\"metadata\":{},\"weight_map\":"
                                     "{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}"), ST_OK);
    assert_int_equal(open_with_index("{\"weight_map\":"
                                     "{\"a\":\"both.safetensors\",\"b\":\"both.safetensors\"}}"), ST_OK);
    assert_int_equal(open_with_index("{\"weight_map\":"
                                     "{\"a\":\"one.safetensors\",\"b\":\"both.safetensors\"}}"), ST_FORMAT);
    expect_words("tensor a is in more than one file");
    assert_int_equal(open_with_index("{\"weight_map\":"
                                     "{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}}"), ST_FORMAT);
    expect_words("tensor c is not in two.safetensors");
    assert_int_equal(open_with_index("{\"weight_map\":{\"a\":\"three.safetensors\"}}"), ST_IO);
    assert_int_equal(open_with_index("{\"weight_map\":{\"a\":\"../x.safetensors\"}}"), ST_FORMAT);
    expect_words("plain file name");
    assert_int_equal(open_with_index("{\"weight_map\":{\"a\":\"/etc/passwd\"}}"), ST_FORMAT);
    assert_int_equal(open_with_index("{\"weight_map\":{\"a\":7}}"), ST_FORMAT);
    assert_int_equal(open_with_index("{\"weight_map\":[]}"), ST_FORMAT);
    assert_int_equal(open_with_index("{\"weight_map\":"), ST_FORMAT);
    expect_words("index.json");
}

static void a_folder_without_weights_says_so(void **state)
{
    (void)state;
    Safetensors *s = NULL;
    assert_int_equal(folder_make(in_scratch("none")), ST_OK);
    assert_int_equal(safetensors_open_folder(&s, in_scratch("none")), ST_IO);
    expect_words("neither");
    scratch_write("none/pytorch_model.bin", "x", 1);
    assert_int_equal(safetensors_open_folder(&s, in_scratch("none")), ST_UNSUPPORTED);
    expect_words("pytorch_model.bin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(another_writers_file_is_read),
        cmocka_unit_test(hostile_headers_are_refused),
        cmocka_unit_test(hostile_lengths_are_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(shards_are_found_by_their_index),
        cmocka_unit_test(a_folder_without_weights_says_so),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
