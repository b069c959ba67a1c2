/* Tasks in small file systems, by InterCode-Bash's protocol: the benchmark ic_bash. */
#include "env/family_shell.h"

#include "base/mem.h"
#include "env/nl2bash.h"

typedef struct {
    ShellWorld *worlds; /* [n] */
    size_t n;
    ShellAsked asked;
} ShellFamily;

static const char templates[] = "{\n \"bash\": {\n"
                                "  \"init\": \"Do the task by a bash command.\\n\",\n"
                                "  \"query\": \"Query: {query}\",\n"
                                "  \"observation\": \"Output: {observation}\\nReward: {reward}\",\n"
                                "  \"empty_observation\": \"Output: none\\nReward: {reward}\",\n"
                                "  \"retry\": \"Write a bash command.\"\n"
                                " }\n}\n";

/* Of the root, what is no part of a task. */
static const char ignored[] = "usr\nroot\nvar\netc\nhome\nrun\nsrv\nmnt\nopt\n";

static void close_shell(void *state)
{
    ShellFamily *f = state;
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++)
        shell_world_drop(&f->worlds[i]);
    mem_free(f->worlds);
    shell_asked_drop(&f->asked);
    mem_free(f);
}

static Status write_script(const ShellFamily *f, const char *data, size_t i)
{
    Str script = {0};
    char *name = mem_format(NL2BASH_SCRIPT, (int)i + 1);
    shell_world_script(&script, &f->worlds[i]);
    Status st = family_write(data, name, str_c(&script));
    mem_free(name);
    str_drop(&script);
    return st;
}

static Status open_shell(void **state, Rng *rng, const char *data, size_t files)
{
    ShellFamily *f = mem_new(ShellFamily);
    *state = f;
    f->worlds = mem_array(ShellWorld, files);
    f->n = files;
    shell_worlds_draw(f->worlds, files, rng);
    for (size_t i = 0; i < files; i++)
        TRY(write_script(f, data, i));
    TRY(family_write(data, NL2BASH_IGNORE, ignored));
    return family_write(data, "intercode/prompt/templates.json", templates);
}

/* Fences are how the protocol finds the command; the recorded episode has it alone. */
static Status draw_shell(void *state, Rng *rng, FamilyTask *out)
{
    ShellFamily *f = state;
    ShellAsked *a = &f->asked;
    shell_ask_draw(a, &f->worlds[(size_t)out->number % f->n], rng_below(rng, shell_forms_n), rng);
    str_adds(&out->question, str_c(&a->question));
    str_adds(&out->key, str_c(&a->command));
    out->record = json_pack("{s:s, s:s, s:s}", "query", str_c(&a->question), "gold", str_c(&a->command),
                            "kind", a->form);
    if (draw_chance(rng, 4))
        family_slip(out, "```bash\n%s\n```", str_c(&DRAW_OF(rng, a->slips)));
    family_say(out, "```bash\n%s\n```", str_c(&a->command));
    shell_hints(out, str_c(&a->command));
    return ST_OK;
}

const Family family_shell = {
    .name = "shell",
    .about = "tasks in small file systems, done with commands by InterCode-Bash's protocol",
    .benchmark = "ic_bash",
    .questions = NL2BASH_TASKS,
    .files = NL2BASH_IMAGES,
    .tasks_a_file = 50, /* who sees few file systems learns their names instead of reading the question's */
    .array = true,
    .open = open_shell,
    .draw = draw_shell,
    .close = close_shell,
};
