/* How an image is made: the original's Dockerfile, step by step, in a sandbox. */
#include "env/nl2bash_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "env/docker_exec.h"
#include "env/git_status.h"

enum { SETUP_SECONDS = 60, TEXT_MAX = 1 << 20, AGE_SECONDS = 36 * 3600, DISK_MAX = 64 << 20 };

/* What Ubuntu has and somebody may ask for; users and hosts are the sandbox's. */
static const struct {
    const char *path, *text; /* NULL: a folder */
} base_files[] = {
    {"etc", NULL},
    {"etc/group", "root:x:0:\nadm:x:4:\ntty:x:5:\nusers:x:100:\nuser:x:1000:\nnogroup:x:65534:\n"},
    {"etc/hostname", "sandbox\n"},
    {"etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tsandbox\n"},
    {"etc/networks", "loopback\t127.0.0.0\nlink-local\t169.254.0.0\n"},
    {"etc/passwd", "root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000::/root:/bin/bash\n"
                   "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"home", NULL},
    {"mnt", NULL},
    {"opt", NULL},
    {"root", NULL},
    {"run", NULL},
    {"srv", NULL},
    {"tmp", NULL},
    {"var", NULL},
    {"var/log", NULL},
    {"var/log/bootstrap.log", "the image was made\n"},
    {"var/tmp", NULL}};

/* Copies. ------------------------------------------------------------------------------------------------ */

SandboxSpec copy_sandbox(const char *path, double seconds)
{
    static const char *const env[] = {"HOME=/root", "LANG=C", "USER=user", NULL};
    SandboxSpec spec = {.root = path, .env = env, .limits = sandbox_limits()};
    spec.limits.wall_seconds = seconds;
    spec.limits.file_bytes = DISK_MAX;
    return spec;
}

static Status give_folder(const char *path, const SandboxUser *user)
{
    return chmod(path, 0755) == 0 && (!user->become || chown(path, user->uid, user->gid) == 0)
               ? ST_OK
               : fail_errno(ST_IO, "%s", path);
}

Status copy_make(Copy *copy, const FileTree *tree)
{
    SandboxUser user;
    const char *tmp = getenv("TMPDIR");
    TRY(host_user(&user, NULL));
    *copy = (Copy){.path = mem_format("%s/lemur-bash-XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp")};
    if (!mkdtemp(copy->path)) {
        Status st = fail_errno(ST_IO, "%s", copy->path);
        mem_free(copy->path);
        *copy = (Copy){0};
        return st;
    }
    Status st = file_tree_write(tree, copy->path, &user);
    if (st == ST_OK)
        st = give_folder(copy->path, &user);
    clock_gettime(CLOCK_REALTIME, &copy->made);
    if (st != ST_OK)
        copy_remove(copy);
    return st;
}

/* Often behind a failure, whose sentence stays; a leftover in TMPDIR harms nobody. */
void copy_remove(Copy *copy)
{
    Error before = error_take();
    if (copy->path && folder_remove(copy->path) != ST_OK)
        log_debug("%s", error_text());
    (void)error_put(&before);
    mem_free(copy->path);
    *copy = (Copy){0};
}

/* All times are those of a new one. */
static bool renew(Copy *copy, const FileTree *tree)
{
    bool good = file_tree_touch(tree, copy->path) == ST_OK && utimensat(AT_FDCWD, copy->path, NULL, 0) == 0;
    clock_gettime(CLOCK_REALTIME, &copy->made);
    return good;
}

Status copy_take(Copy *copy, const Nl2BashImage *image)
{
    Copies *all = image->copies;
    *copy = (Copy){0};
    pthread_mutex_lock(&all->lock);
    if (all->idle.n)
        *copy = all->idle.at[--all->idle.n];
    pthread_mutex_unlock(&all->lock);
    if (copy->path && renew(copy, &image->tree))
        return ST_OK;
    copy_remove(copy);
    return copy_make(copy, &image->tree);
}

void copy_give(Copy *copy, const Nl2BashImage *image, bool unchanged)
{
    Copies *all = image->copies;
    if (copy->path && unchanged) {
        pthread_mutex_lock(&all->lock);
        array_push(&all->idle, *copy);
        pthread_mutex_unlock(&all->lock);
        *copy = (Copy){0};
    }
    copy_remove(copy);
}

static Copies *copies_new(void)
{
    Copies *all = mem_new(Copies);
    check(pthread_mutex_init(&all->lock, NULL) == 0);
    return all;
}

static void copies_free(Copies *all)
{
    for (size_t i = 0; i < all->idle.n; i++)
        copy_remove(&all->idle.at[i]);
    array_drop(&all->idle);
    pthread_mutex_destroy(&all->lock);
    mem_free(all);
}

/* Making. ------------------------------------------------------------------------------------------------ */

static Status add_data(FileTree *tree, const char *data, const char *name, const char *path, mode_t mode)
{
    Str bytes = {0};
    char *source = path_join(data, name);
    Status st = file_read(&bytes, source, TEXT_MAX);
    if (st == ST_OK)
        file_tree_add(tree, path, S_IFREG | mode, str_span(&bytes));
    mem_free(source);
    str_drop(&bytes);
    return st == ST_OK ? ST_OK : fail_in(st, "InterCode-Bash's data (lemur eval --fetch ic_bash gets it)");
}

/* What there is before the script runs; entries may stand in any order that has folders first. */
static Status begin(FileTree *tree, const char *data, int number, char **script)
{
    char *name = mem_format(NL2BASH_SCRIPT, number);
    *script = mem_format("/%s", path_base(name));
    Status st = add_data(tree, data, name, *script + 1, 0755);
    mem_free(name);
    for (size_t i = 0; i < sizeof base_files / sizeof *base_files; i++) {
        const char *text = base_files[i].text;
        file_tree_add(tree, base_files[i].path, text ? S_IFREG | 0644 : S_IFDIR | 0755,
                      span(text ? text : ""));
    }
    return st;
}

/* What it prints and how it ends does not matter: the published ones have lines that fail. */
static Status run_script(const char *copy, const char *script)
{
    Str words = {0}, out = {0};
    bool done;
    SandboxSpec spec = copy_sandbox(copy, SETUP_SECONDS);
    str_add(&words, "/bin/bash", 10);
    str_add(&words, script, strlen(script) + 1);
    Status st = docker_exec(&out, &done, &spec, "/", &words);
    if (st == ST_OK && strcmp(str_c(&out), docker_timed_out) == 0)
        st = fail(ST_LIMIT, "%s does not end within %d s", script, SETUP_SECONDS);
    str_drop(&words);
    str_drop(&out);
    return st;
}

/* The original cleans by `git clean` before each episode, which takes folders without files. */
static bool is_empty(const FileTree *tree, const FileEntry *e)
{
    return S_ISDIR(e->mode) && strcmp(e->path, "tmp") != 0 && !git_ignores(tree, span(e->path)) &&
           !file_tree_holds_files(tree, span(e->path));
}

/* lib64 and the like: places for what the sandbox shows, no part of the image. */
static bool is_shown(const FileEntry *e)
{
    size_t n = strcspn(e->path, "/");
    for (const char *const *name = sandbox_root_names; *name; name++)
        if (strlen(*name) == n && memcmp(e->path, *name, n) == 0)
            return true;
    return false;
}

static bool unwanted(const FileTree *tree, const FileEntry *e)
{
    return !is_shown(e) && is_empty(tree, e);
}

static bool is_list(const FileTree *tree, const FileEntry *e)
{
    (void)tree;
    return strcmp(e->path, ".gitignore") == 0 || strncmp(e->path, ".gitignore/", 11) == 0;
}

/* It comes behind the script. */
static Status put_list(FileTree *tree, const char *data)
{
    file_tree_prune(tree, is_list);
    TRY(add_data(tree, data, NL2BASH_IGNORE, ".gitignore", 0644));
    file_tree_sort(tree);
    return ST_OK;
}

static void make_older(struct timespec *t, time_t since)
{
    if (t->tv_sec >= since)
        t->tv_sec -= AGE_SECONDS;
}

static void finish(FileTree *tree, time_t since)
{
    file_tree_prune(tree, unwanted);
    for (size_t i = 0; i < tree->n; i++) {
        FileEntry *e = &tree->at[i];
        make_older(&e->read, since);
        make_older(&e->written, since);
        if (strcmp(e->path, "tmp") == 0)
            e->mode = S_IFDIR | 01777;
    }
}

static Status make(FileTree *tree, const char *data, const char *copy, const char *script)
{
    TRY(sandbox_root_prepare(copy));
    time_t since = time(NULL) - 1;
    TRY(run_script(copy, script));
    TRY(file_tree_read(tree, copy, true));
    if (tree->cut)
        return fail(ST_LIMIT, "%s makes more than %d files, or folders within folders, more than %d", script,
                    FILE_TREE_ENTRIES, FILE_TREE_DEPTH);
    TRY(put_list(tree, data));
    finish(tree, since);
    return ST_OK;
}

Status nl2bash_image_open(Nl2BashImage **out, const char *data, int number)
{
    FileTree first = {0};
    Copy copy = {0};
    char *script = NULL;
    Nl2BashImage *image = mem_new(Nl2BashImage);
    image->number = number;
    image->copies = copies_new();
    Status st = begin(&first, data, number, &script);
    if (st == ST_OK)
        st = copy_make(&copy, &first);
    if (st == ST_OK)
        st = make(&image->tree, data, copy.path, script);
    file_tree_drop(&first);
    copy_remove(&copy);
    mem_free(script);
    if (st != ST_OK) {
        nl2bash_image_close(image);
        return fail_in(st, "the file system %d of InterCode-Bash", number);
    }
    *out = image;
    return ST_OK;
}

void nl2bash_image_close(Nl2BashImage *image)
{
    if (!image)
        return;
    copies_free(image->copies);
    file_tree_drop(&image->tree);
    mem_free(image);
}

/* All of them. ------------------------------------------------------------------------------------------- */

int nl2bash_images_in(const char *data)
{
    for (int n = NL2BASH_IMAGES;; n++) {
        char *name = mem_format(NL2BASH_TASKS, n + 1), *path = path_join(data, name);
        bool there = path_exists(path);
        mem_free(path);
        mem_free(name);
        if (!there)
            return n;
    }
}

Status nl2bash_images_open(Nl2BashImages *out, const char *data)
{
    int n = nl2bash_images_in(data);
    *out = (Nl2BashImages){.at = mem_array(Nl2BashImage *, (size_t)n)};
    for (; out->n < n; out->n++)
        TRY(nl2bash_image_open(&out->at[out->n], data, out->n + 1));
    return ST_OK;
}

void nl2bash_images_close(Nl2BashImages *all)
{
    for (int i = 0; i < all->n; i++)
        nl2bash_image_close(all->at[i]);
    mem_free(all->at);
    *all = (Nl2BashImages){0};
}

const Nl2BashImage *nl2bash_image_of(const Nl2BashImages *all, const char *task)
{
    long number = strtol(task, NULL, 10);
    check(number >= 1 && number <= all->n);
    return all->at[number - 1];
}
