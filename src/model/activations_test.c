#include "model/activations.h"

#include "model/tiny_test.h"

static void a_slab_hands_out_aligned_parts(void **state)
{
    (void)state;
    char *room = mem_aligned(4096);
    Slab plan = {0}, slab = {.base = room};
    static const int64_t sizes[] = {1, 16, 17, 100};
    size_t end = 0;
    for (int i = 0; i < 4; i++) {
        Tensor planned = slab_take(&plan, DTYPE_F32, 1, sizes[i]),
               t = slab_take(&slab, DTYPE_F32, 1, sizes[i]);
        size_t at = (size_t)((char *)t.data - room);
        assert_null(planned.data);
        assert_true(at % 64 == 0 && at >= end);
        end = at + tensor_bytes(&t);
    }
    assert_true(end <= slab.used);
    assert_int_equal(plan.used, slab.used);
    mem_free(room);
}

typedef struct {
    const char *at;
    size_t bytes;
} Part;

static int by_place(const void *a, const void *b)
{
    const Part *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void note(Part *parts, int *n, const Tensor *t)
{
    if (t->data)
        parts[(*n)++] = (Part){t->data, tensor_bytes(t)};
}

enum { LAYERS = 3, PARTS_MAX = 64 };

/* Where every tensor lies, each place once (some tensors are others under a second name). */
static int parts_of(Part *parts, const Activations *a)
{
    int n = 0, kept = 0;
    const Tensor *alone[] = {&a->ids,        &a->targets, &a->positions, &a->starts,  &a->x_out, &a->rstd,
                             &a->norm,       &a->loss,    &a->logits,    &a->dlogits, &a->dx,    &a->dx_act,
                             &a->dnorm_head, &a->dnorm,   &a->dqkv,      &a->datt,    &a->dff,
                             &a->chosen_att};
    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
        note(parts, &n, alone[i]);
    for (int l = 0; l < LAYERS; l++) {
        const LayerActivations *o = &a->layers[l];
        const Tensor *of_layer[] = {&o->x_in,  &o->rstd1, &o->norm1, &o->qkv,     &o->att, &o->lse,
                                    &o->x_mid, &o->rstd2, &o->norm2, &o->gate_up, &o->ff};
        for (size_t i = 0; i < sizeof of_layer / sizeof of_layer[0]; i++)
            note(parts, &n, of_layer[i]);
    }
    assert_true(n <= PARTS_MAX);
    qsort(parts, (size_t)n, sizeof *parts, by_place);
    for (int i = 0; i < n; i++)
        if (kept == 0 || parts[i].at != parts[kept - 1].at)
            parts[kept++] = parts[i];
    return kept;
}

/* The plan is what carving takes, and no two tensors share bytes unless they are one. */
static void check_carving(const ModelSetup *setup)
{
    HParams h = tiny_hparams();
    LayerActivations planned_layers[LAYERS] = {0}, layers[LAYERS] = {0};
    Activations planned = {.layers = planned_layers}, a = {.layers = layers};
    Slab plan = {0}, slab = {0};
    activations_carve(&planned, &plan, &h, setup);
    slab.base = mem_aligned(plan.used);
    activations_carve(&a, &slab, &h, setup);
    assert_int_equal(plan.used, slab.used);
    Part parts[PARTS_MAX];
    int n = parts_of(parts, &a);
    assert_true(n > 10 && parts[0].at == slab.base);
    for (int i = 0; i < n; i++)
        assert_true(parts[i].at + parts[i].bytes <= (i + 1 < n ? parts[i + 1].at : slab.base + slab.used));
    bool own = setup->training && setup->recompute == RECOMPUTE_NONE;
    assert_true((layers[1].qkv.data != layers[0].qkv.data) == own);
    assert_true((layers[1].x_in.data != layers[0].x_in.data) == setup->training);
    assert_true((a.dlogits.data != a.logits.data) == (setup->training && setup->compute == DTYPE_BF16));
    mem_free(slab.base);
}

static void the_plan_is_what_carving_takes(void **state)
{
    (void)state;
    static const DType types[] = {DTYPE_F32, DTYPE_BF16};
    for (int type = 0; type < 2; type++) {
        for (int way = 0; way < 3; way++) {
            ModelSetup setup = tiny_setup(way > 0);
            setup.compute = types[type];
            setup.recompute = way == 2 ? RECOMPUTE_LAYER : RECOMPUTE_NONE;
            check_carving(&setup);
        }
    }
}

static int64_t loss_rows(int64_t vocab, int64_t rows, int64_t wanted)
{
    HParams h = tiny_hparams();
    h.vocab_size = vocab;
    ModelSetup setup = {.batch = 1, .context = rows, .training = true, .loss_rows = wanted};
    return activations_loss_rows(&h, &setup);
}

static void loss_rows_are_even_pieces(void **state)
{
    (void)state;
    assert_int_equal(loss_rows(61, 24, 0), 24);   /* all at once where they are few */
    assert_int_equal(loss_rows(61, 1000, 1), 16); /* 63 pieces, the last of 8 */
    assert_int_equal(loss_rows(61, 100, 60), 50); /* two equal pieces, not 60 and 40 */
    assert_int_equal(loss_rows(61, 100, 100), 100);
    assert_int_equal(loss_rows(32000, 2048, 0),
                     512); /* 64 MB of f32 are 524 rows, 512 of them in sixteens: 4 pieces */
    assert_int_equal(loss_rows(1 << 30, 2048, 0), 16); /* never fewer */
    for (int64_t wanted = 16; wanted < 400; wanted += 7) {
        int64_t one = loss_rows(61, 333, wanted), pieces = (333 + one - 1) / one;
        assert_true(one <= wanted && pieces == (333 + wanted - 1) / wanted);
        assert_true(one * pieces < 333 + pieces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slab_hands_out_aligned_parts),
        cmocka_unit_test(the_plan_is_what_carving_takes),
        cmocka_unit_test(loss_rows_are_even_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
