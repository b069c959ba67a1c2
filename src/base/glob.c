#include "base/glob.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"

/* Matching ----------------------------------------------------------------------------------------------- */

/* Whether c is in the class that begins behind '['; *end is behind its ']'.  An unclosed class matches
 * nothing. */
static bool class_match(const char *p, char c, const char **end)
{
    bool negated = *p == '!' || *p == '^', found = false;
    if (negated)
        p++;
    const char *first = p;
    for (; *p && (*p != ']' || p == first); p++) {
        unsigned char low = (unsigned char)*p, high = low, x = (unsigned char)c;
        if (p[1] == '-' && p[2] && p[2] != ']') {
            high = (unsigned char)p[2];
            p += 2;
        }
        found |= x >= low && x <= high;
    }
    *end = *p ? p + 1 : p;
    return *p && c && found != negated;
}

/* One part of a path, [s, s_end), against one part of a pattern, [p, p_end).  Linear but for its last
 * star. */
static bool part_match(const char *p, const char *p_end, const char *s, const char *s_end)
{
    const char *star = NULL, *star_s = NULL;
    if (s < s_end && *s == '.' && (p == p_end || *p != '.'))
        return false;
    for (;;) {
        const char *next = p + 1;
        if (p < p_end && *p == '*') {
            star = ++p;
            star_s = s;
            continue;
        }
        if (s == s_end && p == p_end)
            return true;
        bool hit =
            s < s_end && p < p_end && (*p == '?' || (*p == '[' ? class_match(p + 1, *s, &next) : *p == *s));
        if (hit) {
            p = next;
            s++;
        } else if (star && star_s < s_end) {
            p = star;
            s = ++star_s;
        } else {
            return false;
        }
    }
}

static const char *part_end(const char *s)
{
    const char *slash = strchr(s, '/');
    return slash ? slash : s + strlen(s);
}

static bool is_any_depth(const char *p, const char *p_end)
{
    return p_end - p == 2 && p[0] == '*' && p[1] == '*';
}

bool glob_match(const char *pattern, const char *path)
{
    const char *retry_pattern = NULL,
               *retry_path = NULL; /* behind the last "**", as a star does in part_match */
    for (;;) {
        const char *p_end = part_end(pattern), *s_end = part_end(path);
        if (is_any_depth(pattern, p_end)) {
            if (!*p_end)
                return true;
            retry_pattern = pattern = p_end + 1;
            retry_path = path;
            continue;
        }
        bool hit = part_match(pattern, p_end, path, s_end);
        if (hit && !*p_end && !*s_end)
            return true;
        if (hit && *p_end && *s_end) {
            pattern = p_end + 1;
            path = s_end + 1;
            continue;
        }
        if (!retry_pattern || !*part_end(retry_path) || *retry_path == '.')
            return false;
        retry_path = path = part_end(retry_path) + 1;
        pattern = retry_pattern;
    }
}

/* Walking ------------------------------------------------------------------------------------------------ */

/* One folder being listed. */
typedef struct {
    char **names; /* sorted */
    size_t names_n, at;
    size_t path_n; /* bytes of the walk's path that name this folder */
} Level;

struct GlobWalk {
    const char *const *patterns, *const *excludes;
    size_t patterns_n, excludes_n, pattern;
    size_t *spelt;    /* [patterns_n] bytes of each that are no wildcards: whole parts, or all */
    bool begun;       /* the current pattern's root has been entered */
    const char *rest; /* of the current pattern, behind its root; "**" behind a folder's name */
    size_t root_n;    /* bytes of the walk's path that name that root */
    Str path;
    Array(Level) levels;
    struct stat skip; /* a folder that is not entered, where `skips` */
    bool skips;
};

/* Bytes of a pattern in front of its first part with wildcards.  What is there by that very name has none. */
static size_t spelt_out(const char *pattern)
{
    for (const char *part = pattern;; part++) {
        const char *end = part_end(part);
        if (part + strcspn(part, "*?[") < end) {
            char *name = mem_strn(pattern, (size_t)(end - pattern));
            bool there = path_exists(name);
            mem_free(name);
            if (!there)
                return (size_t)(part - pattern);
        }
        if (!*end)
            return (size_t)(end - pattern);
        part = end;
    }
}

GlobWalk *glob_start(const char *const *patterns, size_t patterns_n, const char *const *excludes,
                     size_t excludes_n)
{
    GlobWalk *w = mem_new(GlobWalk);
    *w = (GlobWalk){.patterns = patterns,
                    .patterns_n = patterns_n,
                    .excludes = excludes,
                    .excludes_n = excludes_n,
                    .spelt = mem_array(size_t, patterns_n)};
    for (size_t i = 0; i < patterns_n; i++)
        w->spelt[i] = spelt_out(patterns[i]);
    return w;
}

void glob_skip(GlobWalk *w, const char *folder)
{
    w->skips = stat(folder, &w->skip) == 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lists the folder named by the walk's path.  False: there is one, and it cannot be listed. */
static bool level_enter(GlobWalk *w)
{
    Level level = {.path_n = w->path.n};
    Array(char *) names = {0};
    struct stat info;
    const char *folder = w->path.n ? w->path.at : ".";
    bool skipped = w->skips && stat(folder, &info) == 0 && info.st_dev == w->skip.st_dev &&
                   info.st_ino == w->skip.st_ino;
    DIR *d = skipped ? NULL : opendir(folder);
    bool listed = d || skipped || errno == ENOENT || errno == ENOTDIR;
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            array_push(&names, mem_str(e->d_name));
    if (d)
        closedir(d);
    if (names.n)
        qsort(names.at, names.n, sizeof *names.at, by_bytes);
    level.names = names.at;
    level.names_n = names.n;
    array_push(&w->levels, level);
    return listed;
}

static void level_leave(GlobWalk *w)
{
    Level *level = &w->levels.at[--w->levels.n];
    for (size_t i = 0; i < level->names_n; i++)
        mem_free(level->names[i]);
    mem_free(level->names);
}

static void path_cut(Str *path, size_t n)
{
    path->n = n;
    if (path->at)
        path->at[n] = 0;
}

/* Whether a folder with this path could hold matches: each of its parts matches the pattern's, up to a
 * "**". */
static bool may_hold(const char *pattern, const char *folder)
{
    for (;;) {
        const char *p_end = part_end(pattern), *s_end = part_end(folder);
        if (is_any_depth(pattern, p_end))
            return true;
        if (!part_match(pattern, p_end, folder, s_end) || !*p_end)
            return false;
        if (!*s_end)
            return true;
        pattern = p_end + 1;
        folder = s_end + 1;
    }
}

static bool is_excluded(const GlobWalk *w, const char *path)
{
    for (size_t i = 0; i < w->excludes_n; i++)
        if (glob_match(w->excludes[i], strchr(w->excludes[i], '/') ? path : path_base(path)))
            return true;
    return false;
}

/* Whether the walk of a pattern comes by this file: behind what the pattern spells out, no name on the way
 * begins with '.' or is a link. */
static bool pattern_finds(const GlobWalk *w, size_t i, const char *path)
{
    const char *pattern = w->patterns[i];
    size_t n = w->spelt[i];
    bool whole = !pattern[n];
    while (whole && n > 1 && pattern[n - 1] == '/')
        n--;
    if (strncmp(pattern, path, n) != 0 ||
        !(whole ? !path[n] || path[n] == '/' : glob_match(pattern + n, path + n)))
        return false;
    struct stat info;
    bool finds = true;
    char *way = mem_str(path);
    for (char *name = way + n; finds && *name;) {
        name += *name == '/';
        char *end = name + strcspn(name, "/"), was = *end;
        *end = 0;
        finds = *name != '.' && lstat(way, &info) == 0 && !S_ISLNK(info.st_mode);
        *end = was;
        name = end;
    }
    mem_free(way);
    return finds;
}

static bool is_seen_before(const GlobWalk *w, const char *path)
{
    for (size_t i = 0; i < w->pattern; i++)
        if (pattern_finds(w, i, path))
            return true;
    return false;
}

/* Starts on the current pattern.  True when it names one file, which is then the path, or a folder that cannot
 * be listed. */
static bool pattern_begin(GlobWalk *w)
{
    const char *pattern = w->patterns[w->pattern];
    w->begun = true;
    w->rest = pattern + w->spelt[w->pattern];
    str_clear(&w->path);
    str_add(&w->path, pattern, w->spelt[w->pattern]);
    if (!*w->rest) {
        if (!path_is_folder(pattern))
            return path_exists(pattern);
        w->rest = "**";
        while (w->path.n > 1 && w->path.at[w->path.n - 1] == '/')
            path_cut(&w->path, w->path.n - 1);
        if (w->path.at[w->path.n - 1] != '/')
            str_addc(&w->path, '/');
    }
    w->root_n = w->path.n;
    bool listed = level_enter(w);
    if (!listed && !w->path.n)
        str_adds(&w->path, "./");
    return !listed;
}

/* The next file of the current pattern, or folder that cannot be listed; else false. */
static bool pattern_next(GlobWalk *w)
{
    while (w->levels.n) {
        Level *level = &w->levels.at[w->levels.n - 1];
        if (level->at == level->names_n) {
            level_leave(w);
            continue;
        }
        path_cut(&w->path, level->path_n);
        str_adds(&w->path, level->names[level->at++]);
        struct stat info;
        if (lstat(w->path.at, &info) != 0)
            continue;
        if (S_ISREG(info.st_mode) && glob_match(w->rest, w->path.at + w->root_n))
            return true;
        if (S_ISDIR(info.st_mode) && may_hold(w->rest, w->path.at + w->root_n)) {
            str_addc(&w->path, '/');
            if (!level_enter(w))
                return true;
        }
    }
    return false;
}

const char *glob_next(GlobWalk *w)
{
    while (w->pattern < w->patterns_n) {
        bool found = !w->begun ? pattern_begin(w) : false;
        if (!found)
            found = pattern_next(w);
        if (!found) {
            w->pattern++;
            w->begun = false;
        } else if (!is_excluded(w, w->path.at) && !is_seen_before(w, w->path.at)) {
            return w->path.at;
        }
    }
    return NULL;
}

void glob_end(GlobWalk *w)
{
    if (!w)
        return;
    while (w->levels.n)
        level_leave(w);
    array_drop(&w->levels);
    str_drop(&w->path);
    mem_free(w->spelt);
    mem_free(w);
}
