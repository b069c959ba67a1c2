#include "env/ctf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "env/sandbox_host.h"

enum { FILES_MAX = 4096, BYTES_MAX = 512 << 20, DEPTH_MAX = 16, OUTPUT_MAX = 16 << 20 };
static const double seconds_of_command = 10;

/* What the original says (ic_env.py, ctf_env.py; recorded text). */
static const char says_timed_out[] = "Command timed out", says_malformed[] = "Malformed command",
                  says_wrong[] = "Submitted flag is incorrect. Keep trying!";

struct Ctf {
    CtfSpec spec;
    char *copy;  /* on the host */
    char *place; /* inside      */
    Str folder;
    Str last; /* the text of the turn before */
};

/* The copy. -----------------------------------------------------------------------------------------------
 */

typedef struct {
    SandboxUser user;
    int64_t files, bytes;
} Copy;

static Status give(const Copy *c, const char *path)
{
    return c->user.become && chown(path, c->user.uid, c->user.gid) != 0 ? fail_errno(ST_IO, "%s", path)
                                                                        : ST_OK;
}

/* Without its modes, as git gives them to the image but for the executable bit. */
static Status copy_file(Copy *c, const char *from, const char *to, const struct stat *s)
{
    FileMap map;
    if (++c->files > FILES_MAX || (c->bytes += s->st_size) > BYTES_MAX)
        return fail(ST_LIMIT, "%s: a task has at most %d files and %d MB", from, FILES_MAX, BYTES_MAX >> 20);
    TRY(file_map(&map, from));
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, s->st_mode & 0100 ? 0755 : 0644);
    size_t at = 0;
    for (ssize_t n; fd >= 0 && at < map.n; at += (size_t)n)
        if ((n = write(fd, map.at + at, map.n - at)) < 0)
            break;
    bool good = fd >= 0 && at == map.n;
    Status st = good ? give(c, to) : fail_errno(ST_IO, "%s", to);
    if (fd >= 0)
        close(fd);
    file_unmap(&map);
    return st;
}

/* Plain files and folders; the solutions stay behind, as they do in the original's image. */
static Status copy_folder(Copy *c, const char *from, const char *to, int depth)
{
    FolderList names;
    if (depth > DEPTH_MAX)
        return fail(ST_LIMIT, "%s: folders within folders, more than %d", from, DEPTH_MAX);
    TRY(folder_list(&names, from));
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < names.n; i++) {
        struct stat s;
        if (strcmp(names.at[i], ".placeholder") == 0 || (depth == 0 && strcmp(names.at[i], "solution") == 0))
            continue;
        char *source = path_join(from, names.at[i]), *target = path_join(to, names.at[i]);
        if (lstat(source, &s) != 0)
            st = fail_errno(ST_IO, "%s", source);
        else if (S_ISREG(s.st_mode))
            st = copy_file(c, source, target, &s);
        else if (S_ISDIR(s.st_mode) && (st = folder_make(target)) == ST_OK &&
                 (st = copy_folder(c, source, target, depth + 1)) == ST_OK)
            st = give(c, target);
        mem_free(source);
        mem_free(target);
    }
    folder_list_drop(&names);
    return st;
}

static Status make_copy(Ctf *c)
{
    Copy copy = {0};
    const char *tmp = getenv("TMPDIR");
    TRY(host_user(&copy.user, NULL));
    c->copy = mem_format("%s/lemur-ctf-XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp");
    if (!mkdtemp(c->copy)) {
        Status st = fail_errno(ST_IO, "%s", c->copy);
        mem_free(c->copy);
        c->copy = NULL;
        return st;
    }
    if (c->spec.assets)
        TRY(copy_folder(&copy, c->spec.assets, c->copy, 0));
    return give(&copy, c->copy);
}

static bool is_plain_name(const char *id)
{
    return *id &&
           strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == strlen(id) &&
           strlen(id) < 64;
}

Status ctf_open(Ctf **out, const CtfSpec *spec)
{
    if (!is_plain_name(spec->id))
        return fail(ST_ARG, "'%.64s' is no task's name", spec->id);
    Ctf *c = mem_new(Ctf);
    c->spec = *spec;
    c->place = mem_format("/ctf/%s", spec->id);
    str_adds(&c->folder, c->place);
    Status st = make_copy(c);
    if (st == ST_OK)
        *out = c;
    else
        ctf_close(c);
    return st == ST_OK ? ST_OK : fail_in(st, "the files of task %s", spec->id);
}

void ctf_close(Ctf *c)
{
    if (!c)
        return;
    if (c->copy && folder_remove(c->copy) != ST_OK)
        (void)error_text(); /* a leftover in TMPDIR harms nobody */
    mem_free(c->copy);
    mem_free(c->place);
    str_drop(&c->folder);
    str_drop(&c->last);
    mem_free(c);
}

void ctf_set_quoting(Ctf *c, CtfQuoting quoting)
{
    c->spec.quoting = quoting;
}

const char *ctf_folder(const Ctf *c)
{
    return str_c(&c->folder);
}

void ctf_turn_drop(CtfTurn *t)
{
    str_drop(&t->text);
}

/* Commands. -----------------------------------------------------------------------------------------------
 */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Words as Python's shlex.split finds them (posix), which the Docker client splits its commands with. */
static bool add_words(Str *out, Span text)
{
    char quote = 0;
    bool word = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i], next = i + 1 < text.n ? text.at[i + 1] : 0;
        if (quote && c == quote) {
            quote = 0;
        } else if (c == '\\' && quote != '\'') {
            if (i + 1 == text.n)
                return false;
            if (quote && next != '\\' && next != quote)
                str_addc(out, c);
            str_addc(out, next);
            word = true;
            i++;
        } else if (quote) {
            str_addc(out, c);
        } else if (c == '\'' || c == '"') {
            quote = c;
            word = true;
        } else if (!is_blank(c)) {
            str_addc(out, c);
            word = true;
        } else if (word) {
            str_addc(out, 0);
            word = false;
        }
    }
    if (word)
        str_addc(out, 0);
    return !quote;
}

bool ctf_command(Str *out, CtfQuoting quoting, Span action)
{
    str_clear(out);
    if (span_starts(action, "python3 -c") || span_starts(action, "python -c"))
        return add_words(out, action);
    if (quoting == CTF_QUOTED) {
        str_add(out, "/bin/bash\0-c", 13);
        str_add(out, action.at, action.n);
        str_addc(out, 0);
        return true;
    }
    Str text = {0};
    str_adds(&text, "/bin/bash -c \"");
    str_add(&text, action.at, action.n);
    str_addc(&text, '"');
    bool good = add_words(out, str_span(&text));
    str_drop(&text);
    return good;
}

bool ctf_flag_is_right(Span action, Span gold)
{
    const char *first = memchr(action.at, ' ', action.n);
    if (!first)
        return false;
    Span flag = {first + 1, action.n - (size_t)(first + 1 - action.at)};
    const char *end = memchr(flag.at, ' ', flag.n);
    flag.n = end ? (size_t)(end - flag.at) : flag.n;
    return flag.n == gold.n && strncasecmp(flag.at, gold.at, flag.n) == 0;
}

/* `path` as seen from *folder, without "." and "..", by the text alone; overwrites *folder. */
static void go_to(Str *folder, Span path)
{
    Str all = {0}, out = {0};
    if (path.n == 0 || path.at[0] != '/') {
        str_add(&all, folder->at, folder->n);
        str_addc(&all, '/');
    }
    str_add(&all, path.at, path.n);
    for (size_t i = 0; i < all.n;) {
        size_t n = 0;
        while (i + n < all.n && all.at[i + n] != '/')
            n++;
        Span part = {all.at + i, n};
        if (span_is(part, "..")) {
            while (out.n && out.at[--out.n] != '/')
                ;
        } else if (n && !span_is(part, ".")) {
            str_addc(&out, '/');
            str_add(&out, part.at, part.n);
        }
        i += n + 1;
    }
    str_clear(folder);
    str_adds(folder, out.n ? "" : "/");
    str_add(folder, str_c(&out), out.n);
    str_drop(&all);
    str_drop(&out);
}

/* `words`, each ended by NUL, run in `folder`; both outputs go one way. */
static Status run(Ctf *c, CtfTurn *out, const char *folder, const Str *words)
{
    static const char start[] = "exec 2>&1; cd -- \"$0\" && exec -- \"$@\"";
    Array(const char *) argv = {0};
    array_push(&argv, "bash");
    array_push(&argv, "-c");
    array_push(&argv, start);
    array_push(&argv, folder);
    for (size_t i = 0; i < words->n; i += strlen(words->at + i) + 1)
        array_push(&argv, words->at + i);
    array_push(&argv, NULL);
    SandboxResult r;
    SandboxSpec spec = {.argv = argv.at, .work = c->copy, .place = c->place, .limits = sandbox_limits()};
    spec.limits.wall_seconds = c->spec.seconds > 0 ? c->spec.seconds : seconds_of_command;
    spec.limits.output_bytes = OUTPUT_MAX;
    Status st = sandbox_run(&r, &spec, NULL);
    array_drop(&argv);
    if (st != ST_OK)
        return st;
    if (r.end == SANDBOX_WALL_TIME || r.end == SANDBOX_CPU_TIME)
        str_adds(&out->text, says_timed_out);
    else if (r.end == SANDBOX_OUTPUT || !utf8_valid(str_c(&r.out), r.out.n))
        str_adds(&out->text, says_malformed);
    else
        str_add(&out->text, r.out.at, r.out.n);
    out->done = r.end == SANDBOX_EXITED && r.code == 0;
    sandbox_result_drop(&r);
    return ST_OK;
}

/* `cd` is a command of its own, which begins at the root; what stands behind it is a path to the last letter.
 */
static Status change_folder(Ctf *c, CtfTurn *out, Span action)
{
    Str to = {0}, line = {0}, words = {0};
    str_add(&to, c->folder.at, c->folder.n);
    go_to(&to, action.n > 3 ? (Span){action.at + 3, action.n - 3} : (Span){"/", 1});
    str_addf(&line, "cd %s", str_c(&to));
    Status st = ST_OK;
    if (ctf_command(&words, c->spec.quoting, str_span(&line)))
        st = run(c, out, "/", &words);
    else
        str_adds(&out->text, says_malformed);
    if (st == ST_OK && out->done) {
        str_clear(&c->folder);
        str_add(&c->folder, to.at, to.n);
    }
    str_drop(&to);
    str_drop(&line);
    str_drop(&words);
    return st;
}

static void submit(Ctf *c, CtfTurn *out, Span action)
{
    out->submitted = true;
    out->solved = out->done = ctf_flag_is_right(action, span(c->spec.gold));
    if (out->solved)
        str_add(&out->text, c->last.at, c->last.n);
    else
        str_adds(&out->text, says_wrong);
}

static Status command(Ctf *c, CtfTurn *out, Span action)
{
    Str words = {0};
    Status st = ST_OK;
    bool nul = action.n && memchr(action.at, 0, action.n),
         good = !nul && ctf_command(&words, c->spec.quoting, action);
    if (good && words.n && words.n < 100000)
        st = run(c, out, ctf_folder(c), &words);
    else
        str_adds(&out->text, says_malformed);
    str_drop(&words);
    return st;
}

Status ctf_act(Ctf *c, CtfTurn *out, Span action)
{
    Status st = ST_OK;
    str_clear(&out->text);
    out->done = out->submitted = out->solved = out->gave_up = false;
    if (span_is(action, "skip"))
        out->gave_up = true;
    else if (span_is(action, "submit") || span_starts(action, "submit "))
        submit(c, out, action);
    else if (span_is(action, "cd") || span_starts(action, "cd "))
        st = change_folder(c, out, action);
    else
        st = command(c, out, action);
    str_clear(&c->last);
    str_add(&c->last, out->text.at, out->text.n);
    return st;
}
