/* Every operation of every table this processor can run, against the reference in f64, on odd shapes and each
 * type; and every `_back` of the reference against central differences.
 *
 * To add an operation, edit two places: write its check in check_rows.h, check_products.h or check_packed.h
 * (what it is called with, and on which shapes; for a `_back` its differences too), and name it in `checks`
 * below.  An operation of ops.def without a check fails. */
#include "ops/check_adapters.h"
#include "ops/check_packed.h"
#include "ops/check_products.h"
#include "ops/check_rows.h"

static const struct {
    const char *op;
    void (*try)(Harness *h);
    /* A `_back`: the reference against central differences, on a device of it. */
    void (*differences)(Device *dev);
} checks[] = {
    {"embed", check_embed, NULL},
    {"embed_back", check_embed_back, embed_differences},
    {"rmsnorm", check_rmsnorm, NULL},
    {"rmsnorm_back", check_rmsnorm_back, rmsnorm_differences},
    {"rope", check_rope, NULL},
    {"rope_back", check_rope_back, rope_differences},
    {"matmul", check_matmul, NULL},
    {"matmul_back_x", check_matmul_back_x, matmul_differences},
    {"matmul_back_w", check_matmul_back_w, matmul_differences},
    {"attention", check_attention, NULL},
    {"attention_back", check_attention_back, attention_differences},
    {"swiglu", check_swiglu, NULL},
    {"swiglu_back", check_swiglu_back, swiglu_differences},
    {"cross_entropy", check_cross_entropy, cross_entropy_differences},
    {"adamw", check_adamw, NULL},
    {"sum_squares", check_sum_squares, NULL},
    {"cast", check_cast, NULL},
    {"dropout", check_dropout, NULL},
    {"decode_rows", check_decode_rows, NULL},
    {"pack_weights", check_pack_weights, NULL},
    {"matmul_packed", check_matmul_packed, NULL},
    {"embed_packed", check_embed_packed, NULL},
    {"kv_write", check_kv_write, NULL},
    {"attention_paged", check_attention_paged, NULL},
};
enum { CHECKS = sizeof checks / sizeof checks[0] };

/* A device whose operations are the reference's and, over them, those of one table. */
static Device *device_of(const Ops *over, int threads)
{
    Device *dev;
    check(device_open_cpu(&dev, threads) == ST_OK);
    Ops *ops = mem_new(Ops);
    *ops = ops_ref;
    ops_overlay(ops, over);
    dev->ops = ops;
    return dev;
}

static void check_table(const OpsTable *table)
{
    static const int threads[] = {1, 3}; /* the reference itself with 3 only */
    Harness h = {.table = table->name, .ref = device_of(&ops_ref, 1)};
    for (int t = table->ops == &ops_ref; t < 2; t++) {
        h.dev = device_of(table->ops, threads[t]);
        for (int i = 0; i < CHECKS; i++) {
            h.op = checks[i].op;
            int64_t before = h.calls;
            if (ops_has(table->ops, i)) {
                checks[i].try(&h);
                assert_true(h.calls > before);
            }
        }
        device_close(h.dev);
    }
    print_message("%s: %lld calls\n", table->name, (long long)h.calls);
    device_close(h.ref);
}

static void every_operation_is_checked(void **state)
{
    (void)state;
    assert_int_equal(CHECKS, ops_count());
    for (int i = 0; i < CHECKS; i++) {
        assert_string_equal(checks[i].op, ops_name(i));
        assert_true(ops_has(&ops_ref, i));
        size_t n = strlen(checks[i].op);
        bool back = n > 5 && strstr(checks[i].op, "_back") != NULL;
        assert_true(!back || checks[i].differences);
    }
}

static void gradients_of_the_reference_agree_with_differences(void **state)
{
    (void)state;
    Device *dev = device_of(&ops_ref, 1);
    for (int i = 0; i < CHECKS; i++)
        if (checks[i].differences)
            checks[i].differences(dev);
    device_close(dev);
}

static void every_table_computes_what_the_reference_does(void **state)
{
    (void)state;
    CpuFeatures cpu = cpu_features();
    OpsTable tables[OPS_TABLES_MAX];
    int n = ops_tables(tables, &cpu);
    for (int i = 0; i < n; i++)
        check_table(&tables[i]);
}

/* One element wrong by a tenth of its neighbours' size is seen in either type. */
static void one_wrong_element_is_seen(void **state)
{
    (void)state;
    for (int a = 0; a < ACTS; a++) {
        Call c = call_start(run_cast, 16);
        call_tensor(&c, ROLE_IN, acts[a], 7, 33, 1);
        call_tensor(&c, ROLE_IN, acts[a], 7, 33, 1);
        memcpy(c.t[1].data, c.t[0].data, call_bytes(&c.t[0]));
        assert_true(close_enough(&c, &c.t[0], &c.t[1]));
        tensor_set(&c.t[0], 6, 32, tensor_get(&c.t[0], 6, 32) + 0.1);
        assert_false(close_enough(&c, &c.t[0], &c.t[1]));
        tensor_set(&c.t[0], 6, 32, (double)NAN);
        assert_false(close_enough(&c, &c.t[0], &c.t[1]));
        call_drop(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_is_checked),
        cmocka_unit_test(one_wrong_element_is_seen),
        cmocka_unit_test(gradients_of_the_reference_agree_with_differences),
        cmocka_unit_test(every_table_computes_what_the_reference_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
