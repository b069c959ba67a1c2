#include "train/checkpoint.h"

#include <stdio.h>

#include "ops/select.h"
#include "train/tiny_data_test.h"

typedef struct {
    Tiny tiny;
    Device *dev;
    Model *model;
    Optimizer optimizer;
} Fixture;

static void open_model(Fixture *f, DType compute)
{
    HParams h = tiny_shape();
    ModelSetup setup = {.batch = 1, .context = TINY_T, .compute = compute, .training = true};
    OptimizerSettings set = {.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1};
    assert_int_equal(device_open_cpu(&f->dev, 1), ST_OK);
    assert_int_equal(ops_attach(f->dev, NULL), ST_OK);
    assert_int_equal(model_open(&f->model, f->dev, &h, &setup), ST_OK);
    assert_int_equal(optimizer_open(&f->optimizer, f->dev, f->model, &set), ST_OK);
    model_init(f->model, 1);
}

static void close_model(Fixture *f)
{
    optimizer_close(&f->optimizer);
    model_close(f->model);
    device_close(f->dev);
}

static void write_at(Fixture *f, int64_t step)
{
    json_t *state = json_pack("{s:I, s:f}", "step", (json_int_t)step, "loss", 0.1 + 0.2);
    Status st = checkpoint_write(f->tiny.run, step, f->model, &f->optimizer, state, f->tiny.other);
    if (st != ST_OK)
        print_error("%s\n", error_text());
    assert_int_equal(st, ST_OK);
    json_decref(state);
}

/* Every value of every parameter; the padding between them is nobody's. */
static void expect_equal(const Params *p, const float *a, const float *b)
{
    for (int64_t i = 0; i < p->n; i++)
        assert_memory_equal(a + p->at[i].offset, b + p->at[i].offset,
                            (size_t)(p->at[i].rows * p->at[i].cols) * sizeof *a);
}

static void what_was_written_comes_back(void **state)
{
    (void)state;
    Fixture f;
    json_t *found;
    char *folder, *vocab;
    tiny_open(&f.tiny);
    open_model(&f, DTYPE_BF16);
    assert_int_equal(folder_make(f.tiny.other), ST_OK); /* a vocabulary to go along */
    vocab = path_join(f.tiny.other, "tokenizer.json");
    assert_int_equal(file_replace(vocab, "{}", 2), ST_OK);
    mem_free(vocab);
    int64_t total = model_params(f.model)->total;
    for (int64_t i = 0; i < total; i++) {
        tensor_f32(&f.optimizer.m, 0)[i] = (float)i * 0.37f;
        tensor_f32(&f.optimizer.v, 0)[i] = (float)(total - i) * 1e-9f;
    }
    write_at(&f, 5);
    float *w = mem_copy(model_weights(f.model).data, (size_t)total * 4),
          *m = mem_copy(f.optimizer.m.data, (size_t)total * 4);
    float *v = mem_copy(f.optimizer.v.data, (size_t)total * 4);
    model_init(f.model, 2);
    optimizer_reset(&f.optimizer);
    assert_int_equal(checkpoint_find(&folder, &found, f.tiny.run), ST_OK);
    assert_non_null(folder);
    assert_true(json_real_value(json_object_get(found, "loss")) == 0.1 + 0.2);
    assert_non_null(json_object_get(json_object_get(found, "files"), "tokenizer.json"));
    assert_int_equal(checkpoint_load(folder, f.model, &f.optimizer), ST_OK);
    const Params *p = model_params(f.model);
    expect_equal(p, w, model_weights(f.model).data);
    expect_equal(p, m, f.optimizer.m.data);
    expect_equal(p, v, f.optimizer.v.data);
    const uint16_t *copy = model_weights_copy(f.model).data;
    assert_int_equal(copy[7], bf16_from_f32(w[7]));
    json_decref(found);
    mem_free(folder);
    mem_free(w);
    mem_free(m);
    mem_free(v);
    close_model(&f);
    tiny_close(&f.tiny);
}

static void the_newest_are_kept(void **state)
{
    (void)state;
    Fixture f;
    json_t *found;
    char *folder, path[128];
    tiny_open(&f.tiny);
    open_model(&f, DTYPE_F32);
    assert_int_equal(checkpoint_find(&folder, &found, f.tiny.run), ST_OK);
    assert_null(folder);
    assert_null(found);
    static const int64_t steps[] = {99999998, 99999999, 100000000};
    for (int i = 0; i < 3; i++)
        write_at(&f, steps[i]);
    snprintf(path, sizeof path, "%s/checkpoints/.tmp-step-7", f.tiny.run);
    assert_int_equal(folder_make(path), ST_OK);
    assert_int_equal(checkpoint_count(f.tiny.run), 3);
    assert_int_equal(checkpoint_prune(f.tiny.run, 100000000, 2, 0), ST_OK);
    assert_false(path_exists(path));
    assert_int_equal(checkpoint_count(f.tiny.run), 2);
    assert_int_equal(checkpoint_find(&folder, &found, f.tiny.run), ST_OK);
    assert_string_equal(path_base(folder), "step-100000000"); /* by number, not by letter */
    write_at(&f, 100000000);                                  /* once more, over itself */
    assert_int_equal(checkpoint_prune(f.tiny.run, 100000000, 0, 0), ST_OK);
    assert_int_equal(checkpoint_count(f.tiny.run), 2);
    json_decref(found);
    mem_free(folder);

    /* A run that passed over the later two, which are damaged, keeps what it saves. */
    write_at(&f, 7);
    assert_int_equal(checkpoint_prune(f.tiny.run, 7, 1, 0), ST_OK);
    assert_int_equal(checkpoint_count(f.tiny.run), 3);
    write_at(&f, 8);
    assert_int_equal(checkpoint_prune(f.tiny.run, 8, 1, 0), ST_OK);
    assert_int_equal(checkpoint_count(f.tiny.run), 3);
    snprintf(path, sizeof path, "%s/checkpoints/step-00000008", f.tiny.run);
    assert_true(path_exists(path));

    /* One from before the loss rose is kept beside the newest, and no more than one. */
    for (int64_t step = 9; step <= 12; step++)
        write_at(&f, step);
    assert_int_equal(checkpoint_prune(f.tiny.run, 12, 2, 10), ST_OK);
    assert_int_equal(checkpoint_newest_before(f.tiny.run, 11), 9);
    assert_int_equal(checkpoint_newest_before(f.tiny.run, 9), -1);
    assert_int_equal(checkpoint_prune(f.tiny.run, 12, 2, 12), ST_OK);
    assert_int_equal(checkpoint_newest_before(f.tiny.run, 11), -1);
    close_model(&f);
    tiny_close(&f.tiny);
}

/* state.json cut at every length, and with every byte changed: never accepted, never a crash. */
static void a_damaged_state_is_refused(void **state)
{
    (void)state;
    Fixture f;
    Str text = {0};
    json_t *found;
    tiny_open(&f.tiny);
    open_model(&f, DTYPE_F32);
    write_at(&f, 1);
    char *folder = mem_format("%s/checkpoints/step-00000001", f.tiny.run),
         *path = path_join(folder, "state.json");
    assert_int_equal(file_read(&text, path, 0), ST_OK);
    for (size_t i = 0; i < text.n; i++) {
        bool space = text.at[i] == ' ' || text.at[i] == '\n';
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        text.at[i] ^= space ? 0 : 1;
        fwrite(text.at, 1, i % 2 ? i : text.n, out); /* by turns cut and changed */
        fclose(out);
        text.at[i] ^= space ? 0 : 1;
        if (space && i % 2 == 0)
            continue;
        Status st = checkpoint_verify(&found, folder);
        assert_true(st == ST_FORMAT || st == ST_IO);
    }
    str_drop(&text);
    mem_free(path);
    mem_free(folder);
    close_model(&f);
    tiny_close(&f.tiny);
}

static void a_folder_that_cannot_be_made_is_said(void **state)
{
    (void)state;
    Fixture f;
    json_t *nothing = json_object();
    char *path;
    tiny_open(&f.tiny);
    open_model(&f, DTYPE_F32);
    assert_int_equal(folder_make(f.tiny.run), ST_OK);
    path = path_join(f.tiny.run, "checkpoints");
    assert_int_equal(file_replace(path, "", 0), ST_OK);
    assert_int_equal(checkpoint_write(f.tiny.run, 3, f.model, &f.optimizer, nothing, NULL), ST_IO);
    assert_non_null(strstr(error_text(), "step 3"));
    assert_int_equal(checkpoint_export(f.tiny.run, f.model, DTYPE_BF16, NULL), ST_OK);
    assert_int_equal(checkpoint_export(f.tiny.run, f.model, DTYPE_F32, NULL), ST_OK); /* replaces */
    json_decref(nothing);
    mem_free(path);
    close_model(&f);
    tiny_close(&f.tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(the_newest_are_kept),
        cmocka_unit_test(a_damaged_state_is_refused),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
