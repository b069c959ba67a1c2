/* The file systems of the family `shell`: what they hold, and the script that makes them. */
#include <string.h>

#include "base/mem.h"
#include "env/family_shell.h"

enum { LINES_LEAST = 6, LINES_MOST = 8, ITEMS = 4, FILES_LEAST = 3 };

/* As many as four file systems have: each part sees the same names, and other files below them. */
static const char *const project_names[] = {"bakery", "garden", "museum", "studio",
                                            "hotel",  "market", "castle", "tower"};
enum { PROJECTS = sizeof project_names / sizeof *project_names };
_Static_assert(PROJECTS % SHELL_PROJECTS == 0, "worlds take their names in turn");

static const char *const file_names[SHELL_NAMES] = {
    "plan",  "budget", "menu",  "summer", "winter", "guests", "travel", "team",  "status",  "review",
    "ideas", "monday", "march", "north",  "staff",  "water",  "garage", "music", "parking", "trip"};

static const struct {
    ShellKind kind;
    const char *names[3], *endings[2];
} folder_kinds[] = {{SHELL_TEXT, {"notes", "letters", "drafts"}, {"txt", "md"}},
                    {SHELL_LOG, {"logs", "events", "alarms"}, {"log", "out"}},
                    {SHELL_TABLE, {"tables", "sales", "scores"}, {"csv", "dat"}},
                    {SHELL_LIST, {"lists", "orders", "stocks"}, {"txt", "lst"}},
                    {SHELL_SCRIPT, {"scripts", "jobs", "drills"}, {"sh", "py"}},
                    {SHELL_TOOL, {"tools", "checks", "helpers"}, {"sh", "pl"}}};
enum { KINDS = sizeof folder_kinds / sizeof *folder_kinds };
_Static_assert(KINDS % SHELL_PROJECTS == 0 && SHELL_FOLDERS >= KINDS / SHELL_PROJECTS,
               "a world has each kind");

static const char *const people[] = {"alice", "boris", "cleo",  "dora",  "emil",  "fritz", "gina", "henry",
                                     "irene", "jakob", "karin", "louis", "marta", "nils",  "olga", "peter"};
static const char *const deeds[] = {"sold", "bought",  "cleaned", "found",
                                    "lost", "painted", "moved",   "fixed"};
static const char *const looks[] = {"fresh", "dusty", "heavy", "cheap", "small", "round", "warm", "new"};
static const char *const things[] = {"bread", "milk",   "honey", "lamp",  "table",  "rope",
                                     "paper", "soap",   "glass", "coal",  "carpet", "apple",
                                     "brick", "butter", "chair", "pencil"};
static const char *const levels[] = {"error", "warning", "info"};
static const char *const parts[] = {"disk", "network", "printer", "camera",
                                    "door", "pump",    "engine",  "sensor"};
static const char *const states[] = {"full", "slow", "ready", "closed", "broken", "hot", "empty"};
static const char *const colours[] = {"red", "green", "blue", "white", "black"};
static const char *const orders[] = {"echo", "printf"};

/* Lines. ------------------------------------------------------------------------------------------------- */

static void add_line(Str *out, ShellKind kind, Rng *rng)
{
    const char *person = DRAW_OF(rng, people), *look = DRAW_OF(rng, looks), *thing = DRAW_OF(rng, things);
    switch (kind) {
    case SHELL_TEXT: str_addf(out, "%s %s %s %s\n", person, DRAW_OF(rng, deeds), look, thing); break;
    case SHELL_LOG:
        str_addf(out, "%s %s ", DRAW_OF(rng, levels), DRAW_OF(rng, parts));
        str_addf(out, "%s\n", DRAW_OF(rng, states));
        break;
    case SHELL_TABLE:
        str_addf(out, "%s,%lld,", person, (long long)draw_between(rng, 10, 99));
        str_addf(out, "%s\n", DRAW_OF(rng, colours));
        break;
    case SHELL_LIST: break;
    case SHELL_SCRIPT:
    case SHELL_TOOL: str_addf(out, "%s %s %s\n", DRAW_OF(rng, orders), look, thing); break;
    }
}

/* Of a table: its name or its number stands in an earlier line; of others: the whole line does. */
static bool is_repeated(const Str *text, size_t from, ShellKind kind)
{
    const char *line = str_c(text) + from;
    size_t n = kind == SHELL_TABLE ? strcspn(line, ",") + 1 : strlen(line);
    return from &&
           (memmem(text->at, from, line, n) || (kind == SHELL_TABLE && memmem(text->at, from, line + n, 3)));
}

static void add_lines(Str *out, ShellKind kind, Rng *rng)
{
    int64_t n = draw_between(rng, LINES_LEAST, LINES_MOST);
    for (int64_t i = 0; i < n; i++) {
        size_t from = out->n;
        for (;;) {
            add_line(out, kind, rng);
            if (!is_repeated(out, from, kind))
                break;
            out->n = from;
            out->at[from] = 0;
        }
    }
}

/* One of the counts is above all others. */
static bool has_most(const int counts[ITEMS])
{
    int most = 0, with_it = 0;
    for (int i = 0; i < ITEMS; i++) {
        with_it = counts[i] > most ? 1 : with_it + (counts[i] == most);
        most = counts[i] > most ? counts[i] : most;
    }
    return with_it == 1;
}

static void add_items(Str *out, Rng *rng)
{
    size_t n = sizeof things / sizeof *things, first = rng_below(rng, n);
    int counts[ITEMS] = {0};
    do {
        size_t last = ITEMS;
        str_clear(out);
        memset(counts, 0, sizeof counts);
        for (int64_t i = draw_between(rng, LINES_LEAST + 1, LINES_MOST); i > 0; i--) {
            size_t item;
            do
                item = rng_below(rng, ITEMS);
            while (item == last);
            last = item;
            counts[item]++;
            str_addf(out, "%s\n", things[(first + 3 * item) % n]);
        }
    } while (!has_most(counts));
}

/* Trees. ------------------------------------------------------------------------------------------------- */

static void shuffle(const char **names, size_t n, Rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        size_t other = rng_below(rng, i);
        const char *swapped = names[i - 1];
        names[i - 1] = names[other];
        names[other] = swapped;
    }
}

static bool is_long_as_another(const ShellFolder *d, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (d->files[j].text.n == d->files[i].text.n)
            return true;
    return false;
}

static void draw_folder(ShellProject *p, ShellFolder *d, size_t kind, Rng *rng)
{
    d->name = DRAW_OF(rng, folder_kinds[kind].names);
    d->kind = folder_kinds[kind].kind;
    d->n = (size_t)draw_between(rng, FILES_LEAST, SHELL_FILES);
    for (size_t i = 0; i < d->n; i++) {
        ShellFile *f = &d->files[i];
        f->name = p->names[p->used++];
        f->ending = folder_kinds[kind].endings[i < 2 ? i : rng_below(rng, 2)];
        do {
            str_clear(&f->text);
            if (d->kind == SHELL_LIST)
                add_items(&f->text, rng);
            else
                add_lines(&f->text, d->kind, rng);
        } while (is_long_as_another(d, i));
    }
}

/* Its folders are of the kinds from `first` on. */
static void draw_project(ShellProject *p, const char *name, size_t first, Rng *rng)
{
    p->name = name;
    memcpy(p->names, file_names, sizeof file_names);
    shuffle(p->names, SHELL_NAMES, rng);
    for (size_t i = 0; i < SHELL_FOLDERS; i++)
        draw_folder(p, &p->folders[i], (first + i) % KINDS, rng);
}

void shell_worlds_draw(ShellWorld *out, size_t n, Rng *rng)
{
    const char *names[PROJECTS];
    size_t used = PROJECTS;
    memcpy(names, project_names, sizeof names);
    for (size_t i = 0; i < n; i++) {
        if (used == PROJECTS) {
            shuffle(names, PROJECTS, rng);
            used = 0;
        }
        size_t first = rng_below(rng, KINDS);
        for (size_t j = 0; j < SHELL_PROJECTS; j++)
            draw_project(&out[i].projects[j], names[used++], first + j * (KINDS / SHELL_PROJECTS), rng);
    }
}

void shell_world_drop(ShellWorld *w)
{
    for (size_t i = 0; i < SHELL_PROJECTS; i++)
        for (size_t j = 0; j < SHELL_FOLDERS; j++)
            for (size_t k = 0; k < SHELL_FILES; k++)
                str_drop(&w->projects[i].folders[j].files[k].text);
}

/* The script. -------------------------------------------------------------------------------------------- */

/* A command for the files of these kinds that are so old, 0 the oldest; SHELL_FILES: for all.  None where
 * there are none. */
static void add_command(Str *out, const char *command, const ShellWorld *w, unsigned kinds, size_t age)
{
    size_t n = 0;
    for (size_t i = 0; i < SHELL_PROJECTS; i++)
        for (size_t j = 0; j < SHELL_FOLDERS; j++) {
            const ShellFolder *d = &w->projects[i].folders[j];
            for (size_t k = 0; k < d->n; k++)
                if ((age == k || age == SHELL_FILES) && (d->kind & kinds))
                    str_addf(out, "%s %s/%s/%s.%s", n++ ? "" : command, w->projects[i].name, d->name,
                             d->files[k].name, d->files[k].ending);
        }
    str_adds(out, n ? "\n" : "");
}

static void add_folder(Str *out, const char *project, const ShellFolder *d)
{
    str_addf(out, "mkdir -p %s/%s\n", project, d->name);
    for (size_t k = 0; k < d->n; k++)
        str_addf(out, "printf '%%s' '%s' > %s/%s/%s.%s\n", str_c(&d->files[k].text), project, d->name,
                 d->files[k].name, d->files[k].ending);
}

/* `touch` and `chmod` are given many at once: they are programs, printf is none. */
void shell_world_script(Str *out, const ShellWorld *w)
{
    str_adds(out, "#!/bin/bash\ncd /\n");
    for (size_t i = 0; i < SHELL_PROJECTS; i++)
        for (size_t j = 0; j < SHELL_FOLDERS; j++)
            add_folder(out, w->projects[i].name, &w->projects[i].folders[j]);
    for (size_t age = 0; age < SHELL_FILES; age++) {
        char *command = mem_format("touch -d 2024-0%zu-01", age + 1);
        add_command(out, command, w, ~0U, age);
        mem_free(command);
    }
    add_command(out, "chmod +x", w, SHELL_TOOL, SHELL_FILES);
}
