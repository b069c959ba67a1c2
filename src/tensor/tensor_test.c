#include "tensor/tensor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* 4 rows of 6: element r, c is 10 r + c */
static void fill(float data[24])
{
    for (int i = 0; i < 24; i++)
        data[i] = (float)(i / 6 * 10 + i % 6);
}

static void a_view_is_the_whole(void **state)
{
    (void)state;
    float data[24];
    fill(data);
    Tensor t = tensor_view(data, DTYPE_F32, 4, 6);
    assert_int_equal(t.stride, 6);
    assert_true(tensor_contiguous(&t));
    assert_int_equal(tensor_count(&t), 24);
    assert_int_equal(tensor_bytes(&t), 96);
    assert_true(tensor_get(&t, 3, 5) == 35 && tensor_f32(&t, 2)[1] == 21);
}

static void rows_and_columns_are_views_into_the_same_memory(void **state)
{
    (void)state;
    float data[24];
    fill(data);
    Tensor t = tensor_view(data, DTYPE_F32, 4, 6), rows = tensor_rows(&t, 1, 2),
           part = tensor_cols(&rows, 2, 3);
    assert_true(tensor_contiguous(&rows));
    assert_false(tensor_contiguous(&part));
    assert_int_equal(part.rows, 2);
    assert_int_equal(part.cols, 3);
    assert_int_equal(part.stride, 6);
    assert_true(tensor_get(&part, 0, 0) == 12 && tensor_get(&part, 1, 2) == 24);
    tensor_set(&part, 1, 0, -1);
    assert_true(data[14] == -1);
    Tensor again = tensor_rows(&part, 1, 1); /* one row is contiguous whatever its stride */
    assert_true(tensor_contiguous(&again));
    assert_true(tensor_get(&again, 0, 1) == 23);
    assert_int_equal(tensor_count(&part), 6);
    assert_int_equal(tensor_bytes(&part), 24); /* of such a tensor without gaps */
    assert_false(tensor_same_shape(&part, &rows));
    Tensor none = tensor_rows(&t, 4, 0);
    assert_int_equal(tensor_count(&none), 0);
}

static void narrow_types_step_by_their_size(void **state)
{
    (void)state;
    uint16_t data[6] = {0x3F80, 0x4000, 0x4040, 0x4080, 0x40A0, 0x40C0}; /* 1 .. 6 in bf16 */
    Tensor t = tensor_view(data, DTYPE_BF16, 2, 3), last = tensor_cols(&t, 2, 1),
           second = tensor_rows(&t, 1, 1);
    assert_true(tensor_get(&last, 0, 0) == 3 && tensor_get(&last, 1, 0) == 6 &&
                tensor_get(&second, 0, 0) == 4);
    assert_int_equal(tensor_bf16(&last, 1)[0], 0x40C0);
    int32_t ids[2] = {7, -1};
    Tensor i = tensor_view(ids, DTYPE_I32, 1, 2);
    assert_true(tensor_i32(&i, 0)[1] == -1 && tensor_get(&i, 0, 1) == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_is_the_whole),
        cmocka_unit_test(rows_and_columns_are_views_into_the_same_memory),
        cmocka_unit_test(narrow_types_step_by_their_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
