#include "train/loader.h"

#include "train/tiny_data_test.h"

enum { B = 3 };

static void rows_become_batches(void **state)
{
    (void)state;
    Tiny tiny;
    Loader *l;
    LoaderBatch b;
    int32_t ids[TINY_T + 1];
    uint32_t starts[2];
    ShardRow row;
    LoaderOrder order = {.packed = true, .micro_steps = 2, .ranks = 1};
    tiny_open(&tiny);
    assert_int_equal(loader_open(&l, tiny.data, "train", B), ST_OK);
    assert_int_equal(loader_context(l), TINY_T);
    assert_int_equal(loader_step(l, &order, 2, 1, &b), ST_OK); /* rows 15, 16, 17 */
    assert_int_equal(b.n, B);
    assert_int_equal(b.targets, B * TINY_T);
    assert_null(b.batch.starts);
    for (int64_t i = 0; i < B; i++) {
        tiny_row(15 + i, ids, starts, &row);
        assert_int_equal(b.rows[i], 15 + i);
        assert_int_equal(b.sources[i], row.source);
        assert_memory_equal(b.batch.ids + i * TINY_T, ids, TINY_T * sizeof *ids);
        assert_memory_equal(b.batch.targets + i * TINY_T, ids + 1, TINY_T * sizeof *ids);
    }
    loader_close(l);
    tiny_close(&tiny);
}

static void isolated_documents_restart(void **state)
{
    (void)state;
    Tiny tiny;
    Loader *l;
    LoaderBatch b;
    tiny_open(&tiny);
    tiny_data(tiny.data, TINY_V, true, 7);
    assert_int_equal(loader_open(&l, tiny.data, "train", 1), ST_OK);
    LoaderOrder order = {.packed = true, .micro_steps = 1, .ranks = 1};
    assert_int_equal(loader_step(l, &order, 2, 0, &b), ST_OK); /* row 2: a document at 7 */
    for (int32_t t = 0; t < TINY_T; t++) {
        assert_int_equal(b.batch.starts[t], t < 7 ? 0 : 7);
        assert_int_equal(b.batch.positions[t], t < 7 ? t : t - 7);
    }
    loader_close(l);
    tiny_close(&tiny);
}

/* Two ranks over three epochs, in both orders: every epoch takes every row once, whoever takes it. */
static void epochs_are_complete_and_ranks_disjoint(void **state)
{
    (void)state;
    Tiny tiny;
    Loader *l;
    tiny_open(&tiny);
    assert_int_equal(loader_open(&l, tiny.data, "train", 1), ST_OK);
    for (int packed = 0; packed < 2; packed++) {
        int seen[3][TINY_ROWS] = {{0}}, moved = 0;
        for (int64_t n = 0; n < 3 * TINY_ROWS; n++) {
            /* number n of the run is rank n % 2 of micro-step (n / 2) % 3 of step n / 6 */
            LoaderOrder order = {.seed = 5, .packed = packed, .micro_steps = 3, .ranks = 2, .rank = n % 2};
            int64_t row = loader_row_at(l, &order, n / 6, n / 2 % 3, 0);
            assert_in_range(row, 0, TINY_ROWS - 1);
            seen[n / TINY_ROWS][row]++;
            moved += n < TINY_ROWS && row != n;
        }
        for (int e = 0; e < 3; e++)
            for (int r = 0; r < TINY_ROWS; r++)
                assert_int_equal(seen[e][r], 1);
        assert_true(packed ? moved == 0 : moved > TINY_ROWS / 2);
    }
    loader_close(l);
    tiny_close(&tiny);
}

static void evaluation_is_spread_and_padded(void **state)
{
    (void)state;
    Tiny tiny;
    Loader *l;
    LoaderBatch b;
    tiny_open(&tiny);
    assert_int_equal(loader_open(&l, tiny.data, "held_out", B), ST_OK);
    assert_int_equal(loader_spread(l, 5, 0, &b), ST_OK);
    assert_int_equal(b.rows[0], 0);
    assert_int_equal(b.rows[1], 2);
    assert_int_equal(b.rows[2], 4);
    assert_int_equal(loader_spread(l, 5, 3, &b), ST_OK);
    assert_int_equal(b.n, 2);
    assert_int_equal(b.rows[1], 8);
    assert_int_equal(b.bytes[1], 3 * TINY_T);
    assert_int_equal(b.targets, 2 * TINY_T);
    for (int t = 0; t < TINY_T; t++) {
        assert_true(b.batch.targets[TINY_T + t] >= 0);
        assert_int_equal(b.batch.targets[2 * TINY_T + t], -1);
    }
    double all = TINY_HELD_OUT * TINY_T;
    assert_true(shards_learned(loader_set(l)) == (all - TINY_PADDING) / all);
    assert_int_equal(loader_spread(l, TINY_HELD_OUT, TINY_HELD_OUT - 1, &b), ST_OK);
    assert_int_equal(b.targets, TINY_T - TINY_PADDING);
    assert_int_equal(b.counted[0], TINY_T - TINY_PADDING);
    for (int t = 0; t < TINY_T; t++)
        assert_int_equal(b.batch.targets[t] == -1, t >= TINY_T - TINY_PADDING);
    loader_close(l);
    tiny_close(&tiny);
}

/* Only what the mask marks is a target; id t of the row is the target of position t - 1. */
static void masks_choose_targets(void **state)
{
    (void)state;
    static const ShardSource sources[] = {{"asked", SHARD_TEXT}};
    ShardSpec spec = {.row_tokens = TINY_T + 1,
                      .vocab_size = TINY_V,
                      .isolated = true,
                      .has_mask = true,
                      .sources = sources,
                      .sources_n = 1};
    Tiny tiny;
    ShardSetWriter *w;
    Loader *l;
    LoaderBatch b;
    int32_t ids[TINY_T + 1];
    uint32_t starts[] = {0, 7};
    uint8_t mask[3] = {0x38, 0x16, 0}; /* ids 3, 4, 5 and 9, 10, 12; the last three are padding */
    tiny_open(&tiny);
    assert_int_equal(shards_create(&w, tiny.other, &spec, 16), ST_OK);
    for (int t = 0; t <= TINY_T; t++)
        ids[t] = t + 1;
    ShardRow row = {.starts = starts, .starts_n = 2, .padding = 3, .mask = mask};
    assert_int_equal(shards_add(w, "train", ids, &row), ST_OK);
    assert_int_equal(shards_finish(w, NULL, NULL), ST_OK);
    assert_int_equal(loader_open(&l, tiny.other, "train", 1), ST_OK);
    assert_true(shards_masked(loader_set(l)));
    LoaderOrder order = {.packed = true, .micro_steps = 1, .ranks = 1};
    assert_int_equal(loader_step(l, &order, 0, 0, &b), ST_OK);
    assert_int_equal(b.targets, 6);
    assert_int_equal(b.counted[0], 6);
    assert_true(shards_learned(loader_set(l)) == 6.0 / TINY_T);
    for (int t = 0; t < TINY_T; t++) {
        bool learned = (t >= 2 && t <= 4) || t == 8 || t == 9 || t == 11;
        assert_int_equal(b.batch.targets[t], learned ? t + 2 : -1);
        assert_int_equal(b.batch.starts[t], t < 7 ? 0 : 7);
    }
    loader_close(l);
    tiny_close(&tiny);
}

static void batches_allocate_nothing(void **state)
{
    (void)state;
    Tiny tiny;
    Loader *l;
    LoaderBatch b;
    tiny_open(&tiny);
    assert_int_equal(loader_open(&l, tiny.data, "train", B), ST_OK);
    LoaderOrder order = {.seed = 1, .micro_steps = 1, .ranks = 1};
    assert_int_equal(loader_step(l, &order, 0, 0, &b), ST_OK);
    int64_t before = mem_allocations();
    for (int64_t s = 1; s < 40; s++)
        assert_int_equal(loader_step(l, &order, s, 0, &b), ST_OK);
    assert_int_equal(mem_allocations(), before);
    loader_close(l);
    assert_int_equal(loader_open(&l, tiny.other, "train", B), ST_IO);
    tiny_close(&tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_batches),
        cmocka_unit_test(isolated_documents_restart),
        cmocka_unit_test(epochs_are_complete_and_ranks_disjoint),
        cmocka_unit_test(evaluation_is_spread_and_padded),
        cmocka_unit_test(masks_choose_targets),
        cmocka_unit_test(batches_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
