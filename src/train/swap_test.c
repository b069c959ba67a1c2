#include "train/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/scratch_test.h"

static void expect_text(const char *name, const char *text)
{
    Str got = {0};
    assert_int_equal(file_read(&got, in_scratch(name), 0), ST_OK);
    assert_string_equal(str_c(&got), text);
    str_drop(&got);
}

static void expect_clean(void)
{
    assert_false(path_exists(in_scratch(".tmp-model")));
    assert_false(path_exists(in_scratch(".old-model")));
}

static void both_ways_replace(void **state)
{
    (void)state;
    static Status (*const ways[])(const char *, const char *, const char *) = {swap_in, swap_by_renames};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(folder_remove(in_scratch("model")), ST_OK);
        scratch_text(".tmp-model/weights", "first");
        assert_int_equal(ways[i](scratch, ".tmp-model", "model"), ST_OK); /* nothing there yet */
        expect_text("model/weights", "first");
        scratch_text(".tmp-model/weights", "second");
        scratch_text(".old-model/weights", "of an earlier kill");
        assert_int_equal(ways[i](scratch, ".tmp-model", "model"), ST_OK);
        expect_text("model/weights", "second");
        assert_int_equal(swap_recover(scratch, "model"), ST_OK);
        expect_clean();
        expect_text("model/weights", "second");
        assert_int_equal(ways[i](scratch, "absent", "model"), ST_IO);
    }
}

/* Looks for the model without a pause until it is killed, and ends by itself when there is none. */
static pid_t watch(void)
{
    pid_t child = fork();
    if (child == 0) {
        char *path = path_join(scratch, "model/weights");
        while (access(path, F_OK) == 0)
            ;
        _exit(3);
    }
    return child;
}

static bool can_exchange(void)
{
    scratch_text("a/x", "");
    scratch_text("b/x", "");
    return renameat2(AT_FDCWD, in_scratch("a"), AT_FDCWD, in_scratch("b"), RENAME_EXCHANGE) == 0;
}

/* So a kill, too, finds a model at every moment. */
static void there_is_no_moment_without_a_model(void **state)
{
    (void)state;
    int status = 0;
    if (!can_exchange()) {
        print_message("SKIP the file system of /tmp cannot exchange folders\n");
        skip();
    }
    scratch_text("model/weights", "old");
    pid_t watcher = watch();
    assert_true(watcher > 0);
    for (int i = 0; i < 300; i++) {
        scratch_text(".tmp-model/weights", "new");
        assert_int_equal(swap_in(scratch, ".tmp-model", "model"), ST_OK);
    }
    kill(watcher, SIGKILL);
    assert_int_equal(waitpid(watcher, &status, 0), watcher);
    assert_true(WIFSIGNALED(status)); /* it never came to its own end */
}

/* What a kill leaves at each point of the two renames, and after an exchange. */
static void a_kill_in_between_is_mended(void **state)
{
    (void)state;
    assert_int_equal(folder_remove(in_scratch("model")), ST_OK);
    scratch_text(".old-model/weights", "old");
    scratch_text(".tmp-model/weights", "new");
    scratch_text(".tmp-mine/notes", "somebody else's");
    assert_int_equal(swap_recover(scratch, "model"), ST_OK);
    expect_text("model/weights", "old");
    expect_clean();
    scratch_text(".old-model/weights", "older");
    assert_int_equal(swap_recover(scratch, "model"), ST_OK);
    expect_text("model/weights", "old");
    expect_clean();
    expect_text(".tmp-mine/notes", "somebody else's");
    assert_int_equal(swap_recover(in_scratch("absent"), "model"), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_replace),
        cmocka_unit_test(there_is_no_moment_without_a_model),
        cmocka_unit_test(a_kill_in_between_is_mended),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
