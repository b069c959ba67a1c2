#include "env/sandbox_host.h"

#include "base/scratch_test.h"

static void what_bwrap_says_becomes_what_to_do(void **state)
{
    (void)state;
    const struct {
        const char *words, *sentence;
        Status status;
    } all[] = {
        {"bwrap: No permissions to create a new namespace, likely because ...\n", "namespaces",
         ST_UNSUPPORTED},
        {"bwrap: setting up uid map: Permission denied\n", "namespaces", ST_UNSUPPORTED},
        {"bwrap: Can't mount proc on /newroot/proc: Operation not permitted\n", "systempaths",
         ST_UNSUPPORTED},
        {"bwrap: Unknown option --size\n", "too old", ST_UNSUPPORTED},
        {"bwrap: Can't find source path /usr: Gone\n", "Can't find source path /usr: Gone", ST_UNSUPPORTED},
        {"", "without a word", ST_UNSUPPORTED},
        {"bwrap: execvp cobol: No such file or directory\n", "cannot run cobol: No such", ST_ARG},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(host_explain(span(all[i].words)), all[i].status);
        expect_words(all[i].sentence);
    }
}

static void root_becomes_nobody_or_the_folders_owner(void **state)
{
    (void)state;
    SandboxUser user;
    assert_int_equal(host_user(&user, NULL), ST_OK);
    assert_int_equal(user.become, geteuid() == 0);
    assert_true(user.uid != 0);
    if (geteuid() != 0) {
        assert_int_equal(user.uid, geteuid());
        return;
    }
    assert_int_equal(host_user(&user, scratch), ST_ARG);
    expect_words("chown");
    assert_int_equal(chown(scratch, 1234, 0), 0);
    assert_int_equal(host_user(&user, scratch), ST_OK);
    assert_int_equal(user.uid, 1234);
    assert_true(user.gid != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_bwrap_says_becomes_what_to_do),
        cmocka_unit_test(root_becomes_nobody_or_the_folders_owner),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
