/* The tasks of the family `shell`, each of its forms in the world of the benchmark. */
#include "env/family_shell.h"

#include <ctype.h>

#include "base/scratch_test.h"
#include "env/needs_sandbox_test.h"
#include "env/nl2bash.h"

enum { ROUNDS = 1, SHOWN_LINES = 9 }; /* worlds; each form is asked in each, which takes a second or two */

static size_t words_in(const char *text)
{
    size_t n = 0;
    Span word;
    while ((word = words_next(&text)).n)
        n++;
    return n;
}

static void tasks_are_short_and_plain(void **state)
{
    (void)state;
    ShellAsked a = {0};
    for (uint64_t seed = 0; seed < 30; seed++) {
        ShellWorld w[2] = {0};
        Rng rng;
        rng_seed(&rng, seed);
        shell_worlds_draw(w, 2, &rng);
        for (size_t form = 0; form < shell_forms_n; form++) {
            shell_ask_draw(&a, &w[seed % 2], form, &rng);
            const char *command = str_c(&a.command), *slip = str_c(&a.slip);
            bool plain = !strpbrk(command, "\"\\$`") && !strpbrk(slip, "\"\\$`");
            for (const char *c = command; *c; c++)
                plain = plain && !isupper((unsigned char)*c);
            if (!plain || words_in(command) > 12 || words_in(str_c(&a.question)) > 25 ||
                strcmp(command, slip) == 0 || strchr(str_c(&a.question), '{') || strchr(command, '{'))
                fail_msg("%s: %s: %s", str_c(&a.question), command, slip);
        }
        for (size_t i = 0; i < 2; i++)
            shell_world_drop(&w[i]);
    }
    shell_asked_drop(&a);
}

static void no_project_is_drawn_twice(void **state)
{
    (void)state;
    ShellWorld w[4] = {0};
    Rng rng;
    rng_seed(&rng, 5);
    shell_worlds_draw(w, 4, &rng);
    for (size_t i = 0; i < 4 * SHELL_PROJECTS; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(w[i / SHELL_PROJECTS].projects[i % SHELL_PROJECTS].name,
                                    w[j / SHELL_PROJECTS].projects[j % SHELL_PROJECTS].name);
    for (size_t i = 0; i < 4; i++)
        shell_world_drop(&w[i]);
}

/* The world in the sandbox. ------------------------------------------------------------------------------ */

typedef struct {
    ShellWorld drawn;
    Nl2BashImage *image;
    Nl2BashTurn turn;
} Opened;

static void open_drawn(Opened *o, Rng *rng)
{
    Str script = {0};
    *o = (Opened){0};
    shell_worlds_draw(&o->drawn, 1, rng);
    shell_world_script(&script, &o->drawn);
    scratch_text("intercode/bash/setup_nl2b_fs_1.sh", str_c(&script));
    scratch_text("intercode/bash/docker.gitignore", "usr\nroot\nvar\netc\nhome\nrun\nsrv\nmnt\nopt\n");
    if (nl2bash_image_open(&o->image, scratch, 1) != ST_OK)
        fail_msg("%s", error_text());
    str_drop(&script);
}

static void close_drawn(Opened *o)
{
    nl2bash_image_close(o->image);
    nl2bash_turn_drop(&o->turn);
    shell_world_drop(&o->drawn);
}

static size_t lines_in(const Str *text)
{
    size_t n = 0;
    for (size_t i = 0; i < text->n; i++)
        n += text->at[i] == '\n';
    return n;
}

/* The reward after the last of the actions in fresh files; before it none is 1. */
static double reward_of(Opened *o, const ShellAsked *a, const char *const *actions)
{
    Nl2BashSpec spec = {.query = str_c(&a->question), .gold = str_c(&a->command)};
    Nl2Bash *b;
    assert_int_equal(nl2bash_open(&b, o->image, &spec), ST_OK);
    for (size_t i = 0; actions[i]; i++) {
        if (nl2bash_act(b, &o->turn, span(actions[i])) != ST_OK)
            fail_msg("%s: %s", actions[i], error_text());
        if (actions[i + 1] && o->turn.reward.total >= 1)
            fail_msg("%s: done by: %s", str_c(&a->question), actions[i]);
        if (actions[i + 1] && lines_in(&o->turn.text) > SHOWN_LINES)
            fail_msg("%s: shown much:\n%s", actions[i], str_c(&o->turn.text));
    }
    nl2bash_close(b);
    return o->turn.reward.total;
}

static void gold_earns_all_and_nothing_else_does(void **state)
{
    (void)state;
    needs_sandbox();
    ShellAsked a = {0};
    Rng rng;
    rng_seed(&rng, 11);
    for (int round = 0; round < ROUNDS; round++) {
        Opened o;
        open_drawn(&o, &rng);
        for (size_t form = 0; form < shell_forms_n; form++) {
            shell_ask_draw(&a, &o.drawn, form, &rng);
            const char *gold = str_c(&a.command), *slip = str_c(&a.slip);
            const char *const actions[] = {"true", slip, gold, NULL};
            if (reward_of(&o, &a, actions) != 1 || !o.turn.done)
                fail_msg("%s: %s: not done any more by: %s\n%s", str_c(&a.question), slip, gold,
                         str_c(&o.turn.text));
        }
        close_drawn(&o);
    }
    shell_asked_drop(&a);
}

/* The first path of a question, or its project; without the sentence's end. */
static void path_in(char out[64], const char *question, const ShellWorld *w)
{
    Span word, path = {NULL, 0};
    while (!path.n && (word = words_next(&question)).n) {
        if (memchr(word.at, '/', word.n))
            path = word;
        for (size_t i = 0; i < SHELL_PROJECTS; i++)
            if (span_starts(word, w->projects[i].name))
                path = word;
    }
    while (path.n && strchr("?.,", path.at[path.n - 1]))
        path.n--;
    assert_true(path.n > 0 && path.n < 64);
    snprintf(out, 64, "%.*s", (int)path.n, path.at);
}

static void looking_is_not_doing(void **state)
{
    (void)state;
    needs_sandbox();
    static const char *const looks[] = {"cat %s", "ls %s", "sort %s", "wc %s", "grep e %s", "skip"};
    ShellAsked a = {0};
    Opened o;
    Rng rng;
    rng_seed(&rng, 12);
    open_drawn(&o, &rng);
    for (size_t form = 0; form < shell_forms_n; form++) {
        char path[64];
        shell_ask_draw(&a, &o.drawn, form, &rng);
        path_in(path, str_c(&a.question), &o.drawn);
        Str action = {0};
        const char *look = looks[form % (sizeof looks / sizeof *looks)], *hole = strstr(look, "%s");
        str_add(&action, look, hole ? (size_t)(hole - look) : strlen(look));
        str_adds(&action, hole ? path : "");
        if (reward_of(&o, &a, (const char *const[]){str_c(&action), NULL}) >= 1)
            fail_msg("%s: done by: %s", str_c(&a.question), str_c(&action));
        str_drop(&action);
    }
    close_drawn(&o);
    shell_asked_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_are_short_and_plain),
        cmocka_unit_test(no_project_is_drawn_twice),
        cmocka_unit_test(gold_earns_all_and_nothing_else_does),
        cmocka_unit_test(looking_is_not_doing),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
