#include "env/ctf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "env/docker_exec.h"
#include "env/sandbox_host.h"

enum { FILES_MAX = 4096, BYTES_MAX = 512 << 20, DEPTH_MAX = 16 };

/* What the original says (ctf_env.py; recorded text). */
static const char says_wrong[] = "Submitted flag is incorrect. Keep trying!";

struct Ctf {
    CtfSpec spec;
    char *copy;  /* on the host */
    char *place; /* inside      */
    Str folder;
    Str last; /* the text of the turn before */
};

/* The copy. ---------------------------------------------------------------------------------------------- */

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
    Error before = error_take(); /* often behind a failure, whose sentence stays */
    if (c->copy && folder_remove(c->copy) != ST_OK)
        log_debug("%s", error_text()); /* a leftover in TMPDIR harms nobody */
    (void)error_put(&before);
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

/* Commands. ---------------------------------------------------------------------------------------------- */

bool ctf_command(Str *out, CtfQuoting quoting, Span action)
{
    str_clear(out);
    if (span_starts(action, "python3 -c") || span_starts(action, "python -c"))
        return docker_words(out, action);
    if (quoting == CTF_QUOTED) {
        str_add(out, "/bin/bash\0-c", 13);
        str_add(out, action.at, action.n);
        str_addc(out, 0);
        return true;
    }
    return docker_bash(out, action);
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

static SandboxSpec inside(const Ctf *c)
{
    SandboxSpec spec = {.work = c->copy, .place = c->place, .limits = sandbox_limits()};
    spec.limits.wall_seconds = c->spec.seconds > 0 ? c->spec.seconds : DOCKER_SECONDS;
    host_reopen(c->copy);
    return spec;
}

static bool quoted(Str *words, Span action)
{
    return ctf_command(words, CTF_QUOTED, action);
}

/* `cd` is a command of its own, which begins at the root; what stands behind it is a path to the last letter.
 */
static Status change_folder(Ctf *c, CtfTurn *out, Span action)
{
    SandboxSpec spec = inside(c);
    Span path = action.n > 3 ? (Span){action.at + 3, action.n - 3} : (Span){"/", 1};
    return docker_cd(&out->text, &out->done, &spec, &c->folder, path,
                     c->spec.quoting == CTF_QUOTED ? quoted : docker_bash);
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
    SandboxSpec spec = inside(c);
    bool nul = action.n && memchr(action.at, 0, action.n);
    if (nul || !ctf_command(&words, c->spec.quoting, action))
        str_clear(&words); /* no command: it is said so */
    Status st = docker_exec(&out->text, &out->done, &spec, ctf_folder(c), &words);
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
