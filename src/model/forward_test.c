#include "model/tiny_test.h"

static void fresh_weights_guess_evenly(void **state)
{
    (void)state;
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    Tiny t = tiny_training();
    float loss[TINY_N];
    model_evaluate(t.m, &batch);
    assert_int_equal(model_losses(t.m, loss), ST_OK);
    double sum = 0;
    int n = 0;
    for (int i = 0; i < TINY_N; i++) {
        if (b.targets[i] < 0)
            assert_true(loss[i] == 0);
        else
            sum += loss[i], n++;
    }
    assert_true(fabs(sum / n - log(TINY_V)) < 0.5);
    tiny_close(&t);
}

/* Two documents in one row, isolated with positions restarted, cost what they cost alone. */
static void isolated_documents_do_not_see_each_other(void **state)
{
    (void)state;
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    Tiny t = tiny_training();
    float together[TINY_N], alone[TINY_N];
    int32_t positions[TINY_N], starts[TINY_N];
    enum { CUT = 5 };
    for (int i = 0; i < TINY_N; i++) {
        int t_in = i % TINY_T;
        starts[i] = t_in < CUT ? 0 : CUT;
        positions[i] = t_in - starts[i];
    }
    Batch isolated = batch;
    isolated.positions = positions;
    isolated.starts = starts;
    model_evaluate(t.m, &isolated);
    assert_int_equal(model_losses(t.m, together), ST_OK);

    TinyBatch moved = b; /* the second document alone: at the front of its row */
    for (int s = 0; s < TINY_B; s++)
        for (int i = CUT; i < TINY_T; i++) {
            moved.ids[s * TINY_T + i - CUT] = b.ids[s * TINY_T + i];
            moved.targets[s * TINY_T + i - CUT] = b.targets[s * TINY_T + i];
        }
    Batch second = {.ids = moved.ids, .targets = moved.targets};
    model_evaluate(t.m, &second);
    assert_int_equal(model_losses(t.m, alone), ST_OK);
    for (int s = 0; s < TINY_B; s++)
        for (int i = CUT; i < TINY_T; i++)
            assert_float_equal(together[s * TINY_T + i], alone[s * TINY_T + i - CUT], 1e-5);

    model_evaluate(t.m, &batch); /* and across documents it costs something else */
    assert_int_equal(model_losses(t.m, alone), ST_OK);
    assert_true(relative_difference(alone, together, TINY_N) > 1e-4);
    tiny_close(&t);
}

static void logits_and_losses_agree(void **state)
{
    (void)state;
    TinyBatch b;
    Batch batch = tiny_batch(&b);
    Tiny t = tiny_training();
    float loss[TINY_N], *logits = mem_array(float, TINY_N * TINY_V);
    model_evaluate(t.m, &batch);
    assert_int_equal(model_losses(t.m, loss), ST_OK);
    assert_int_equal(model_logits(t.m, &batch, logits), ST_OK);
    for (int n = 0; n < TINY_N; n++) {
        double sum = 0;
        for (int v = 0; v < TINY_V; v++)
            sum += exp(logits[n * TINY_V + v]);
        if (b.targets[n] >= 0)
            assert_float_equal(log(sum) - logits[n * TINY_V + b.targets[n]], loss[n], 1e-4);
    }
    mem_free(logits);
    tiny_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_weights_guess_evenly),
        cmocka_unit_test(isolated_documents_do_not_see_each_other),
        cmocka_unit_test(logits_and_losses_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
