#include "env/file_tree.h"

#include <time.h>

#include "base/scratch_test.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static void sh(const char *line)
{
    char *all = mem_format("cd %s && { %s; } >/dev/null 2>&1", scratch, line);
    if (system(all) != 0)
        fail_msg("%s", line);
    mem_free(all);
}

static void a_copy_is_equal(void **state)
{
    (void)state;
    sh("mkdir -p a/b/c a/empty copy; echo text >a/b/f; : >a/b/none; ln -s ../nowhere a/b/l; printf 'x\\0y' "
       ">a/bin; "
       "chmod 400 a/b/f; chmod 777 a/bin; touch -h -d 2001-02-03 a/b/f a/b a/b/l; chmod 1700 a/empty");
    char *from = scratch_path("a"), *to = scratch_path("copy");
    FileTree tree = {0}, again = {0};
    SandboxUser nobody_else = {0};
    must(file_tree_read(&tree, from, true));
    must(file_tree_write(&tree, to, &nobody_else));
    must(file_tree_read(&again, to, true));
    assert_int_equal(tree.n, 7);
    assert_int_equal(again.n, tree.n);
    for (size_t i = 0; i < tree.n; i++) {
        const FileEntry *x = &tree.at[i], *y = &again.at[i];
        assert_string_equal(x->path, y->path);
        assert_int_equal(x->mode, y->mode);
        assert_int_equal(x->size, y->size);
        assert_memory_equal(x->hash, y->hash, sizeof x->hash);
        assert_string_equal(str_c(&x->bytes), str_c(&y->bytes));
        assert_true(x->written.tv_sec == y->written.tv_sec && x->written.tv_nsec == y->written.tv_nsec);
    }
    const FileEntry *f = file_tree_find(&tree, span("b/f"));
    assert_true(f && f->written.tv_sec < 1000000000);
    assert_null(file_tree_find(&tree, span("b/fx")));
    assert_null(file_tree_find(&tree, span("")));
    assert_true(file_tree_holds_files(&tree, span("b")));
    assert_false(file_tree_holds_files(&tree, span("b/c")));
    assert_false(file_tree_holds_files(&tree, span("bi")));
    assert_int_equal(file_tree_write(&tree, to, &nobody_else), ST_IO); /* it is there already */
    file_tree_drop(&tree);
    file_tree_drop(&again);
    mem_free(from);
    mem_free(to);
}

/* Each of these is seen, also where content, mode and times are put back; reading is not. */
static void changes_are_seen(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "echo more >>a",         "touch -d 2001-02-03 a",
        "chmod 600 a; touch a",  "chmod 600 a; chmod 644 a",
        "rm a",                  ": >b; rm b; touch -d 2001-02-03 f",
        "ln -sf other l",        ": >f/b",
        "mkdir f/g",             "ln f/c b; rm b",
        "mv f/c f/d; mv f/d f/c"};
    sh("mkdir -p o/f seen; cd o; echo text >a; echo x >f/c; ln -s a l; touch -h -d 2001-02-03 a f/c l f; "
       "touch -a -d 2002-03-04 a");
    char *from = scratch_path("o"), *to = scratch_path("seen");
    FileTree tree = {0}, now = {0};
    struct timespec since, tick = {.tv_nsec = 20000000};
    SandboxUser nobody_else = {0};
    must(file_tree_read(&tree, from, true));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        sh("rm -rf seen; mkdir seen");
        must(file_tree_write(&tree, to, &nobody_else));
        sh("cd seen; cat a f/c; ls -lR");
        must(file_tree_touch(&tree, to));
        clock_gettime(CLOCK_REALTIME, &since);
        nanosleep(&tick, NULL);
        sh("cd seen; cat a f/c; ls -lR");
        must(file_tree_read(&now, to, false));
        assert_true(file_tree_unchanged(&tree, &now, since));
        char *line = mem_format("cd seen; %s", changes[i]);
        sh(line);
        must(file_tree_read(&now, to, false));
        if (file_tree_unchanged(&tree, &now, since))
            fail_msg("not seen: %s", changes[i]);
        mem_free(line);
    }
    must(file_tree_read(&now, to, false));
    must(file_tree_touch(&tree, to));
    must(file_tree_read(&now, to, false));
    const FileEntry *was = file_tree_find(&tree, span("a")), *is = file_tree_find(&now, span("a"));
    assert_int_equal(is->read.tv_sec, was->read.tv_sec);
    sh("rm seen/a");
    assert_int_equal(file_tree_touch(&tree, to), ST_IO);
    file_tree_drop(&tree);
    file_tree_drop(&now);
    mem_free(from);
    mem_free(to);
}

/* What a program may leave: links out of the folder, a pipe, locked folders, great depth, a large hole. */
static void traps_are_passed(void **state)
{
    (void)state;
    sh("mkdir -p trap/locked; cd trap; ln -s / root; ln -s /etc/passwd file; mkfifo pipe; echo in >locked/x; "
       "chmod 000 locked; truncate -s 1T hole; d=; i=0; while [ $i -lt 90 ]; do d=$d/d; i=$((i+1)); done; "
       "mkdir -p "
       ".$d");
    char *folder = scratch_path("trap");
    FileTree tree = {0};
    must(file_tree_read(&tree, folder, false));
    assert_true(tree.cut && tree.n < 100);
    assert_true(S_ISLNK(file_tree_find(&tree, span("root"))->mode));
    assert_true(file_tree_find(&tree, span("locked/x")) || geteuid() == 0 || tree.cut);
    assert_int_equal(file_tree_read(&tree, folder, true), ST_LIMIT);
    sh("chmod 700 trap/locked; rm -rf trap");
    assert_int_equal(file_tree_read(&tree, folder, true), ST_IO);
    assert_int_equal(tree.n, 0);
    mem_free(folder);
}

/* By an ordinary user, too, who has taken his own rights away; all stays as he left it. */
static void locked_folders_are_read(void **state)
{
    (void)state;
    bool root = geteuid() == 0;
    sh("mkdir -p locks; chmod 755 .");
    char *folder = scratch_path("locks");
    FileTree tree = {0}, again = {0};
    if (root)
        assert_int_equal(chown(folder, 65534, 65534) | setresuid(65534, 65534, 0), 0);
    sh("cd locks; mkdir -p a/b c d; echo x >a/b/f; echo x >c/f; chmod 0 a/b/f; chmod 644 a/b; chmod 100 c d; "
       "chmod 0 a .");
    must(file_tree_read(&tree, folder, true));
    must(file_tree_read(&again, folder, false));
    assert_int_equal(tree.n, 6);
    assert_int_equal(again.n, 6);
    assert_int_equal(file_tree_find(&again, span("a"))->mode & 0777, 0);
    assert_int_equal(file_tree_find(&again, span("a/b"))->mode & 0777, 0644);
    assert_int_equal(file_tree_find(&again, span("c"))->mode & 0777, 0100);
    assert_string_equal(str_c(&file_tree_find(&tree, span("a/b/f"))->bytes), "x\n");
    assert_int_equal(file_tree_find(&again, span("a/b/f"))->mode & 0777, 0);
    if (root)
        assert_int_equal(setresuid(0, 0, 0), 0);
    file_tree_drop(&tree);
    file_tree_drop(&again);
    mem_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_copy_is_equal), cmocka_unit_test(changes_are_seen),
                                       cmocka_unit_test(locked_folders_are_read),
                                       cmocka_unit_test(traps_are_passed)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
