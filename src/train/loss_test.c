#include "train/loss.h"

#include <math.h>

#include "ops/select.h"
#include "train/tiny_data_test.h"

/* Against the losses of each row evaluated alone: sums by source and kind, over an evaluation that ends in
 * padding. */
static void sums_by_source_are_those_of_the_rows(void **state)
{
    (void)state;
    enum { B = 3, ROWS = 7 };
    Tiny tiny;
    Device *dev;
    Comm *comm;
    Model *m;
    Loader *l;
    LossReport r;
    float losses[B * TINY_T];
    HParams h = tiny_shape();
    ModelSetup setup = {.batch = B, .context = TINY_T, .compute = DTYPE_F32, .training = true};
    tiny_open(&tiny);
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    assert_int_equal(comm_open(&comm, dev), ST_OK);
    assert_int_equal(model_open(&m, dev, &h, &setup), ST_OK);
    model_init(m, 3);
    assert_int_equal(loader_open(&l, tiny.data, "held_out", B), ST_OK);
    loss_report_init(&r, l);
    assert_int_equal(loss_evaluate(&r, m, l, comm, ROWS, NULL, losses), ST_OK);

    double nats[2] = {0};
    int64_t rows[2] = {0};
    for (int64_t i = 0; i < ROWS; i++) {
        LoaderBatch b;
        double sum;
        assert_int_equal(loader_spread(l, ROWS, i, &b), ST_OK);
        b.n = 1;
        model_evaluate(m, &b.batch);
        assert_int_equal(loss_sum(m, &b, losses, &sum), ST_OK);
        nats[b.sources[0]] += sum;
        rows[b.sources[0]]++;
    }
    assert_int_equal(r.all.tokens, ROWS * TINY_T);
    assert_true(fabs(loss_per_token(&r.all) - log(TINY_V)) < 0.5); /* a new model knows nothing */
    assert_true(r.kind[SHARD_CODE].tokens == r.source[0].tokens &&
                r.kind[SHARD_TEXT].tokens == r.source[1].tokens);
    for (int s = 0; s < 2; s++) {
        assert_int_equal(r.source[s].tokens, rows[s] * TINY_T);
        assert_int_equal(r.source[s].bytes, rows[s] * 3 * TINY_T);
        assert_true(fabs(r.source[s].nats - nats[s]) < 1e-4);
        double bits = nats[s] / log(2) / (double)(rows[s] * 3 * TINY_T);
        assert_true(fabs(loss_bits_per_byte(&r.source[s]) - bits) < 1e-6);
    }
    volatile sig_atomic_t stop = 1;
    assert_int_equal(loss_evaluate(&r, m, l, comm, ROWS, &stop, losses), ST_CANCELLED);
    assert_int_equal(r.all.tokens, 0);
    stop = 0;
    assert_int_equal(loss_evaluate(&r, m, l, comm, 0, &stop, losses), ST_OK); /* 0: all */
    assert_int_equal(r.all.tokens, TINY_HELD_OUT * TINY_T - TINY_PADDING);
    assert_int_equal(r.all.bytes, TINY_HELD_OUT * 3 * TINY_T);
    assert_true(fabs(loss_per_token(&r.all) - log(TINY_V)) < 0.5);
    loss_report_drop(&r);
    loader_close(l);
    model_close(m);
    comm_close(comm);
    device_close(dev);
    tiny_close(&tiny);
}

static void nothing_has_no_mean(void **state)
{
    (void)state;
    LossSum none = {.has_bytes = true}, unknown = {.nats = 5, .tokens = 10, .bytes = 30};
    assert_true(isnan(loss_per_token(&none)));
    assert_true(isnan(loss_bits_per_byte(&none)));
    assert_true(isnan(loss_bits_per_byte(&unknown)));
    assert_true(loss_per_token(&unknown) == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_by_source_are_those_of_the_rows),
        cmocka_unit_test(nothing_has_no_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
