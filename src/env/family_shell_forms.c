/* The tasks of the family `shell`: what is asked, the command that does it, and commands that do not.
 *
 * The reward (nl2bash_reward.h) compares outputs by their words of two letters and more, whatever their
 * order, and of the files that change only new ones by what is in them.  So no task is to show all lines
 * sorted; one that changes a file shows of it what is new; a new folder gets what is moved away from
 * elsewhere. Actions lose capitals and double quotes: there are none.  A wrong command leaves nothing that
 * the right one does not put right, and its output is not like the right one's whatever the files hold. */
#include <stdio.h>
#include <string.h>

#include "env/family_shell.h"

enum { WORD = 16 };

/* What a task is about. */
typedef struct {
    const ShellProject *project;
    const ShellFolder *folder, *other;
    const ShellFile *file;
    const char *new_file, *new_folder, *new_word;
    char word[WORD]; /* which stands in some lines of the file, not in all */
    int number, column;
} Ask;

static void add_folder(Str *out, const Ask *a, bool misspelt)
{
    const char *name = a->folder->name;
    str_addf(out, "%s/%.*s", a->project->name, (int)(strlen(name) - misspelt), name);
}

static void add_file(Str *out, const Ask *a, const char *name, bool misspelt, bool ending)
{
    add_folder(out, a, misspelt);
    str_addf(out, "/%s%s%s", name, ending ? "." : "", ending ? a->file->ending : "");
}

/* What stands in a form for a letter in braces. */
static void add_hole(Str *out, const Ask *a, char letter)
{
    switch (letter) {
    case 'p': str_adds(out, a->project->name); break;
    case 'd': add_folder(out, a, false); break;
    case 'y': add_folder(out, a, true); break;
    case 'o': str_addf(out, "%s/%s", a->project->name, a->other->name); break;
    case 'x': str_addf(out, "%s/%s", a->project->name, a->new_folder); break;
    case 'f': add_file(out, a, a->file->name, false, true); break;
    case 'b': add_file(out, a, a->file->name, false, false); break;
    case 'q': add_file(out, a, a->file->name, true, true); break;
    case 'm': add_file(out, a, a->new_file, false, true); break;
    case 't': add_file(out, a, a->new_file, true, true); break;
    case 'z': str_addf(out, "%s/%s.%s", a->project->name, a->new_file, a->file->ending); break;
    case 'a': str_addf(out, "%s.%s", a->file->name, a->file->ending); break;
    case 'e': str_adds(out, a->file->ending); break;
    case 'w': str_adds(out, a->word); break;
    case 'v': str_adds(out, a->new_word); break;
    case 'n': str_addf(out, "%d", a->number); break;
    default: str_addf(out, "%d", a->column); break; /* c */
    }
}

static void add(Str *out, const Ask *a, const char *form)
{
    for (; *form; form++) {
        if (form[0] == '{' && form[1] && form[2] == '}') {
            add_hole(out, a, form[1]);
            form += 2;
        } else {
            str_addc(out, *form);
        }
    }
}

typedef struct {
    const char *kind;
    unsigned folders;     /* kinds of those it fits */
    const char *words[2]; /* none of which holds another as a whole */
    const char *command, *slips[2];
} Form;

#define ANY (~0U)
#define ROWS (ANY ^ SHELL_LIST)

/* {p} a project  {d} a folder  {f} a file, {a} without its folder, {b} without its ending {e}
 * {y} the folder misspelt  {q} the file there
 * {o} another folder  {x} a new one  {m} a new file beside {f}, {t} in {y}  {z} a new file in {p}
 * {w} a word  {v} another, which is in no file  {n} 2, 3 or 4  {c} a column */
static const Form forms[] = {
    {"count",
     ANY,
     {"How many lines does {f} have?", "Count the lines of {f}."},
     "wc -l < {f}",
     {"wc -l {f}", "wc -l < {b}"}},
    {"count",
     ANY,
     {"How many words does {f} have?", "Count the words of {f}."},
     "wc -w < {f}",
     {"wc -w {f}", "wc -w < {q}"}},
    {"count",
     ANY,
     {"How many bytes does {f} have?", "Count the bytes of {f}."},
     "wc -c < {f}",
     {"wc -c {f}", "wc -l < {f}"}},
    {"count",
     ANY,
     {"How many lines of {f} have the word {w}?", "Count the lines of {f} with the word {w}."},
     "grep -c {w} {f}",
     {"grep {w} {f}", "grep -c {w} {b}"}},
    {"count",
     SHELL_LIST,
     {"How many different lines does {f} have?", "Count the lines of {f}, repeated ones once."},
     "sort -u {f} | wc -l",
     {"uniq {f} | wc -l", "sort {f} | wc -l"}},
    {"count",
     ANY,
     {"How many files are in {d}?", "Count the files in {d}."},
     "ls {d} | wc -l",
     {"ls {d}", "ls {y} | wc -l"}},
    {"count",
     ANY,
     {"How many .{e} files are in {d}?", "Count the .{e} files in {d}."},
     "ls {d}/*.{e} | wc -l",
     {"ls {d} | wc -l", "ls {d}/{e} | wc -l"}},
    {"count",
     ANY,
     {"How many .{e} files are there below {p}?", "Count the .{e} files below {p}."},
     "find {p} -name '*.{e}' | wc -l",
     {"ls {p}/*.{e} | wc -l", "find {p} -name {e} | wc -l"}},
    {"count",
     ANY,
     {"How many lines do the .{e} files in {d} have in all?", "Count the lines of all .{e} files in {d}."},
     "cat {d}/*.{e} | wc -l",
     {"wc -l {d}/*.{e}", "cat {d}/{e} | wc -l"}},
    {"count",
     ANY,
     {"How many bytes do the files in {d} have in all?", "Count the bytes of all files in {d}."},
     "cat {d}/* | wc -c",
     {"cat {d} | wc -c", "cat {y}/* | wc -c"}},
    {"count",
     ANY,
     {"How many files in {d} have the word {w}?", "Count the files in {d} with the word {w}."},
     "grep -l {w} {d}/* | wc -l",
     {"grep -c {w} {d}/*", "grep -l {w} {d} | wc -l"}},
    {"count",
     ANY,
     {"How many files below {p} have the word {w}?", "Count the files below {p} with the word {w}."},
     "grep -rl {w} {p} | wc -l",
     {"grep -l {w} {p} | wc -l", "grep -l {w} {p}/* | wc -l"}},

    {"show",
     ROWS,
     {"Show the first {n} lines of {f}.", "What are the first {n} lines of {f}?"},
     "head -n {n} {f}",
     {"tail -n {n} {f}", "head -n {n} {b}"}},
    {"show",
     ROWS,
     {"Show the last {n} lines of {f}.", "What are the last {n} lines of {f}?"},
     "tail -n {n} {f}",
     {"head -n {n} {f}", "tail -n {n} {q}"}},
    {"show",
     ANY,
     {"Show line {n} of {f}.", "What is line {n} of {f}?"},
     "sed -n {n}p {f}",
     {"sed {n}p {f}", "sed -n {n} {f}"}},
    {"show",
     ROWS,
     {"Show the lines of {f} with the word {w}.", "Which lines of {f} have the word {w}?"},
     "grep {w} {f}",
     {"grep -c {w} {f}", "grep {f} {w}"}},
    {"show",
     ROWS,
     {"Show the lines of {f} without the word {w}.", "Which lines of {f} do not have the word {w}?"},
     "grep -v {w} {f}",
     {"grep {w} {f}", "grep -v {w} {b}"}},
    {"show",
     ANY,
     {"Show the first {n} lines of {f} after sorting.", "Sort {f} and show the first {n} lines."},
     "sort {f} | head -n {n}",
     {"sort {b} | head -n {n}", "sort {q} | head -n {n}"}},
    {"show",
     SHELL_TABLE,
     {"Show column {c} of {f}.", "What is in column {c} of {f}?"},
     "cut -d , -f {c} {f}",
     {"cut -f {c} {f}", "cut -d , {f}"}},
    {"show",
     SHELL_TABLE,
     {"Which row of {f} has the largest number?", "Show the row of {f} with the largest number."},
     "sort -t , -k 2 {f} | tail -n 1",
     {"sort -t , -k 2 {f}", "sort -t , -k 2 {b} | tail -n 1"}},
    {"show",
     SHELL_LIST,
     {"Which lines of {f} are repeated?", "Show the lines that {f} has more than once."},
     "sort {f} | uniq -d",
     {"uniq -d {f}", "sort {b} | uniq -d"}},
    {"show",
     SHELL_LIST,
     {"Which line does {f} have most often, and how often?",
      "Show the most frequent line of {f} and its count."},
     "sort {f} | uniq -c | sort -n | tail -n 1",
     {"sort {f} | uniq -c", "sort {b} | uniq -c | sort -n | tail -n 1"}},

    {"find",
     ANY,
     {"Which .{e} files are in {d}?", "List the .{e} files in {d}."},
     "ls {d}/*.{e}",
     {"ls {d}/{e}", "ls {y}/*.{e}"}},
    {"find",
     ANY,
     {"Which files in {d} have the word {w}?", "List the files in {d} with the word {w}."},
     "grep -l {w} {d}/*",
     {"grep -l {w} {d}", "grep -l {d} {w}"}},
    {"find",
     ANY,
     {"Where below {p} is the file {a}?", "Find the file {a} below {p}."},
     "find {p} -name {a}",
     {"ls {p}/{a}", "find {a}"}},
    {"find",
     ANY,
     {"Which file in {d} is the newest?", "Show the name of the newest file in {d}."},
     "ls -t {d} | head -n 1",
     {"ls -t {d}", "ls -t {y} | head -n 1"}},
    {"find",
     ANY,
     {"Which file in {d} is the oldest?", "Show the name of the oldest file in {d}."},
     "ls -t {d} | tail -n 1",
     {"ls -t {d} | head -n 1", "ls -t {y} | tail -n 1"}},
    {"find",
     ANY,
     {"Which file in {d} is the biggest? Give its bytes, too.",
      "Show bytes and name of the biggest file in {d}."},
     "du -b {d}/* | sort -n | tail -n 1",
     {"du -b {d} | sort -n | tail -n 1", "du -b {y}/* | sort -n | tail -n 1"}},

    {"change",
     ANY,
     {"Copy {f} to {m}.", "Make a copy of {f} named {m}."},
     "cp {f} {m}",
     {"cp {b} {m}", "cp {f}"}},
    {"change",
     ANY,
     {"Rename {f} to {m}.", "Give {f} the new name {m}."},
     "mv {f} {m}",
     {"mv {b} {m}", "mv {m} {f}"}},
    {"change",
     ANY,
     {"Move {f} to the folder {o}.", "Put {f} into the folder {o}."},
     "mv {f} {o}",
     {"mv {q} {o}", "mv {a} {o}"}},
    {"change", ANY, {"Delete {f}.", "Remove the file {f}."}, "rm {f}", {"rm {b}", "rm {a}"}},
    {"change",
     ANY,
     {"Delete the .{e} files in {d}.", "Remove all .{e} files from {d}."},
     "rm {d}/*.{e}",
     {"rm {d}/{e}", "rm {d}"}},
    {"change",
     ANY,
     {"Delete the .{e} files below {p}.", "Remove all .{e} files below {p}."},
     "find {p} -name '*.{e}' -delete",
     {"rm {p}/*.{e}", "find {p} -name '*.{e}' -rm"}},
    {"change",
     ANY,
     {"Make the folder {x} and move {f} there.", "Move {f} to the new folder {x}."},
     "mkdir -p {x} && mv {f} {x}",
     {"mv {f} {x}/", "mkdir -p {x} && mv {b} {x}"}},
    {"change",
     ANY,
     {"Make the folder {x} and move the .{e} files in {d} there.",
      "Move all .{e} files in {d} to the new folder {x}."},
     "mkdir -p {x} && mv {d}/*.{e} {x}",
     {"mv {d}/*.{e} {x}/", "mkdir -p {x} && mv {d}/{e} {x}"}},
    {"change",
     ANY,
     {"Append the line {v} to {f} and show its last {n} lines.",
      "Add the line {v} to {f}, then show the last {n} lines."},
     "echo {v} >> {f}; tail -n {n} {f}",
     {"echo {v} >> {q}; tail -n {n} {q}", "echo {v}; tail -n {n} {f}"}},
    {"change",
     ANY,
     {"Replace '{w}' by '{v}' in {f} and show the lines with {v}.",
      "In {f} change '{w}' to '{v}', then show the lines with {v}."},
     "sed -i s/{w}/{v}/g {f}; grep {v} {f}",
     {"sed -i s/{w}/{v} {f}; grep {v} {f}", "sed s/{w}/{v}/g {f}"}},
    {"change",
     ANY,
     {"Write {f} with '{v}' for '{w}' to {m}.", "Copy {f} to {m} with '{w}' replaced by '{v}'."},
     "sed s/{w}/{v}/g {f} > {m}",
     {"sed s/{w}/{v}/g {f}", "sed s/{w}/{v} {f} > {m}"}},
    {"change",
     ANY,
     {"Sort the lines of {f} into {m}.", "Write {f} sorted to {m}."},
     "sort {f} > {m}",
     {"sort {f}", "sort {b} > {m}"}},
    {"change",
     ANY,
     {"Write the first {n} lines of {f} to {m}.", "Put the first {n} lines of {f} into {m}."},
     "head -n {n} {f} > {m}",
     {"head -n {n} {f}", "head -n {n} {b} > {m}"}},
    {"change",
     ANY,
     {"Write the lines of {f} with the word {w} to {m}.", "Put the lines of {f} with the word {w} into {m}."},
     "grep {w} {f} > {m}",
     {"grep {w} {f}", "grep {w} {b} > {m}"}},
    {"change",
     ANY,
     {"Join the .{e} files in {d} into {z}.", "Write all .{e} files in {d} to {z}."},
     "cat {d}/*.{e} > {z}",
     {"cat {d}/{e} > {z}", "cat {d} > {z}"}},
    {"change",
     ANY,
     {"Make the empty file {m}.", "Make a new file {m} with nothing in it."},
     "touch {m}",
     {"touch {t}", "touch"}},
    {"change",
     SHELL_SCRIPT,
     {"Make {f} executable.", "Allow {f} to be executed."},
     "chmod +x {f}",
     {"chmod x {f}", "chmod +x {b}"}},
    {"change",
     SHELL_TOOL,
     {"Make {f} not executable.", "Forbid {f} to be executed."},
     "chmod -x {f}",
     {"chmod x {f}", "chmod -x {b}"}},
};
const size_t shell_forms_n = sizeof forms / sizeof *forms;

/* Drawing. ----------------------------------------------------------------------------------------------- */

static const char *const new_words[] = {"amber", "cobalt", "violet", "pearl",
                                        "onyx",  "ivory",  "coral",  "maple"};
static const char *const new_folders[] = {"archive", "backup", "spare", "trash", "extra", "safe"};

/* How many lines have it, of how many. */
static bool in_some(const char *text, const char *word)
{
    size_t with = 0, all = 0;
    for (; *text; all++) {
        size_t n = strcspn(text, "\n");
        with += memmem(text, n, word, strlen(word)) != NULL;
        text += n + (text[n] == '\n');
    }
    return with && with < all;
}

static bool is_word(const char *at, size_t n)
{
    return n > 2 && n < WORD && *at >= 'a';
}

/* Each is as likely as it is often.  There is one: lines differ. */
static void draw_word(char out[WORD], const char *text, Rng *rng)
{
    static const char ends[] = " ,\n";
    do {
        const char *at = text + rng_below(rng, strlen(text));
        while (at > text && !strchr(ends, at[-1]))
            at--;
        size_t n = strcspn(at, ends);
        *out = 0;
        if (is_word(at, n))
            snprintf(out, WORD, "%.*s", (int)n, at);
    } while (!*out || !in_some(text, out));
}

static void draw_place(Ask *a, const ShellWorld *w, unsigned kinds, Rng *rng)
{
    do {
        a->project = &w->projects[rng_below(rng, SHELL_PROJECTS)];
        a->folder = &a->project->folders[rng_below(rng, SHELL_FOLDERS)];
    } while (!(a->folder->kind & kinds));
    do
        a->other = &a->project->folders[rng_below(rng, SHELL_FOLDERS)];
    while (a->other == a->folder);
    a->file = &a->folder->files[rng_below(rng, a->folder->n)];
}

void shell_ask_draw(ShellAsked *out, const ShellWorld *w, size_t form, Rng *rng)
{
    const Form *f = &forms[form];
    Ask a = {0};
    draw_place(&a, w, f->folders, rng);
    draw_word(a.word, str_c(&a.file->text), rng);
    a.new_file = a.project->names[a.project->used + rng_below(rng, SHELL_NAMES - a.project->used)];
    a.new_folder = DRAW_OF(rng, new_folders);
    a.new_word = DRAW_OF(rng, new_words);
    a.number = (int)draw_between(rng, 2, 4);
    a.column = (int)draw_between(rng, 1, 3);
    Str *const texts[] = {&out->question, &out->command, &out->slip};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_clear(texts[i]);
    add(&out->question, &a, DRAW_OF(rng, f->words));
    add(&out->command, &a, f->command);
    add(&out->slip, &a, DRAW_OF(rng, f->slips));
    out->form = f->kind;
}

void shell_asked_drop(ShellAsked *a)
{
    str_drop(&a->question);
    str_drop(&a->command);
    str_drop(&a->slip);
}
