#include "env/sandbox_view.h"

#include "base/scratch_test.h"

/* Whether `words`, one behind the other, stand among the options. */
static bool has(const Str *options, const char *const *words)
{
    Str wanted = {0};
    for (size_t i = 0; words[i]; i++) {
        str_add(&wanted, words[i], strlen(words[i]));
        str_addc(&wanted, 0);
    }
    bool found = memmem(options->at, options->n, wanted.at, wanted.n) != NULL;
    str_drop(&wanted);
    return found;
}
#define HAS(...) has(&options, (const char *const[]){__VA_ARGS__, NULL})

static SandboxSpec spec_of(const char *const *argv)
{
    return (SandboxSpec){.argv = argv, .limits = sandbox_limits()};
}

static void the_inside_is_what_the_header_says(void **state)
{
    (void)state;
    static const char *const argv[] = {"python3", "-c", "1", NULL};
    static const char *const env[] = {"A=b=c", NULL}, *const shown[] = {"/usr/include", NULL};
    SandboxSpec spec = spec_of(argv);
    Str options = {0};
    spec.env = env;
    spec.read_only = shown;
    view_options(&options, &spec);
    static const char *const walls[] = {"--unshare-user", "--unshare-pid", "--unshare-net",
                                        "--unshare-ipc",  "--clearenv",    "--die-with-parent"};
    for (size_t i = 0; i < sizeof walls / sizeof walls[0]; i++)
        assert_true(HAS(walls[i]));
    assert_true(HAS("--ro-bind", "/usr", "/usr") && !HAS("--bind", "/", "/"));
    assert_true(HAS("--ro-bind", "/usr/include", "/usr/include"));
    assert_true(HAS("--setenv", "A", "b=c"));
    assert_false(HAS("--bind"));
    str_clear(&options);
    spec.work = scratch;
    view_options(&options, &spec);
    assert_true(HAS("--bind", scratch));
    str_drop(&options);
    const char **command = view_command(&spec);
    assert_string_equal(command[4], "python3");
    assert_string_equal(command[6], "1");
    assert_null(command[7]);
    mem_free(command);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    (void)state;
    static const char *const argv[] = {"true", NULL}, *const none[] = {NULL}, *const unnamed[] = {"=x", NULL},
                      *const relative[] = {"usr", NULL};
    SandboxSpec spec = spec_of(argv);
    assert_int_equal(view_check(&spec), ST_OK);
    spec = spec_of(none);
    assert_int_equal(view_check(&spec), ST_ARG);
    spec = spec_of(argv);
    spec.env = unnamed;
    assert_int_equal(view_check(&spec), ST_ARG);
    spec = spec_of(argv);
    spec.read_only = relative;
    assert_int_equal(view_check(&spec), ST_ARG);
    spec = spec_of(argv);
    spec.work = "/absent";
    assert_int_equal(view_check(&spec), ST_ARG);
    spec = spec_of(argv);
    spec.limits.cpu_seconds = 0;
    assert_int_equal(view_check(&spec), ST_ARG);
    spec = spec_of(argv);
    spec.limits.processes = VIEW_PROCESSES_MAX + 1;
    assert_int_equal(view_check(&spec), ST_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_inside_is_what_the_header_says),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
