#include "env/file_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"

enum { LINK_MAX_BYTES = 4096, PIECE = 64 << 10 };

void file_tree_drop(FileTree *tree)
{
    for (size_t i = 0; i < tree->n; i++) {
        mem_free(tree->at[i].path);
        str_drop(&tree->at[i].bytes);
    }
    array_drop(tree);
    *tree = (FileTree){0};
}

/* Reading. ----------------------------------------------------------------------------------------------- */

typedef struct {
    FileTree *out;
    int64_t bytes;
    bool keep;
} Reading;

/* Opens a file that its owner has locked itself out of, and leaves it as it was; root needs no such thing. */
static int open_anyway(int folder, const char *name, mode_t mode)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(folder, name, flags);
    if (fd < 0 && errno == EACCES && fchmodat(folder, name, (mode & 07777) | 0400, 0) == 0) {
        fd = openat(folder, name, flags);
        if (fd >= 0 && fchmod(fd, mode & 07777) != 0) {
            close(fd);
            fd = -1;
        }
    }
    return fd;
}

static void set_hash(FileEntry *e, XXH128_hash_t h)
{
    e->hash[0] = h.low64;
    e->hash[1] = h.high64;
}

static Status read_file(Reading *r, FileEntry *e, int folder, const char *name)
{
    char piece[PIECE];
    ssize_t n = 0;
    r->bytes += e->size;
    if (r->bytes > FILE_TREE_BYTES)
        return r->keep ? fail(ST_LIMIT, "%s: the files hold more than %d MB", e->path, FILE_TREE_BYTES >> 20)
                       : ST_OK;
    int fd = open_anyway(folder, name, e->mode);
    XXH3_state_t *state = XXH3_createState();
    XXH3_128bits_reset(state);
    while (fd >= 0 && (n = read(fd, piece, sizeof piece)) > 0) {
        XXH3_128bits_update(state, piece, (size_t)n);
        if (r->keep)
            str_add(&e->bytes, piece, (size_t)n);
    }
    set_hash(e, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    Status st = fd < 0 || n < 0 ? fail_errno(ST_IO, "cannot read %s", e->path) : ST_OK;
    if (fd >= 0)
        close(fd);
    return st;
}

static Status read_link(FileEntry *e, int folder, const char *name)
{
    char target[LINK_MAX_BYTES];
    ssize_t n = readlinkat(folder, name, target, sizeof target);
    if (n < 0)
        return fail_errno(ST_IO, "cannot read the link %s", e->path);
    str_add(&e->bytes, target, (size_t)n);
    set_hash(e, XXH3_128bits(target, (size_t)n));
    return ST_OK;
}

static Status read_inner(Reading *r, int folder, const FileEntry *e, int depth);

static Status read_entry(Reading *r, int folder, const char *path, const char *name, int depth)
{
    struct stat s;
    FileTree *out = r->out;
    if (out->n >= FILE_TREE_ENTRIES || depth >= FILE_TREE_DEPTH) {
        out->cut = true;
        return ST_OK;
    }
    if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno(ST_IO, "cannot look at %s/%s", path, name);
    FileEntry e = {.path = *path ? mem_format("%s/%s", path, name) : mem_str(name),
                   .mode = s.st_mode,
                   .read = s.st_atim,
                   .written = s.st_mtim,
                   .changed = s.st_ctim,
                   .size = S_ISREG(s.st_mode) ? s.st_size : 0};
    array_push(out, e);
    FileEntry *at = &out->at[out->n - 1];
    if (S_ISREG(s.st_mode))
        return read_file(r, at, folder, name);
    if (S_ISLNK(s.st_mode))
        return read_link(at, folder, name);
    if (!S_ISDIR(s.st_mode))
        return ST_OK;
    return read_inner(r, folder, &e, depth);
}

/* Closes fd. */
static Status read_folder(Reading *r, int fd, const char *path, int depth)
{
    DIR *d = fdopendir(fd);
    Status st = ST_OK;
    if (!d) {
        st = fail_errno(ST_IO, "cannot read the folder %s", path);
        close(fd);
        return st;
    }
    for (struct dirent *e; st == ST_OK && !r->out->cut && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            st = read_entry(r, dirfd(d), path, e->d_name, depth);
    closedir(d);
    return st;
}

/* Its mode stays wide until all in it is read: without it nothing there can be looked at. */
static Status read_inner(Reading *r, int folder, const FileEntry *e, int depth)
{
    const char *name = path_base(e->path);
    bool locked = geteuid() != 0 && (e->mode & 0500) != 0500;
    if (locked && fchmodat(folder, name, (e->mode & 07777) | 0500, 0) != 0)
        return fail_errno(ST_IO, "cannot open the folder %s", e->path);
    int fd = openat(folder, name, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    Status st = fd < 0 ? fail_errno(ST_IO, "cannot read the folder %s", e->path)
                       : read_folder(r, fd, e->path, depth + 1);
    if (locked && fchmodat(folder, name, e->mode & 07777, 0) != 0 && st == ST_OK)
        st = fail_errno(ST_IO, "cannot close the folder %s again", e->path);
    return st;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const FileEntry *)a)->path, ((const FileEntry *)b)->path);
}

void file_tree_add(FileTree *tree, const char *path, mode_t mode, Span bytes)
{
    FileEntry e = {.path = mem_str(path), .mode = mode, .size = S_ISREG(mode) ? (int64_t)bytes.n : 0};
    clock_gettime(CLOCK_REALTIME, &e.written);
    e.read = e.written;
    str_add(&e.bytes, bytes.at, bytes.n);
    set_hash(&e, XXH3_128bits(str_c(&e.bytes), bytes.n));
    array_push(tree, e);
}

void file_tree_sort(FileTree *tree)
{
    if (tree->n)
        qsort(tree->at, tree->n, sizeof *tree->at, by_path);
}

Status file_tree_read(FileTree *out, const char *folder, bool keep)
{
    file_tree_drop(out);
    Reading r = {.out = out, .keep = keep};
    host_reopen(folder); /* its own mode is not among what is read */
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(ST_IO, "cannot read the folder %s", folder);
    struct stat s;
    if (fstat(fd, &s) == 0)
        out->changed = s.st_ctim;
    Status st = read_folder(&r, fd, "", 0);
    file_tree_sort(out);
    if (st != ST_OK)
        file_tree_drop(out);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", folder);
}

/* Writing. ----------------------------------------------------------------------------------------------- */

static bool write_all(int fd, Span bytes)
{
    for (size_t at = 0; at < bytes.n;) {
        ssize_t n = write(fd, bytes.at + at, bytes.n - at);
        if (n < 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static bool give_fd(int fd, const FileEntry *e, const SandboxUser *user)
{
    const struct timespec times[] = {e->read, e->written};
    return (!user->become || fchown(fd, user->uid, user->gid) == 0) && fchmod(fd, e->mode & 01777) == 0 &&
           futimens(fd, times) == 0;
}

static bool write_file(int root, const FileEntry *e, const SandboxUser *user)
{
    int fd = openat(root, e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_all(fd, str_span(&e->bytes)) && give_fd(fd, e, user);
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return good;
}

static bool touch(int root, const FileEntry *e)
{
    const struct timespec times[] = {e->read, e->written};
    return utimensat(root, e->path, times, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool write_link(int root, const FileEntry *e, const SandboxUser *user)
{
    return symlinkat(str_c(&e->bytes), root, e->path) == 0 &&
           (!user->become || fchownat(root, e->path, user->uid, user->gid, AT_SYMLINK_NOFOLLOW) == 0) &&
           touch(root, e);
}

/* Once all in it is written, which changes its time and may be forbidden by its mode. */
static bool finish_folder(int root, const FileEntry *e, const SandboxUser *user)
{
    int fd = openat(root, e->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && give_fd(fd, e, user);
    if (fd >= 0)
        close(fd);
    return good;
}

Status file_tree_write(const FileTree *tree, const char *folder, const SandboxUser *user)
{
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return fail_errno(ST_IO, "cannot open the folder %s", folder);
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < tree->n; i++) {
        const FileEntry *e = &tree->at[i];
        bool good = S_ISREG(e->mode)   ? write_file(root, e, user)
                    : S_ISLNK(e->mode) ? write_link(root, e, user)
                    : S_ISDIR(e->mode) ? mkdirat(root, e->path, 0700) == 0
                                       : true;
        if (!good)
            st = fail_errno(ST_IO, "cannot write %s/%s", folder, e->path);
    }
    for (size_t i = tree->n; st == ST_OK && i-- > 0;)
        if (S_ISDIR(tree->at[i].mode) && !finish_folder(root, &tree->at[i], user))
            st = fail_errno(ST_IO, "cannot finish %s/%s", folder, tree->at[i].path);
    close(root);
    return st;
}

/* Using again. ------------------------------------------------------------------------------------------- */

static bool is_before(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/* The time of the change alone would tell, but within a tick of the clock, and where somebody sets it back.
 */
static bool same(const FileEntry *was, const FileEntry *e, struct timespec since)
{
    return strcmp(was->path, e->path) == 0 && was->mode == e->mode && was->size == e->size &&
           was->hash[0] == e->hash[0] && was->hash[1] == e->hash[1] && !is_before(was->written, e->written) &&
           !is_before(e->written, was->written) && !is_before(since, e->changed);
}

bool file_tree_unchanged(const FileTree *tree, const FileTree *now, struct timespec since)
{
    bool all = !now->cut && now->n == tree->n && !is_before(since, now->changed);
    for (size_t i = 0; all && i < now->n; i++)
        all = same(&tree->at[i], &now->at[i], since);
    return all;
}

Status file_tree_touch(const FileTree *tree, const char *folder)
{
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return fail_errno(ST_IO, "cannot open the folder %s", folder);
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < tree->n; i++)
        if (!touch(root, &tree->at[i]))
            st = fail_errno(ST_IO, "cannot set the times of %s/%s", folder, tree->at[i].path);
    close(root);
    return st;
}

/* Looking. ----------------------------------------------------------------------------------------------- */

static int compare(const FileEntry *e, Span path)
{
    size_t n = strlen(e->path), least = n < path.n ? n : path.n;
    int c = least ? memcmp(e->path, path.at, least) : 0;
    return c ? c : n < path.n ? -1 : n > path.n;
}

/* The first entry that does not stand before it. */
static size_t lower_bound(const FileTree *tree, Span path)
{
    size_t low = 0, high = tree->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&tree->at[middle], path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const FileEntry *file_tree_find(const FileTree *tree, Span path)
{
    size_t i = lower_bound(tree, path);
    return i < tree->n && compare(&tree->at[i], path) == 0 ? &tree->at[i] : NULL;
}

bool file_tree_holds_files(const FileTree *tree, Span path)
{
    Str inside = {0};
    bool found = false;
    if (path.n) {
        str_add(&inside, path.at, path.n);
        str_addc(&inside, '/');
    }
    for (size_t i = lower_bound(tree, str_span(&inside));
         !found && i < tree->n && span_starts(span(tree->at[i].path), str_c(&inside)); i++)
        found = !S_ISDIR(tree->at[i].mode);
    str_drop(&inside);
    return found;
}

void file_tree_prune(FileTree *tree, bool (*unwanted)(const FileTree *tree, const FileEntry *e))
{
    bool *out = mem_array(bool, tree->n + 1);
    size_t kept = 0;
    for (size_t i = 0; i < tree->n; i++)
        out[i] = unwanted(tree, &tree->at[i]);
    for (size_t i = 0; i < tree->n; i++) {
        if (out[i]) {
            mem_free(tree->at[i].path);
            str_drop(&tree->at[i].bytes);
        } else {
            tree->at[kept++] = tree->at[i];
        }
    }
    tree->n = kept;
    mem_free(out);
}
