/* Models in folders as `lemur run`, `lemur train` and others lay them. */
#include "study/model_name.h"

#include "base/scratch_test.h"

/* Of a model that runs here; its name is the last folder's, as `lemur eval` records it. */
static json_t *config_of(const char *path)
{
    return json_pack("{s:{s:s, s:s, s:s}}", "model", "kind", "local", "model", path, "name", path_base(path));
}

static void is_called(const char *path, const char *wanted)
{
    json_t *config = config_of(path);
    char *name = model_name(config);
    assert_string_equal(name, wanted);
    mem_free(name);
    json_decref(config);
}

static void a_stage_is_called_by_its_name(void **state)
{
    (void)state;
    scratch_text("runs/store/tune-0123456789abcdef/out/model/config.json", "{}");
    scratch_text("runs/store/tune-0123456789abcdef/stage.json", "{}");
    char *model = mem_str(in_scratch("runs/store/tune-0123456789abcdef/out/model"));
    is_called(model, "tune-01234567");
    scratch_run("mkdir runs/mini && ln -s $PWD/runs/store/tune-0123456789abcdef/out runs/mini/agent");
    is_called(model, "agent");
    is_called(in_scratch("runs/mini/agent/model"), "agent");
    is_called(in_scratch("runs/mini/agent"), "agent");
    char *run, *real = mem_str(in_scratch("runs/store/tune-0123456789abcdef/out")),
               *stage = stage_folder(real), *name = stage_name(real, stage, &run);
    assert_string_equal(name, "agent");
    assert_string_equal(run, "mini");
    mem_free(name);
    mem_free(run);
    scratch_run("mkdir runs/again && ln -s $PWD/runs/store/tune-0123456789abcdef/out runs/again/tuned");
    name = stage_name(real, stage, &run); /* of two runs none is told */
    assert_string_equal(name, "tuned");
    assert_null(run);
    assert_null(stage_folder(in_scratch("runs/mini")));
    char *const all[] = {model, run, real, stage, name};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
}

static void others_by_their_folder(void **state)
{
    (void)state;
    is_called("none/b/model", "b");
    is_called("none/b/adapter/", "b");
    is_called("none/store/train-0123456789abcdef/out/model", "train-01234567");
    is_called("none/qwen.gguf", "qwen.gguf");
    is_called("./model", "model"); /* nothing else is known of it */
    json_t *server = json_pack("{s:{s:s, s:s, s:s}}", "model", "kind", "server", "model", "http://x/model",
                               "name", "model");
    char *name = model_name(server);
    assert_string_equal(name, "model");
    assert_string_equal(model_path(server), "");
    mem_free(name);
    json_decref(server);
    name = model_name(NULL);
    assert_string_equal(name, "");
    mem_free(name);
}

static void what_differs_tells_apart(void **state)
{
    (void)state;
    static const char *const names[] = {"final", "final", "other", "same", "same"}, *const paths[] = {
                                                                                        "x/a/final/model",
                                                                                        "x/b/final/model",
                                                                                        "x/c", "d", "d"};
    static const char *const wanted[] = {"a", "b", NULL, NULL, NULL};
    for (size_t i = 0; i < 5; i++) {
        char *name = model_name_apart(names, paths, 5, i);
        if (wanted[i])
            assert_string_equal(name, wanted[i]);
        else
            assert_null(name);
        mem_free(name);
    }
}

static void a_model_lies_in_a_folder(void **state)
{
    (void)state;
    scratch_text("lies/base/model/config.json", "{}");
    char *real = mem_str(in_scratch("lies/base"));
    assert_true(model_lies_in(in_scratch("lies/base/model"), real));
    assert_true(model_lies_in(real, real));
    scratch_text("lies/base2/x", "");
    assert_false(model_lies_in(in_scratch("lies/base2"), real));
    assert_true(model_lies_in("lies/base/model", real)); /* from another folder */
    assert_false(model_lies_in("base/model", real));
    assert_false(model_lies_in("lies/other/base/model", real));
    assert_false(model_lies_in("", real));
    mem_free(real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_is_called_by_its_name),
        cmocka_unit_test(others_by_their_folder),
        cmocka_unit_test(what_differs_tells_apart),
        cmocka_unit_test(a_model_lies_in_a_folder),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
