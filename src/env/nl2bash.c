#include "env/nl2bash.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "env/docker_exec.h"
#include "env/git_status.h"
#include "env/nl2bash_image.h"

enum { GOLD_SECONDS = 60 };

struct Nl2Bash {
    Nl2BashSpec spec;
    const Nl2BashImage *image;
    Copy copy;      /* the agent's, on the host */
    bool unchanged; /* nothing in it is other than it was at first */
    Str folder;     /* inside */
    Str last;       /* what was last seen: the query, or a command's output */
    bool gold_failed;
};

Status nl2bash_open(Nl2Bash **out, const Nl2BashImage *image, const Nl2BashSpec *spec)
{
    Nl2Bash *b = mem_new(Nl2Bash);
    b->spec = *spec;
    b->image = image;
    str_adds(&b->folder, "/");
    str_adds(&b->last, spec->query);
    b->unchanged = true;
    Status st = copy_take(&b->copy, image);
    if (st == ST_OK)
        *out = b;
    else
        nl2bash_close(b);
    return st;
}

void nl2bash_close(Nl2Bash *b)
{
    if (!b)
        return;
    copy_give(&b->copy, b->image, b->unchanged);
    str_drop(&b->folder);
    str_drop(&b->last);
    mem_free(b);
}

const char *nl2bash_folder(const Nl2Bash *b)
{
    return str_c(&b->folder);
}

void nl2bash_turn_drop(Nl2BashTurn *t)
{
    Str *const texts[] = {&t->text, &t->agent_status, &t->gold_status, &t->gold};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_drop(texts[i]);
}

/* Commands. ---------------------------------------------------------------------------------------------- */

static Status run(Str *out, bool *done, const SandboxSpec *spec, const char *folder, Span action)
{
    Str words = {0};
    if (!docker_bash(&words, span_trim(action)))
        str_clear(&words); /* no command: it is said so */
    Status st = docker_exec(out, done, spec, folder, &words);
    str_drop(&words);
    return st;
}

static Status command(Nl2Bash *b, Nl2BashTurn *out, Span action)
{
    b->unchanged = false; /* until it is looked at */
    SandboxSpec spec = copy_sandbox(b->copy.path, b->spec.seconds > 0 ? b->spec.seconds : DOCKER_SECONDS);
    host_reopen(b->copy.path);
    if (span_starts(action, "cd ") || span_is(action, "cd")) {
        Span path = action.n > 3 ? span_trim((Span){action.at + 3, action.n - 3}) : (Span){"/", 1};
        return docker_cd(&out->text, &out->done, &spec, &b->folder, path, docker_bash);
    }
    return run(&out->text, &out->done, &spec, nl2bash_folder(b), action);
}

/* The reward. -------------------------------------------------------------------------------------------- */

typedef struct {
    FileTree agent, gold;
} Both;

static Span without_slash(Span path)
{
    return span_ends(path, "/") ? (Span){path.at, path.n - 1} : path;
}

/* What `md5sum PATH` or `md5deep -r PATH` prints in both containers: the first where the path has a dot; the
 * second is not in the image, so that it prints one error in both.  Quotes keep what stands between them from
 * being the file that git means. */
static bool same_content(const Both *both, Span path)
{
    if (!memchr(path.at, '.', path.n) || memchr(path.at, '"', path.n))
        return true;
    const FileEntry *a = file_tree_find(&both->agent, without_slash(path)),
                    *g = file_tree_find(&both->gold, without_slash(path));
    if (!a || !g || (a->mode & S_IFMT) != (g->mode & S_IFMT))
        return false;
    return S_ISDIR(a->mode) || (a->size == g->size && a->hash[0] == g->hash[0] && a->hash[1] == g->hash[1]);
}

static bool is_addition(Span code)
{
    return span_is(code, "??") || span_is(code, "A") || span_is(code, "C");
}

static void compare(Nl2BashTurn *out, const Both *both)
{
    GitChanges agent = {0}, gold = {0};
    git_changes_read(&agent, str_span(&out->agent_status));
    git_changes_read(&gold, str_span(&out->gold_status));
    out->diff = (Nl2BashDiff){0};
    for (size_t i = 0; i < agent.n; i++) {
        if (!git_changes_have(&gold, &agent.at[i])) {
            out->diff.extra++;
        } else if (is_addition(agent.at[i].code)) {
            out->diff.added++;
            out->diff.equal += same_content(both, agent.at[i].path);
        }
    }
    for (size_t i = 0; i < gold.n; i++)
        out->diff.missing += !git_changes_have(&agent, &gold.at[i]);
    array_drop(&agent);
    array_drop(&gold);
}

/* In fresh files, from the root. */
static Status run_gold(Nl2Bash *b, Nl2BashTurn *out, Both *both)
{
    Copy copy;
    bool done;
    TRY(copy_take(&copy, b->image));
    SandboxSpec spec =
        copy_sandbox(copy.path, b->spec.seconds > GOLD_SECONDS ? b->spec.seconds : GOLD_SECONDS);
    Status st = ST_OK;
    if (!b->gold_failed)
        st = run(&out->gold, &done, &spec, "/", span(b->spec.gold));
    if (st == ST_OK)
        st = file_tree_read(&both->gold, copy.path, false);
    b->gold_failed = b->gold_failed || strcmp(str_c(&out->gold), docker_timed_out) == 0 ||
                     strcmp(str_c(&out->gold), docker_malformed) == 0;
    copy_give(&copy, b->image, st == ST_OK && file_tree_unchanged(&b->image->tree, &both->gold, copy.made));
    return st;
}

static Status reward(Nl2Bash *b, Nl2BashTurn *out)
{
    Both both = {0};
    Status st = run_gold(b, out, &both);
    if (st == ST_OK)
        st = file_tree_read(&both.agent, b->copy.path, false);
    b->unchanged = st == ST_OK && file_tree_unchanged(&b->image->tree, &both.agent, b->copy.made);
    if (st == ST_OK) {
        git_status(&out->agent_status, &b->image->tree, &both.agent);
        git_status(&out->gold_status, &b->image->tree, &both.gold);
        compare(out, &both);
        out->gold_failed = b->gold_failed;
        if (b->gold_failed)
            str_clear(&out->gold);
        Span gold = b->gold_failed ? (Span){NULL, 0} : (Span){str_c(&out->gold), out->gold.n};
        out->reward = nl2bash_reward(&out->diff, (Span){str_c(&b->last), b->last.n}, gold);
    }
    file_tree_drop(&both.agent);
    file_tree_drop(&both.gold);
    return st;
}

Status nl2bash_act(Nl2Bash *b, Nl2BashTurn *out, Span action)
{
    Str *const texts[] = {&out->text, &out->agent_status, &out->gold_status, &out->gold};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_clear(texts[i]);
    out->done = out->gave_up = out->gold_failed = false;
    if (span_is(action, "skip")) {
        out->gave_up = true;
        str_adds(&out->text, "skipped");
    } else if (span_starts(action, "submit")) {
        out->done = true;
        str_add(&out->text, b->last.at, b->last.n);
    } else {
        TRY(command(b, out, action));
        str_clear(&b->last);
        str_add(&b->last, out->text.at, out->text.n);
    }
    return reward(b, out);
}
