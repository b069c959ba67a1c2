#include "corpus/example_store.h"

#include "corpus/scratch_test.h"

static void examples_come_back_in_any_order(void **state)
{
    (void)state;
    ExampleStore *s;
    assert_int_equal(example_store_create(&s, in_scratch("store")), ST_OK);
    for (int32_t i = 0; i < 5; i++) {
        int32_t ids[8] = {i, 70000, INT32_MAX, 3, 4, 5, 6, 7};
        uint8_t mask[8] = {0, 1, 1, 0, 1, 0, 0, 1};
        StoredExample about = {.draw = 9, .learned = 2, .source = (uint32_t)i};
        assert_int_equal(example_store_add(s, ids, mask, (uint32_t)i + 2, &about), ST_OK);
    }
    assert_int_equal(example_store_end(s), ST_OK);
    assert_int_equal(example_store_count(s), 5);
    for (int32_t i = 4; i >= 0; i--) {
        int32_t ids[8];
        uint8_t mask[8];
        example_store_read(s, i, ids, mask);
        assert_int_equal(example_store_at(s, i)->n, i + 2);
        assert_int_equal(example_store_at(s, i)->source, i);
        assert_int_equal(ids[0], i);
        assert_int_equal(ids[1], 70000);
        assert_int_equal(mask[0], 0);
        assert_int_equal(mask[1], 1);
        if (i > 0)
            assert_int_equal(ids[2], INT32_MAX);
    }
    example_store_close(s);
}

static void a_store_that_cannot_be_written_says_so(void **state)
{
    (void)state;
    ExampleStore *s;
    assert_int_equal(example_store_create(&s, in_scratch("absent/store")), ST_IO);
    expect_words("cannot write");
    example_store_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_come_back_in_any_order),
        cmocka_unit_test(a_store_that_cannot_be_written_says_so),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
