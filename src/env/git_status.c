#include "env/git_status.h"

#include <stdlib.h>
#include <string.h>

/* What is ignored. --------------------------------------------------------------------------------------- */

/* The next line of *text, trimmed; false: the end. */
static bool next_line(Span *line, Span *text)
{
    if (!text->n)
        return false;
    const char *end = memchr(text->at, '\n', text->n);
    size_t n = end ? (size_t)(end - text->at) : text->n, whole = n + (end != NULL);
    *line = span_trim((Span){text->at, n});
    *text = (Span){text->at + whole, text->n - whole};
    return true;
}

static bool is_ignored_name(const FileEntry *list, Span name)
{
    Span text = str_span(&list->bytes), line;
    while (next_line(&line, &text))
        if (line.n == name.n && line.at[0] != '#' && memcmp(line.at, name.at, name.n) == 0)
            return true;
    return false;
}

bool git_ignores(const FileTree *before, Span path)
{
    const FileEntry *list = file_tree_find(before, span(".gitignore"));
    for (size_t at = 0; list && at < path.n;) {
        const char *slash = memchr(path.at + at, '/', path.n - at);
        size_t n = slash ? (size_t)(slash - path.at) - at : path.n - at;
        if (n && is_ignored_name(list, (Span){path.at + at, n}))
            return true;
        at += n + 1;
    }
    return false;
}

/* Lines. ------------------------------------------------------------------------------------------------- */

/* As git quotes: what is not plain ASCII is escaped, between double quotes; so is a path with a blank. */
static void add_path(Str *out, const char *path)
{
    static const char letters[] = "\a\b\t\n\v\f\r\"\\", escapes[] = "abtnvfr\"\\";
    Str quoted = {0};
    bool special = strchr(path, ' ') != NULL;
    for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
        const char *letter = strchr(letters, *c);
        special = special || letter || *c < 0x20 || *c >= 0x7f;
        if (letter)
            str_addf(&quoted, "\\%c", escapes[letter - letters]);
        else if (*c < 0x20 || *c >= 0x7f)
            str_addf(&quoted, "\\%03o", *c);
        else
            str_addc(&quoted, (char)*c);
    }
    str_addf(out, special ? "\"%s\"\n" : "%s\n", str_c(&quoted));
    str_drop(&quoted);
}

static bool is_kept_kind(mode_t mode)
{
    return S_ISREG(mode) || S_ISLNK(mode);
}

static const char *change_of(const FileEntry *before, const FileEntry *now)
{
    if (!now || S_ISDIR(now->mode))
        return " D ";
    if ((now->mode & S_IFMT) != (before->mode & S_IFMT))
        return " T ";
    bool same =
        now->size == before->size && now->hash[0] == before->hash[0] && now->hash[1] == before->hash[1];
    if (S_ISREG(now->mode))
        same = same && (now->mode & 0100) == (before->mode & 0100);
    return same ? NULL : " M ";
}

static void add_changes(Str *out, const FileTree *committed, const FileTree *now)
{
    for (size_t i = 0; i < committed->n; i++) {
        const FileEntry *e = &committed->at[i];
        const char *code = change_of(e, file_tree_find(now, span(e->path)));
        if (code) {
            str_adds(out, code);
            add_path(out, e->path);
        }
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The highest folder above the path that has no committed file, with a slash, or the path itself. */
static char *collapsed(const FileTree *committed, const char *path)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        if (!file_tree_holds_files(committed, (Span){path, (size_t)(slash - path)}))
            return mem_format("%.*s", (int)(slash - path) + 1, path);
    return mem_str(path);
}

static void add_untracked(Str *out, const FileTree *before, const FileTree *committed, const FileTree *now)
{
    Array(char *) names = {0};
    for (size_t i = 0; i < now->n; i++) {
        const FileEntry *e = &now->at[i];
        if (is_kept_kind(e->mode) && !git_ignores(before, span(e->path)) &&
            !file_tree_find(committed, span(e->path)))
            array_push(&names, collapsed(committed, e->path));
    }
    if (names.n)
        qsort(names.at, names.n, sizeof *names.at, by_text);
    for (size_t i = 0; i < names.n; i++) {
        if (i == 0 || strcmp(names.at[i - 1], names.at[i]) != 0) {
            str_adds(out, "?? ");
            add_path(out, names.at[i]);
        }
    }
    for (size_t i = 0; i < names.n; i++)
        mem_free(names.at[i]);
    array_drop(&names);
}

void git_status(Str *out, const FileTree *before, const FileTree *now)
{
    FileTree committed = {0}; /* its entries are views */
    for (size_t i = 0; i < before->n; i++)
        if (is_kept_kind(before->at[i].mode) && !git_ignores(before, span(before->at[i].path)))
            array_push(&committed, before->at[i]);
    add_changes(out, &committed, now);
    add_untracked(out, before, &committed, now);
    array_drop(&committed);
}

/* Reading. ----------------------------------------------------------------------------------------------- */

static Span next_word(Span *text)
{
    size_t from = 0, n = 0;
    while (from < text->n && strchr(" \t\n\v\f\r", text->at[from]))
        from++;
    while (from + n < text->n && !strchr(" \t\n\v\f\r", text->at[from + n]))
        n++;
    Span word = {text->at + from, n};
    *text = (Span){text->at + from + n, text->n - from - n};
    return word;
}

static int compare_spans(Span a, Span b)
{
    size_t least = a.n < b.n ? a.n : b.n;
    int c = least ? memcmp(a.at, b.at, least) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_change(const void *a, const void *b)
{
    const GitChange *x = a, *y = b;
    int c = compare_spans(x->path, y->path);
    return c ? c : compare_spans(x->code, y->code);
}

bool git_changes_have(const GitChanges *c, const GitChange *change)
{
    return c->n && bsearch(change, c->at, c->n, sizeof *c->at, by_change);
}

void git_changes_read(GitChanges *out, Span text)
{
    size_t kept = 0;
    array_clear(out);
    for (;;) {
        GitChange change;
        change.code = next_word(&text);
        change.path = next_word(&text);
        if (!change.path.n)
            break;
        array_push(out, change);
    }
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_change);
    for (size_t i = 0; i < out->n; i++)
        if (i == 0 || by_change(&out->at[i], &out->at[kept - 1]) != 0)
            out->at[kept++] = out->at[i];
    out->n = kept;
}
