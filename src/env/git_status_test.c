#include "env/git_status.h"

#include "base/rng.h"
#include "base/scratch_test.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static void sh(const char *line)
{
    char *all = mem_format("cd %s && { %s; } >/dev/null 2>&1", scratch, line);
    if (system(all) == -1)
        fail_msg("%s", line);
    mem_free(all);
}

static void expect_text(const Str *ours, const char *text)
{
    if (strcmp(str_c(ours), text) != 0)
        fail_msg("ours:\n%s\nexpected:\n%s", str_c(ours), text);
}

static void each_kind_of_change(void **state)
{
    (void)state;
    sh("mkdir -p t/d/e t/f t/usr t/empty; cd t; echo usr >.gitignore; echo 1 >d/a; echo 1 >d/e/b; echo 1 "
       ">f/c; "
       "echo 1 >x; echo 1 >y; echo 1 >usr/z; ln -s x l");
    char *folder = scratch_path("t");
    FileTree before = {0}, now = {0};
    Str out = {0};
    must(file_tree_read(&before, folder, true));
    must(file_tree_read(&now, folder, false));
    git_status(&out, &before, &now);
    expect_text(&out, "");
    sh("cd t; rm -r f; echo 2 >d/a; chmod +x x; rm y l; echo x >l; mkdir y n 'o p' none d/g; echo 1 >y/q; "
       "echo 1 >n/r; "
       "echo 1 >'o p/s'; echo 1 >d/new; echo 1 >d/usr; echo 1 >usr/w; ln -s / d/g/root; printf 1 >\"$(printf "
       "'caf\\303\\251 \"\\r')\"");
    must(file_tree_read(&now, folder, false));
    git_status(&out, &before, &now);
    expect_text(&out,
                " M d/a\n D f/c\n T l\n M x\n D y\n?? \"caf\\303\\251 \\\"\\r\"\n?? d/g/\n?? d/new\n?? n/\n"
                "?? \"o p/\"\n?? y/\n");
    str_drop(&out);
    file_tree_drop(&before);
    file_tree_drop(&now);
    mem_free(folder);
}

static void pairs_are_read_as_the_original_does(void **state)
{
    (void)state;
    GitChanges c = {0};
    git_changes_read(&c, span(" M a\n?? b/\n M a\n D \"c d\"\n?? e\n"));
    /* ("M", a) twice; then the blank shifts: D "c | d" ?? | e left over */
    assert_int_equal(c.n, 4);
    assert_true(git_changes_have(&c, &(GitChange){span("a"), span("M")}));
    assert_true(git_changes_have(&c, &(GitChange){span("b/"), span("??")}));
    assert_true(git_changes_have(&c, &(GitChange){span("\"c"), span("D")}));
    assert_true(git_changes_have(&c, &(GitChange){span("??"), span("d\"")}));
    assert_false(git_changes_have(&c, &(GitChange){span("a"), span("D")}));
    git_changes_read(&c, span(" \n"));
    assert_int_equal(c.n, 0);
    array_drop(&c);
}

/* Some random acts below `tree`, of few names so that they meet. */
static void change_at_random(Rng *rng, const char *tree, int acts)
{
    static const char *const names[] = {"a", "b", "usr", "c d", "e.txt", "\xc3\xa9"};
    static const char *const forms[] = {"[ -p '%2$s' ] || echo %1$d >'%2$s'",
                                        "rm -rf '%2$s'",
                                        "mkdir -p '%2$s'",
                                        "ln -sfn %d '%s'",
                                        "chmod +x '%2$s'",
                                        "mkfifo '%2$s'",
                                        "chmod -x+w '%2$s'",
                                        "[ -p '%2$s' ] || echo %1$d >'%2$s'",
                                        "mkdir -p '%2$s'",
                                        "mkdir -p '%2$s'; echo %1$d >'%2$s/a'"};
    Str line = {0};
    str_addf(&line, "cd %s", tree);
    for (int i = 0; i < acts; i++) {
        Str path = {0}, act = {0};
        for (uint64_t n = 1 + rng_below(rng, 3); n > 0; n--)
            str_addf(&path, "%s%s", path.n ? "/" : "", names[rng_below(rng, 6)]);
        const char *form = forms[rng_below(rng, sizeof forms / sizeof *forms)];
        char text[256];
        snprintf(text, sizeof text, form, (int)rng_below(rng, 3), str_c(&path));
        str_addf(&line, "; %s", text);
        str_drop(&path);
        str_drop(&act);
    }
    sh(str_c(&line));
    str_drop(&line);
}

/* The program itself is asked, where it is here. */
static void random_trees_are_told_as_git_does(void **state)
{
    (void)state;
    if (system("git --version >/dev/null 2>&1") != 0) {
        print_message("SKIP no git\n");
        skip();
    }
    Rng rng;
    rng_seed(&rng, 11);
    char *folder = scratch_path("r/t");
    FileTree before = {0}, now = {0};
    Str ours = {0}, theirs = {0};
    for (int round = 0; round < 10; round++) {
        sh("rm -rf r; mkdir -p r/t; echo usr >r/t/.gitignore");
        change_at_random(&rng, "r/t", 12);
        must(file_tree_read(&before, folder, true));
        sh("git --git-dir=r/git --work-tree=r/t init; git --git-dir=r/git --work-tree=r/t add -A; "
           "git --git-dir=r/git --work-tree=r/t -c user.name=n -c user.email=e commit -m m");
        change_at_random(&rng, "r/t", 12);
        must(file_tree_read(&now, folder, false));
        sh("git --git-dir=r/git -C r/t --work-tree=. status --short >/dev/null; cd r/t; "
           "git --git-dir=../git --work-tree=. status --short >../out");
        /* `sh` throws outputs away, but for what the line itself sends elsewhere */
        str_clear(&ours);
        str_drop(&theirs);
        theirs = scratch_read("r/out");
        git_status(&ours, &before, &now);
        expect_text(&ours, str_c(&theirs));
    }
    str_drop(&ours);
    str_drop(&theirs);
    file_tree_drop(&before);
    file_tree_drop(&now);
    mem_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind_of_change),
                                       cmocka_unit_test(pairs_are_read_as_the_original_does),
                                       cmocka_unit_test(random_trees_are_told_as_git_does)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
