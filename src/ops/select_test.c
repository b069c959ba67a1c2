#include "ops/select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Every entry of a table, in the order of ops.def; returns how many. */
typedef void (*Entry)(void);
static int entries(Entry *out, const Ops *ops)
{
    int n = 0;
#define OP(name, params, args) out[n++] = (Entry)ops->name;
#include "ops/ops.def"
#undef OP
    return n;
}

enum { ENTRIES_MAX = 64 };

static void the_reference_is_complete(void **state)
{
    (void)state;
    Entry e[ENTRIES_MAX];
    int n = entries(e, &ops_ref);
    assert_int_equal(n, ops_count());
    for (int i = 0; i < n; i++)
        if (!e[i])
            fail_msg("the reference lacks %s", ops_name(i));
}

static void an_overlay_keeps_what_it_lacks(void **state)
{
    (void)state;
    Entry was[ENTRIES_MAX], is[ENTRIES_MAX];
    Ops ops = ops_ref, over = {0};
    over.cast = cast; /* any other function of its type */
    ops_overlay(&ops, &over);
    int n = entries(was, &ops_ref);
    entries(is, &ops);
    for (int i = 0; i < n; i++)
        assert_true((is[i] == was[i]) == (strcmp(ops_name(i), "cast") != 0));
    assert_true(ops.cast == cast);
}

/* Whatever the processor: the features are what ops_tables is told. */
static void the_last_table_that_has_an_operation_does_it(void **state)
{
    (void)state;
    CpuFeatures none = {0}, here = cpu_features();
    const CpuFeatures *cpus[] = {&none, &here};
    for (int c = 0; c < 2; c++) {
        OpsTable tables[OPS_TABLES_MAX];
        int n = ops_tables(tables, cpus[c]);
        assert_true(n >= 1 && n <= OPS_TABLES_MAX);
        assert_string_equal(tables[0].name, "ref");
        for (int op = 0; op < ops_count(); op++) {
            const char *wanted = "";
            for (int i = 0; i < n; i++) {
                Entry e[ENTRIES_MAX];
                entries(e, tables[i].ops);
                if (e[op])
                    wanted = tables[i].name;
            }
            assert_string_equal(ops_variant(op, cpus[c]), wanted);
        }
    }
}

static void a_processor_without_extensions_is_given_none(void **state)
{
    (void)state;
    CpuFeatures none = {0};
    OpsTable tables[OPS_TABLES_MAX];
    int n = ops_tables(tables, &none);
    for (int i = 0; i < n; i++)
        assert_null(strstr(tables[i].name, "avx"));
    assert_false(ops_bf16_fast(&none));
}

/* vdpbf16ps is no gain everywhere: where it is none, nothing of its table is used. */
static void slow_products_of_bf16_are_left_alone(void **state)
{
    (void)state;
    CpuFeatures cpu = {.avx2 = true, .avx512 = true, .avx512vnni = true, .avx512bf16 = true};
    for (int op = 0; op < ops_count(); op++)
        assert_string_not_equal(ops_variant(op, &cpu), "avx512bf16");
    assert_false(ops_bf16_fast(&cpu));
    cpu.amx = true;
    assert_true(ops_bf16_fast(&cpu));
    cpu.amx = false;
    cpu.bf16_dots = true;
    assert_true(ops_bf16_fast(&cpu));
    OpsTable tables[OPS_TABLES_MAX];
    int n = ops_tables(tables, &cpu);
    if (n > 2) /* x86 */
        assert_string_equal(tables[n - 1].name, "avx512bf16");
}

static void a_device_is_given_what_the_variants_name(void **state)
{
    (void)state;
    CpuFeatures here = cpu_features();
    OpsTable tables[OPS_TABLES_MAX];
    int tables_n = ops_tables(tables, &here);
    Device *dev;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    Entry is[ENTRIES_MAX], from[ENTRIES_MAX];
    int n = entries(is, dev->ops);
    for (int op = 0; op < n; op++)
        for (int i = 0; i < tables_n; i++)
            if (strcmp(tables[i].name, ops_variant(op, &here)) == 0) {
                entries(from, tables[i].ops);
                assert_true(is[op] == from[op]);
            }
    assert_int_equal(ops_attach(dev, "ref"), ST_OK); /* in the place of the other */
    entries(is, dev->ops);
    entries(from, &ops_ref);
    assert_memory_equal(is, from, (size_t)n * sizeof is[0]);
    device_close(dev);
}

static void an_unknown_table_is_refused(void **state)
{
    (void)state;
    Device *dev;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, "ref"), ST_OK);
    const Ops *before = dev->ops;
    assert_int_equal(ops_attach(dev, "avx3"), ST_UNSUPPORTED);
    assert_non_null(strstr(error_text(), "avx3"));
    assert_ptr_equal(dev->ops, before);
    device_close(dev);
}

static void a_device_comes_ready_to_work(void **state)
{
    (void)state;
    Device *dev;
    CpuFeatures cpu = cpu_features();
    assert_int_equal(ops_open(&dev, NULL, 1), ST_OK);
    assert_non_null(dev->ops);
    assert_int_equal(dev->threads, 1);
    device_close(dev);
    assert_int_equal(ops_open(&dev, "no such table", 1), ST_UNSUPPORTED);
    assert_int_equal(ops_compute("bf16"), DTYPE_BF16);
    assert_int_equal(ops_compute("f32"), DTYPE_F32);
    assert_int_equal(ops_compute("auto"), ops_bf16_fast(&cpu) ? DTYPE_BF16 : DTYPE_F32);
    assert_int_equal(ops_compute_packed("f32"), DTYPE_F32);
    assert_int_equal(ops_compute_packed("auto"), cpu.avx2 ? DTYPE_BF16 : DTYPE_F32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_is_complete),
        cmocka_unit_test(an_overlay_keeps_what_it_lacks),
        cmocka_unit_test(the_last_table_that_has_an_operation_does_it),
        cmocka_unit_test(a_processor_without_extensions_is_given_none),
        cmocka_unit_test(slow_products_of_bf16_are_left_alone),
        cmocka_unit_test(a_device_is_given_what_the_variants_name),
        cmocka_unit_test(an_unknown_table_is_refused),
        cmocka_unit_test(a_device_comes_ready_to_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
