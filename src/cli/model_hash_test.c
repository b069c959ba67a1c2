#include "cli/model_hash.h"

#include "base/scratch_test.h"

static uint64_t hash(const char *name)
{
    uint64_t h;
    if (model_hash(&h, in_scratch(name)) != ST_OK)
        fail_msg("%s", error_text());
    return h;
}

static void names_and_contents_of_a_folder_count(void **state)
{
    (void)state;
    scratch_text("a/config.json", "{}");
    scratch_text("a/model.safetensors", "weights");
    scratch_text("b/config.json", "{}");
    scratch_text("b/model.safetensors", "weights");
    scratch_text("b/log.jsonl", "not of the model");
    uint64_t first = hash("a");
    assert_true(first == hash("b"));
    scratch_text("b/config.json", "{ }");
    assert_true(first != hash("b"));
    scratch_text("b/config.json", "{}");
    scratch_text("b/chat_template.jinja", "{{ x }}");
    assert_true(first != hash("b"));
    uint64_t h;
    assert_int_equal(model_hash(&h, in_scratch("absent")), ST_IO);
}

static void as_text_it_is_as_wide_as_any(void **state)
{
    (void)state;
    char text[17], digits[17] = "";
    scratch_text("a/config.json", "{}");
    assert_int_equal(model_hash_text(text, in_scratch("a")), ST_OK);
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)hash("a"));
    assert_string_equal(text, digits);
    assert_int_equal(model_hash_text(text, in_scratch("absent")), ST_IO);
}

static void a_large_file_is_sampled(void **state)
{
    (void)state;
    size_t n = 40 << 20; /* samples: 64 kB of every 160 kB */
    char *bytes = mem_array(char, n);
    scratch_write("large.gguf", bytes, n);
    uint64_t zeros = hash("large.gguf");
    for (size_t i = 0; i < n; i += 4096)
        bytes[i] = 1;
    scratch_write("other.gguf", bytes, n);
    assert_true(zeros != hash("other.gguf"));
    memset(bytes, 0, n);
    bytes[n - 1] = 1;
    scratch_write("other.gguf", bytes, n);
    assert_true(zeros != hash("other.gguf"));
    bytes[n - 1] = 0;
    scratch_write("other.gguf", bytes, n - 1);
    assert_true(zeros != hash("other.gguf"));
    scratch_write("other.gguf", bytes, n); /* another name, the same file */
    assert_true(zeros == hash("other.gguf"));
    mem_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_contents_of_a_folder_count),
        cmocka_unit_test(as_text_it_is_as_wide_as_any),
        cmocka_unit_test(a_large_file_is_sampled),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
