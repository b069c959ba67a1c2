#include "base/file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scratch_test.h"

static void whole_files_are_written_and_read(void **state)
{
    (void)state;
    char *path = path_join(scratch, "a");
    Str s = {0};
    assert_int_equal(file_replace(path, "one\0two", 7), ST_OK);
    str_adds(&s, "before ");
    assert_int_equal(file_read(&s, path, 0), ST_OK);
    assert_int_equal(s.n, 14);
    assert_memory_equal(s.at, "before one\0two", 15);
    str_clear(&s);
    assert_int_equal(file_read(&s, path, 7), ST_OK);
    str_clear(&s);
    assert_int_equal(file_read(&s, path, 6), ST_LIMIT);
    assert_int_equal(file_read(&s, "/nowhere/x", 0), ST_IO);
    assert_non_null(strstr(error_text(), "/nowhere/x"));
    assert_int_equal(file_read(&s, scratch, 0), ST_IO);
    assert_int_equal(file_size(path), 7);
    str_drop(&s);
    mem_free(path);
}

static void maps_show_the_bytes(void **state)
{
    (void)state;
    char *path = path_join(scratch, "m"), *empty = path_join(scratch, "empty");
    FileMap m;
    assert_int_equal(file_replace(path, "bytes", 5), ST_OK);
    assert_int_equal(file_map(&m, path), ST_OK);
    assert_int_equal(m.n, 5);
    assert_memory_equal(m.at, "bytes", 5);
    file_unmap(&m);
    file_unmap(&m);
    assert_int_equal(file_replace(empty, "", 0), ST_OK);
    assert_int_equal(file_map(&m, empty), ST_OK);
    assert_int_equal(m.n, 0);
    assert_non_null(m.at); /* sums with it are defined */
    file_unmap(&m);
    assert_int_equal(file_map(&m, scratch), ST_IO);
    assert_int_equal(file_map(&m, "/nowhere"), ST_IO);
    mem_free(path);
    mem_free(empty);
}

/* Until the commit the old file is there whole; an abandoned write leaves nothing. */
static void writes_happen_wholly_or_not(void **state)
{
    (void)state;
    char *path = path_join(scratch, "w");
    Str s = {0};
    FileWriter w;
    assert_int_equal(file_replace(path, "old", 3), ST_OK);
    assert_int_equal(file_begin(&w, path), ST_OK);
    assert_int_equal(file_write(&w, "new!", 4), ST_OK);
    assert_int_equal(file_read(&s, path, 0), ST_OK);
    assert_string_equal(s.at, "old");
    char *temporary = mem_str(w.temporary);
    assert_true(path_exists(temporary));
    file_abandon(&w);
    file_abandon(&w);
    assert_false(path_exists(temporary));
    assert_int_equal(file_begin(&w, path), ST_OK);
    assert_int_equal(file_write(&w, "new!", 4), ST_OK);
    assert_int_equal(file_commit(&w), ST_OK);
    str_clear(&s);
    assert_int_equal(file_read(&s, path, 0), ST_OK);
    assert_string_equal(s.at, "new!");
    assert_false(path_exists(temporary));
    assert_true(path_same(path, path));
    assert_false(path_same(path, "/") || path_same("/nowhere/x", "/nowhere/x"));
    assert_int_equal(file_begin(&w, "/nowhere/x"), ST_IO);
    file_abandon(&w);
    str_drop(&s);
    mem_free(path);
    mem_free(temporary);
}

static void what_is_no_file_stays(void **state)
{
    (void)state;
    struct stat info;
    FileWriter w;
    char *path = scratch_path("pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_begin(&w, path), ST_IO);
    assert_non_null(strstr(error_text(), "a device or a pipe"));
    file_abandon(&w);
    assert_true(stat(path, &info) == 0 && S_ISFIFO(info.st_mode));
    mem_free(path);
}

static void a_full_disk_is_a_sentence(void **state)
{
    (void)state;
    if (!path_exists("/dev/full")) {
        print_message("SKIP no /dev/full\n");
        skip();
    }
    FileWriter w = {
        .f = fopen("/dev/full", "wb"), .path = mem_str("out"), .temporary = path_join(scratch, "no-such")};
    assert_non_null(w.f);
    Status st = file_write(&w, "x", 1); /* buffered: told at the commit at the latest */
    if (st == ST_OK)
        st = file_commit(&w);
    else
        file_abandon(&w);
    assert_int_equal(st, ST_IO);
    assert_non_null(strstr(error_text(), "No space left"));
    assert_false(path_exists("out"));
}

static void a_locked_file_is_one_holders(void **state)
{
    (void)state;
    char *path = path_join(scratch, ".lock");
    int fd, other;
    assert_int_equal(file_lock(&fd, path), ST_OK);
    assert_int_equal(file_lock(&other, path), ST_LIMIT);
    assert_int_equal(other, -1);
    close(fd);
    assert_int_equal(file_lock(&other, path), ST_OK);
    close(other);
    assert_int_equal(file_lock_shared(&fd, path), ST_OK);
    assert_int_equal(file_lock_shared(&other, path), ST_OK);
    file_unlock(other);
    assert_int_equal(file_lock(&other, path), ST_LIMIT);
    int kept = dup(fd); /* as a child has it */
    file_unlock(fd);
    assert_int_equal(file_lock(&other, path), ST_OK);
    assert_int_equal(file_lock_shared(&fd, path), ST_LIMIT);
    close(kept);
    close(other);
    assert_int_equal(file_lock(&other, "/nowhere/x"), ST_IO);
    assert_int_equal(other, -1);
    assert_int_equal(folder_lock(&fd, scratch), ST_OK);
    assert_int_equal(folder_lock(&other, scratch), ST_ARG);
    assert_int_equal(other, -1);
    close(fd);
    assert_int_equal(folder_lock(&other, scratch), ST_OK);
    close(other);
    assert_int_equal(folder_lock(&other, "/nowhere/x"), ST_IO);
    unlink(path);
    mem_free(path);
}

static void folders_are_made_and_removed_deeply(void **state)
{
    (void)state;
    char *deep = path_join(scratch, "x/y/z"), *file = path_join(scratch, "x/y/z/f"),
         *top = path_join(scratch, "x");
    char *link = path_join(scratch, "x/link"), *kept = path_join(scratch, "kept");
    assert_int_equal(folder_make(deep), ST_OK);
    assert_int_equal(folder_make(deep), ST_OK);
    assert_true(path_is_folder(deep));
    assert_int_equal(folder_sync(deep), ST_OK);
    assert_int_equal(file_replace(file, "1", 1), ST_OK);
    assert_int_equal(folder_make(file), ST_IO);
    assert_int_equal(folder_make(kept), ST_OK);
    char *below = path_join(deep, "more/file");
    assert_int_equal(file_make_folder(below), ST_OK);
    assert_int_equal(file_replace(below, "x", 1), ST_OK);
    assert_int_equal(file_make_folder("file"), ST_OK);
    mem_free(below);
    assert_int_equal(symlink(kept, link), 0);
    assert_int_equal(folder_remove(top), ST_OK);
    assert_false(path_exists(top));
    assert_true(path_exists(kept));
    assert_int_equal(folder_remove(top), ST_OK);
    mem_free(deep);
    mem_free(file);
    mem_free(top);
    mem_free(link);
    mem_free(kept);
}

/* As a program leaves them that takes its own rights away; of root no right can be taken. */
static void locked_folders_are_removed(void **state)
{
    (void)state;
    bool root = geteuid() == 0;
    char *top = path_join(scratch, "locked"), *link = path_join(scratch, "locked/link"),
         *shut = path_join(scratch, "shut");
    assert_int_equal(folder_make(top), ST_OK);
    assert_int_equal(folder_make(shut), ST_OK);
    assert_int_equal(chmod(scratch, 0755), 0);
    assert_int_equal(chmod(shut, 0), 0);
    if (root)
        assert_int_equal(chown(scratch, 65534, 65534) | chown(top, 65534, 65534) | setresuid(65534, 65534, 0), 0);
    scratch_run("cd locked; mkdir -p a/b c d; echo x >a/b/f; echo x >c/f; chmod 644 a/b; chmod 0 a; chmod 555 c d");
    assert_int_equal(symlink(shut, link), 0);
    assert_int_equal(chmod(top, 0555), 0);
    assert_int_equal(folder_remove(top), ST_OK);
    assert_false(path_exists(top));
    if (root)
        assert_int_equal(setresuid(0, 0, 0) | chown(scratch, 0, 0), 0);
    struct stat kept;
    assert_int_equal(stat(shut, &kept), 0); /* behind a link nothing is opened */
    assert_int_equal(kept.st_mode & 0777, 0);
    assert_int_equal(folder_remove(shut), ST_OK);
    mem_free(top);
    mem_free(link);
    mem_free(shut);
}

static void a_link_takes_the_place_of_a_link(void **state)
{
    (void)state;
    char *a = path_join(scratch, "first"), *b = path_join(scratch, "second"),
         *link = path_join(scratch, "link"), *inside = path_join(link, "x");
    FolderList names;
    assert_int_equal(folder_make(a), ST_OK);
    assert_int_equal(folder_make(b), ST_OK);
    assert_int_equal(link_replace(link, a), ST_OK);
    assert_int_equal(file_replace(inside, "1", 1), ST_OK);
    assert_int_equal(link_replace(link, link), ST_OK); /* where it leads to, not to itself */
    assert_true(path_exists(inside));
    assert_int_equal(link_replace(link, b), ST_OK);
    assert_false(path_exists(inside));
    assert_int_equal(link_replace(link, "no/such"), ST_IO);
    assert_int_equal(link_replace(a, b), ST_ARG);
    assert_non_null(strstr(error_text(), "is in the way"));
    assert_int_equal(folder_list(&names, scratch), ST_OK);
    for (size_t i = 0; i < names.n; i++)
        assert_null(strstr(names.at[i], "tmp"));
    folder_list_drop(&names);
    mem_free(a);
    mem_free(b);
    mem_free(link);
    mem_free(inside);
}

static void names_in_a_folder_are_sorted(void **state)
{
    (void)state;
    FolderList names = {0};
    assert_int_equal(folder_list(&names, in_scratch("absent")), ST_IO);
    static const char *const made[] = {"listed/b", "listed/a/inner", "listed/.hidden"};
    for (int i = 0; i < 3; i++)
        scratch_text(made[i], "");
    assert_int_equal(folder_list(&names, in_scratch("listed")), ST_OK);
    assert_int_equal(names.n, 3);
    assert_string_equal(names.at[0], ".hidden");
    assert_string_equal(names.at[1], "a");
    assert_string_equal(names.at[2], "b");
    folder_list_drop(&names);
}

/* What a killed process left of a file goes before it is written again, and nothing else. */
static void what_a_killed_writer_left_is_swept(void **state)
{
    (void)state;
    pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    char *names[6];
    const int pids[] = {(int)gone, (int)getpid(), (int)getppid(), (int)gone};
    for (int i = 0; i < 4; i++)
        names[i] = mem_format("swept/%s.tmp-%d", i < 3 ? "m.gguf" : "am.gguf", pids[i]);
    names[4] = mem_format("swept/m.gguf.tmp-%dx", (int)gone);
    names[5] = mem_str("swept/m.gguf");
    for (int i = 0; i < 6; i++)
        scratch_text(names[i], "");
    file_sweep(in_scratch("swept/m.gguf"));
    for (int i = 0; i < 6; i++)
        assert_int_equal(path_exists(in_scratch(names[i])), i >= 2);
    for (int i = 0; i < 6; i++)
        mem_free(names[i]);
    file_sweep("/nowhere/x");
}

static void paths_are_joined_and_split(void **state)
{
    (void)state;
    char *a = path_join("a", "b"), *b = path_join("a/", "b"), *c = path_join("", "b");
    assert_string_equal(a, "a/b");
    assert_string_equal(b, "a/b");
    assert_string_equal(path_base("x/y.z"), "y.z");
    assert_string_equal(path_base("y"), "y");
    assert_true(file_size("/nowhere") == -1);
    assert_true(disk_free(scratch) > 0);
    assert_true(disk_free("/nowhere") == -1);
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files_are_written_and_read),
        cmocka_unit_test(maps_show_the_bytes),
        cmocka_unit_test(writes_happen_wholly_or_not),
        cmocka_unit_test(what_is_no_file_stays),
        cmocka_unit_test(a_full_disk_is_a_sentence),
        cmocka_unit_test(a_locked_file_is_one_holders),
        cmocka_unit_test(folders_are_made_and_removed_deeply),
        cmocka_unit_test(locked_folders_are_removed),
        cmocka_unit_test(names_in_a_folder_are_sorted),
        cmocka_unit_test(what_a_killed_writer_left_is_swept),
        cmocka_unit_test(paths_are_joined_and_split),
        cmocka_unit_test(a_link_takes_the_place_of_a_link),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
