#include "env/docker_exec.h"

#include "base/rng.h"
#include "base/scratch_test.h"

#include "env/needs_sandbox_test.h"
#include "env/sandbox_host.h"
#include <sys/stat.h>

static void expect_split(bool (*split)(Str *, Span), const char *line, const char *words)
{
    Str out = {0};
    bool good = split(&out, span(line));
    for (size_t i = 0; i < out.n; i++)
        out.at[i] = out.at[i] ? out.at[i] : '|';
    if (good != (words != NULL) || (words && strcmp(str_c(&out), words) != 0))
        fail_msg("%s: %d %s", line, good, str_c(&out));
    str_drop(&out);
}

/* Outcomes of Python's shlex.split. */
static void words_are_shlexs(void **state)
{
    (void)state;
    expect_split(docker_words, "a  b\tc\n", "a|b|c|");
    expect_split(docker_words, "'' \"\" x''y", "||xy|");
    expect_split(docker_words, "a\\ b '\\' \"\\n\\\"\\\\\"", "a b|\\|\\n\"\\|");
    expect_split(docker_words, "", "");
    expect_split(docker_words, "a 'b", NULL);
    expect_split(docker_words, "a\\", NULL);
    expect_split(docker_bash, "find . -name \"*.c\"", "/bin/bash|-c|find . -name *.c|");
    expect_split(docker_bash, "echo \"a b\"", "/bin/bash|-c|echo a|b|");
    expect_split(docker_bash, "awk '{print $1}'", "/bin/bash|-c|awk '{print $1}'|");
    expect_split(docker_bash, "", "/bin/bash|-c||");
    expect_split(docker_bash, "echo \"", NULL);
    expect_split(docker_bash, "echo \\", NULL);
}

static void folders_are_followed_by_their_text(void **state)
{
    (void)state;
    static const char *const cases[][3] = {{"/", "a", "/a"},           {"/a/b", "..", "/a"},
                                           {"/a", "/x//./y/", "/x/y"}, {"/", "../../..", "/"},
                                           {"/a", "", "/a"},           {"/a", "b/../../c", "/c"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str folder = {0};
        str_adds(&folder, cases[i][0]);
        docker_go(&folder, span(cases[i][1]));
        assert_string_equal(str_c(&folder), cases[i][2]);
        str_drop(&folder);
    }
}

static void any_line(void **state)
{
    (void)state;
    Rng rng;
    rng_seed(&rng, 7);
    Str out = {0};
    for (int round = 0; round < 5000; round++) {
        char line[24];
        size_t n = (size_t)rng_below(&rng, sizeof line), ends = 0;
        for (size_t i = 0; i < n; i++)
            line[i] = "a \\'\"\n$"[rng_below(&rng, 7)];
        str_clear(&out);
        if (docker_words(&out, (Span){line, n}))
            assert_true(out.n == 0 || out.at[out.n - 1] == 0);
        for (size_t i = 0; i < out.n; i++)
            ends += out.at[i] == 0;
        assert_true(out.n <= 2 * n + 1 && ends <= n + 1);
    }
    str_drop(&out);
}

static void a_root_of_ones_own(void **state)
{
    (void)state;
    needs_sandbox();
    scratch_text("root/a/file", "text\n");
    char *root = scratch_path("root");
    assert_int_equal(sandbox_root_prepare(root), ST_OK);
    SandboxUser user;
    assert_int_equal(host_user(&user, NULL), ST_OK);
    if (user.become) {
        Str line = {0};
        str_addf(&line, "chown -R %d:%d %s", (int)user.uid, (int)user.gid, root);
        assert_int_equal(system(str_c(&line)), 0);
        assert_int_equal(chmod(scratch, 0755), 0);
        str_drop(&line);
    }
    SandboxSpec spec = {.root = root, .limits = sandbox_limits()};
    spec.limits.wall_seconds = 300; /* rm tries every file of /usr */
    static const char *const acts[][2] = {
        {"pwd; cat a/file; echo new > /b; ls /", "/\ntext\na\nb\nbin\ndev\netc\n"},
        {"cat b; rm -rf / --no-preserve-root 2>/dev/null; ls /a", "new\n"},
        {"mv /etc /gone; mv /bin /x; mv /proc /y; mv /dev /z; echo $?", "mv: "},
        {"rm -rf /usr/bin/ls /etc/* /bin/bash; echo > /etc/x; echo > /dev/x; ls -d /usr/bin/ls", "rm: "},
        {"ls -d /usr/bin/ls /bin/bash; test -w /etc || test -w /dev || echo kept",
         "/bin/bash\n/usr/bin/ls\nkept\n"}};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        Str words = {0}, out = {0};
        bool done;
        assert_true(docker_bash(&words, span(acts[i][0])));
        if (docker_exec(&out, &done, &spec, "/", &words) != ST_OK)
            fail_msg("%s: %s", acts[i][0], error_text());
        if (!span_starts(str_span(&out), acts[i][1]))
            fail_msg("%s: %s", acts[i][0], str_c(&out));
        str_drop(&words);
        str_drop(&out);
    }
    assert_false(folder_holds(root, "a"));
    spec.work = root;
    SandboxResult r;
    const char *const argv[] = {"true", NULL};
    spec.argv = argv;
    assert_int_equal(sandbox_run(&r, &spec, NULL), ST_ARG);
    mem_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_are_shlexs),
                                       cmocka_unit_test(folders_are_followed_by_their_text),
                                       cmocka_unit_test(any_line), cmocka_unit_test(a_root_of_ones_own)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
