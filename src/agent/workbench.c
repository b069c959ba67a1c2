#include "agent/workbench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "env/bash.h"
#include "env/python.h"
#include "env/sandbox_host.h"

struct Workbench {
    char *folder;         /* the user's, without links in its path; NULL */
    char *private;        /* the host's folder that is /work; NULL: it is the user's */
    const char *shown[2]; /* read-only: the user's */
    char *variable;       /* FOLDER=..., for commands */
    const char *env[2];
    PythonSpec python_spec;
    Python *python; /* NULL: not begun */
    Bash *bash;
};

/* Folders ------------------------------------------------------------------------------------------------ */

/* To show these would show the host, or hide what programs need. */
static Status check_folder(const char *path)
{
    static const char *const system[] = {"/",    "/usr",   "/etc", "/proc", "/sys",  "/dev", "/bin", "/sbin",
                                         "/lib", "/lib64", "/tmp", "/work", "/boot", "/run", "/var", "/root"};
    for (size_t i = 0; i < sizeof system / sizeof system[0]; i++)
        if (strcmp(path, system[i]) == 0)
            return fail(ST_ARG, "the folder %s is the system's: name a folder of your own below it", path);
    return ST_OK;
}

static Status take_folder(Workbench *w, const WorkbenchSetup *setup)
{
    SandboxUser user;
    if (!setup->folder)
        return setup->write ? fail(ST_ARG, "no folder is named that could be written to") : ST_OK;
    char *real = realpath(setup->folder, NULL);
    if (!real)
        return fail_errno(ST_ARG, "the folder %s", setup->folder);
    w->folder = mem_str(real);
    free(real);
    if (!path_is_folder(w->folder))
        return fail(ST_ARG, "%s is no folder", setup->folder);
    TRY(check_folder(w->folder));
    if (setup->write)
        return host_user(&user, w->folder);
    w->shown[0] = w->folder;
    return ST_OK;
}

/* Whoever the sandbox runs as owns it. */
static Status make_private(Workbench *w)
{
    SandboxUser user;
    const char *tmp = getenv("TMPDIR");
    char *path = mem_format("%s/lemur-work-XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp");
    TRY(host_user(&user, NULL));
    if (!mkdtemp(path)) {
        Status st = fail_errno(ST_IO, "a folder for the assistant's work cannot be made (%s)", path);
        mem_free(path);
        return st;
    }
    w->private = path;
    if (user.become && chown(path, user.uid, user.gid) != 0)
        return fail_errno(ST_IO, "%s cannot be given to the sandbox's user", path);
    return ST_OK;
}

const char *workbench_folder(const Workbench *w)
{
    return w->private ? w->folder : "/work";
}

bool workbench_holds_files(const Workbench *w)
{
    FolderList list;
    if (!w->private || folder_list(&list, w->private) != ST_OK)
        return false;
    bool holds = list.n > 0;
    folder_list_drop(&list);
    return holds;
}

/* Opening ------------------------------------------------------------------------------------------------ */

static void lay_out(Workbench *w, const WorkbenchSetup *setup)
{
    double seconds = setup->seconds > 0 ? setup->seconds : 60;
    size_t bytes = setup->output_bytes ? setup->output_bytes : 16000;
    const char *work = w->private ? w->private : w->folder;
    w->variable = mem_format("FOLDER=%s", workbench_folder(w) ? workbench_folder(w) : "/work");
    w->env[0] = w->variable;
    BashSpec bash = {.work = work,
                     .env = w->env,
                     .read_only = w->shown,
                     .limits = bash_limits(),
                     .output_bytes = bytes,
                     .stopped = setup->stopped,
                     .stopped_context = setup->stopped_context};
    bash.limits.wall_seconds = seconds;
    bash.limits.cpu_seconds = 2 * seconds;
    bash_open(&w->bash, &bash);
    w->python_spec = (PythonSpec){.work = work,
                                  .read_only = w->shown,
                                  .cell_seconds = seconds,
                                  .output_chars = (int)bytes,
                                  .stopped = setup->stopped,
                                  .stopped_context = setup->stopped_context};
}

/* Runs something with all of the view, so that what is wrong with it is said now, and not to the model. */
static Status try_view(Workbench *w)
{
    BashResult r;
    const char *folder = w->private && w->folder ? w->folder : "/work";
    Status st = bash_run(w->bash, &r, span("ls -A >/dev/null && ls -A -- \"$FOLDER\" >/dev/null"));
    if (st != ST_OK)
        return fail_in(st, "%s", w->folder ? w->folder : "the assistant's folder");
    bool good = r.end == SANDBOX_EXITED && r.code == 0;
    if (!good)
        st = fail(ST_ARG, "a sandboxed program cannot read %s (%.200s): it runs as %s, who must be let in",
                  folder, str_c(&r.text),
                  geteuid() == 0 ? "nobody, or as the owner of a folder that it may write to" : "you");
    bash_result_drop(&r);
    return st;
}

Status workbench_open(Workbench **out, const WorkbenchSetup *setup)
{
    Str says = {0};
    Workbench *w = mem_new(Workbench);
    Status st = sandbox_probe(&says);
    str_drop(&says);
    if (st == ST_OK)
        st = take_folder(w, setup);
    if (st == ST_OK && !setup->write)
        st = make_private(w);
    if (st == ST_OK) {
        lay_out(w, setup);
        st = try_view(w);
    }
    if (st != ST_OK) {
        workbench_close(w);
        return st;
    }
    *out = w;
    return ST_OK;
}

void workbench_reset(Workbench *w)
{
    python_close(w->python);
    w->python = NULL;
    bash_home(w->bash);
}

void workbench_close(Workbench *w)
{
    if (!w)
        return;
    python_close(w->python);
    bash_close(w->bash);
    if (w->private && folder_remove(w->private) != ST_OK)
        log_warn("the assistant's folder stays: %s", error_text());
    mem_free(w->variable);
    mem_free(w->private);
    mem_free(w->folder);
    mem_free(w);
}

/* Running ------------------------------------------------------------------------------------------------ */

static void end_line(Str *text)
{
    if (text->n && text->at[text->n - 1] != '\n')
        str_addc(text, '\n');
}

static Status run_python(Workbench *w, WorkbenchResult *r, Span code)
{
    PythonCell cell;
    if (!w->python)
        TRY(python_start(&w->python, &w->python_spec));
    TRY(python_run(w->python, &cell, code));
    str_add(&r->text, str_c(&cell.text), cell.text.n);
    r->good = cell.end == PYTHON_DONE;
    r->stopped = cell.stopped;
    r->truncated = cell.truncated;
    r->seconds = cell.seconds;
    if (cell.stopped && python_alive(w->python)) {
        end_line(&r->text);
        str_adds(&r->text, "[The user interrupted this block: it was not its time]");
    }
    python_cell_drop(&cell);
    if (!python_alive(w->python)) { /* the next block begins anew */
        python_close(w->python);
        w->python = NULL;
    }
    return ST_OK;
}

static void say_end(Str *text, const BashResult *b, double seconds)
{
    end_line(text);
    if (b->stopped)
        str_adds(text, "[The user interrupted this command]");
    else if (b->end == SANDBOX_EXITED)
        str_addf(text, "[exit status %d]", b->code);
    else if (b->end == SANDBOX_SIGNALLED)
        str_addf(text, "[ended by signal %d]", b->code);
    else if (b->end == SANDBOX_WALL_TIME)
        str_addf(text, "[ended after %g seconds, which are the limit]", seconds);
    else
        str_addf(text, "[ended by a limit: %s]", sandbox_end_name(b->end));
}

static Status run_bash(Workbench *w, WorkbenchResult *r, Span code)
{
    BashResult b;
    TRY(bash_run(w->bash, &b, code));
    str_add(&r->text, str_c(&b.text), b.text.n);
    r->good = b.end == SANDBOX_EXITED && b.code == 0;
    r->stopped = b.stopped;
    r->truncated = b.truncated;
    r->seconds = b.seconds;
    if (!r->good)
        say_end(&r->text, &b, w->python_spec.cell_seconds);
    bash_result_drop(&b);
    return ST_OK;
}

Status workbench_run(Workbench *w, WorkbenchResult *r, Tool tool, Span code)
{
    host_reopen(w->private ? w->private : w->folder);
    str_clear(&r->text);
    *r = (WorkbenchResult){.text = r->text};
    return tool == TOOL_PYTHON ? run_python(w, r, code) : run_bash(w, r, code);
}

void workbench_result_drop(WorkbenchResult *r)
{
    str_drop(&r->text);
}
