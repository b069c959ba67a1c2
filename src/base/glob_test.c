#include "base/glob.h"

#include <sys/wait.h>

#include "base/file.h"
#include "base/scratch_test.h"
#include "base/str.h"

static void patterns_match_paths(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool match;
    } cases[] = {
        {"a.c", "a.c", true},
        {"a.c", "b.c", false},
        {"*.c", "x.c", true},
        {"*.c", "d/x.c", false},
        {"**/*.c", "x.c", true},
        {"**/*.c", "a/b/x.c", true},
        {"a/**/x.c", "a/x.c", true},
        {"a/**/x.c", "a/b/c/x.c", true},
        {"a/**/x.c", "b/x.c", false},
        {"a/**", "a/b/c", true},
        {"a/**", "b", false},
        {"?.c", "x.c", true},
        {"?.c", "xy.c", false},
        {"[a-c].h", "b.h", true},
        {"[a-c].h", "d.h", false},
        {"[!a-c].h", "d.h", true},
        {"[]x].h", "].h", true},
        {"[a", "[a", false},
        {"*", ".hidden", false},
        {".h*", ".hidden", true},
        {"**/x", ".git/x", false},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbYbZ", false},
        {"/u/*/q*/**/z", "/u/a/q1/b/z", true},
        {"**/a/**/b", "x/a/y/a/z/b", true},
        {"**/t/*.py", "t/t/x.py", true},
        {"", "", true},
        {"*", "", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(cases[i].pattern, cases[i].path) != cases[i].match)
            fail_msg("'%s' on '%s'", cases[i].pattern, cases[i].path);
}

static void hard_patterns_end_soon(void **state)
{
    (void)state;
    char path[2001];
    memset(path, 'a', sizeof path - 1);
    path[2000] = 0;
    assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", path));
    for (int i = 1; i < 2000; i += 2)
        path[i] = '/';
    assert_false(glob_match("**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b", path));
}

/* Names found, without the folder, joined by blanks. */
static char *found(const char *const *patterns, size_t n, const char *const *excludes, size_t excludes_n)
{
    Str out = {0};
    char *full[4];
    for (size_t i = 0; i < n; i++)
        full[i] = scratch_path(patterns[i]);
    GlobWalk *w = glob_start((const char *const *)full, n, excludes, excludes_n);
    for (const char *path; (path = glob_next(w));)
        str_addf(&out, "%s%s", out.n ? " " : "", path + strlen(scratch) + 1);
    glob_end(w);
    for (size_t i = 0; i < n; i++)
        mem_free(full[i]);
    char *result = mem_str(str_c(&out));
    str_drop(&out);
    return result;
}

#define EXPECT(wanted, excludes, excludes_n, ...)                                                  \
    do {                                                                                           \
        const char *patterns_[] = {__VA_ARGS__};                                                   \
        char *got_ = found(patterns_, sizeof patterns_ / sizeof *patterns_, excludes, excludes_n); \
        assert_string_equal(got_, wanted);                                                         \
        mem_free(got_);                                                                            \
    } while (0)

static void walks_are_sorted_and_whole(void **state)
{
    (void)state;
    scratch_text("t/b.py", "");
    scratch_text("t/a.py", "");
    scratch_text("t/sub/c.py", "");
    scratch_text("t/sub/d.txt", "");
    scratch_text("t/sub/deep/e.py", "");
    scratch_text("t/.git/f.py", "");
    scratch_run("ln -s sub t/link && ln -s a.py t/z.py && ln -s . t/loop");
    EXPECT("t/a.py t/b.py t/sub/c.py t/sub/deep/e.py", NULL, 0, "t/**/*.py");
    EXPECT("t/a.py t/b.py", NULL, 0, "t/*.py");
    EXPECT("t/sub/c.py t/sub/d.txt t/sub/deep/e.py", NULL, 0, "t/sub");
    EXPECT("t/link/c.py", NULL, 0, "t/link/*.py"); /* a link that is spelt out is followed */
    EXPECT("t/z.py", NULL, 0, "t/z.py");
    EXPECT("t/b.py t/a.py t/sub/c.py t/sub/deep/e.py", NULL, 0, "t/b.py", "t/**/*.py"); /* each once */
    EXPECT("t/sub/c.py t/sub/d.txt t/sub/deep/e.py t/a.py t/b.py", NULL, 0, "t/sub/", "t/**/*.py");
    EXPECT("t/a.py t/b.py t/z.py t/link/c.py", NULL, 0, "t/*.py", "t/z.py",
           "t/link/c.py"); /* which that passes over */
    EXPECT("t/sub/c.py t/sub/deep/e.py t/.git/f.py t/link/c.py", NULL, 0, "t/sub/**/*.py", "t/.git",
           "t/link/*.py");
    EXPECT("t/a.py t/b.py t/sub/c.py t/sub/d.txt t/sub/deep/e.py t/.git/f.py t/link/deep/e.py", NULL, 0, "t/",
           "t/.git", "t/link/deep");
    EXPECT("t/link/c.py", NULL, 0, "t/link/c.py", "t/link/*.py");
    scratch_text("n[1]/a?.c", ""); /* names that look like patterns */
    scratch_text("n[1]/ab.c", "");
    scratch_text("n[1]/*/b.c", "");
    scratch_text("n1/a.c", "");
    EXPECT("n[1]/*/b.c n[1]/a?.c n[1]/ab.c", NULL, 0, "n[1]");
    EXPECT("n[1]/a?.c n[1]/ab.c", NULL, 0, "n[1]/a?.c", "n[1]/a*.c");
    EXPECT("n[1]/*/b.c", NULL, 0, "n[1]/*/*.c", "n[1]/*");
    EXPECT("n[1]/a?.c n[1]/ab.c n1/a.c", NULL, 0, "n[1]/a*.c", "n1/*.c");
    EXPECT("n1/a.c", NULL, 0, "n[1-2]/a.c");
    EXPECT("", NULL, 0, "t/*.rs");
    EXPECT("", NULL, 0, "none/**/*.py");
    const char *const excludes[] = {"c.py", "*/deep/**"};
    EXPECT("t/a.py t/b.py t/sub/deep/e.py", excludes, 2, "t/**/*.py");
    const char *const tree[] = {"**/deep/**"};
    EXPECT("t/a.py t/b.py t/sub/c.py t/sub/deep/e.py", tree, 0, "t/**/*.py");
}

static void a_folder_is_skipped(void **state)
{
    (void)state;
    scratch_text("s/a.txt", "");
    scratch_text("s/made/b.txt", "");
    scratch_text("s/z.txt", "");
    const char *patterns[] = {in_scratch("s"), in_scratch("s/made/../made")};
    GlobWalk *w = glob_start(patterns, 2, NULL, 0);
    glob_skip(w, in_scratch("s/./made/"));
    assert_string_equal(path_base(glob_next(w)), "a.txt");
    assert_string_equal(path_base(glob_next(w)), "z.txt");
    assert_null(glob_next(w));
    glob_end(w);
    w = glob_start(patterns, 1, NULL, 0);
    glob_skip(w, in_scratch("s/absent"));
    for (int i = 0; i < 3; i++)
        assert_non_null(glob_next(w));
    assert_null(glob_next(w));
    glob_end(w);
}

/* As somebody who may not: root may. */
static void what_cannot_be_listed_comes_itself(void **state)
{
    (void)state;
    scratch_text("u/a.txt", "");
    scratch_text("u/closed/b.txt", "");
    scratch_text("u/z.txt", "");
    scratch_run("chmod 755 . && chmod 0 u/closed");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        const char *names[] = {"/u/a.txt", "/u/closed/", "/u/z.txt", "/u/closed/"};
        const char *patterns[] = {in_scratch("u"), in_scratch("u/closed/*")}, *path;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(1);
        for (int i = 0; i < 2; i++) {
            GlobWalk *w = glob_start(patterns + i, 1, NULL, 0);
            for (int k = i ? 3 : 0; k < (i ? 4 : 3); k++)
                if (!(path = glob_next(w)) || !span_ends(span(path), names[k]))
                    _exit(2);
            if (glob_next(w))
                _exit(3);
            glob_end(w);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    scratch_run("chmod 755 u/closed");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_paths),
        cmocka_unit_test(hard_patterns_end_soon),
        cmocka_unit_test(walks_are_sorted_and_whole),
        cmocka_unit_test(a_folder_is_skipped),
        cmocka_unit_test(what_cannot_be_listed_comes_itself),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
