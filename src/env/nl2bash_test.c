#include "env/nl2bash.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/data_test.h"
#include "base/scratch_test.h"
#include "env/needs_sandbox_test.h"

static Nl2BashImage *open_image(const char *data, int number)
{
    Nl2BashImage *image;
    if (nl2bash_image_open(&image, data, number) != ST_OK)
        fail_msg("%s", error_text());
    return image;
}

static Nl2BashImage *image_of(const char *script)
{
    scratch_text("intercode/bash/setup_nl2b_fs_1.sh", script);
    scratch_text("intercode/bash/docker.gitignore", "usr\nroot\nvar\netc\nhome\nrun\nsrv\nmnt\nopt\n");
    return open_image(scratch, 1);
}

static Nl2Bash *begin(const Nl2BashImage *image, const Nl2BashSpec *spec)
{
    Nl2Bash *b;
    if (nl2bash_open(&b, image, spec) != ST_OK)
        fail_msg("%s", error_text());
    return b;
}

static Nl2BashTurn turn;

static void act(Nl2Bash *b, const char *action)
{
    if (nl2bash_act(b, &turn, span(action)) != ST_OK)
        fail_msg("%s: %s", action, error_text());
}

static void expect(Nl2Bash *b, const char *action, const char *text, const char *status)
{
    act(b, action);
    if (strcmp(str_c(&turn.text), text) != 0 || strcmp(str_c(&turn.agent_status), status) != 0)
        fail_msg("%s:\n%s\n%s", action, str_c(&turn.text), str_c(&turn.agent_status));
}

static const char *const script =
    "#!/bin/bash\nmkdir -p /w/sub /w/none\necho one >/w/a.txt\necho two >/w/sub/b.txt\n"
    "touch -m -t202301010000 /w/sub/b.txt\nfalse\n";

static void an_episode(void **state)
{
    (void)state;
    needs_sandbox();
    Nl2BashImage *image = image_of(script);
    Nl2BashSpec spec = {.query = "Say it", .gold = "echo three > /w/c.txt; cat /w/a.txt", .seconds = 2};
    Nl2Bash *b = begin(image, &spec);
    expect(b, "ls /w /w/sub", "/w:\na.txt\nsub\n\n/w/sub:\nb.txt\n", ""); /* no /w/none */
    assert_true(turn.diff.missing == 1 && turn.diff.extra == 0 && turn.reward.file_diff == 0.05);
    assert_string_equal(str_c(&turn.gold), "one\n");
    assert_string_equal(str_c(&turn.gold_status), "?? w/c.txt\n");
    expect(b, "find /w -mmin -5; date -r /w/sub/b.txt +%Y", "2023\n", "");
    expect(b, "cd w/./sub", "", "");
    assert_string_equal(nl2bash_folder(b), "/w/sub");
    expect(b, "pwd; X=1", "/w/sub\n", "");
    expect(b, "echo [$X] \"a  b\"", "[] a\n", ""); /* its quotes end the others: b is no part of it */
    expect(b, "cd nowhere", "/bin/bash: line 1: cd: /w/sub/nowhere: No such file or directory\n", "");
    expect(b, "echo other > ../c.txt; mkdir ../e; rm b.txt", "", " D w/sub/b.txt\n?? w/c.txt\n");
    assert_true(turn.diff.added == 1 && turn.diff.equal == 0 && turn.reward.file_changes == 0);
    assert_true(turn.diff.extra == 1 && turn.diff.missing == 0);
    expect(b, "echo three > ../c.txt; echo two > b.txt; cat ../a.txt", "one\n", "?? w/c.txt\n");
    assert_true(turn.reward.total == 1 && turn.done && turn.diff.equal == 1);
    expect(b, "false", "", "?? w/c.txt\n");
    assert_true(!turn.done && turn.reward.answer_similarity == 0);
    expect(b, "sleep 9", "Command timed out", "?? w/c.txt\n");
    expect(b, "echo \"", "Malformed command", "?? w/c.txt\n");
    expect(b, "printf '\\377'", "Malformed command", "?? w/c.txt\n");
    expect(b, "cat /w/a.txt", "one\n", "?? w/c.txt\n");
    expect(b, "submit", "one\n", "?? w/c.txt\n");
    assert_true(turn.reward.total == 1);
    expect(b, "skip", "skipped", "?? w/c.txt\n");
    assert_true(turn.gave_up);
    nl2bash_close(b);
    b = begin(image, &spec); /* fresh */
    expect(b, "submit", "Say it", "");
    assert_true(turn.reward.answer_similarity == 0);
    nl2bash_close(b);
    nl2bash_image_close(image);
    nl2bash_turn_drop(&turn);
    turn = (Nl2BashTurn){0};
}

/* Whatever the episode before did: a copy that was only read is used again, another is not. */
static void an_episode_begins_anew(void **state)
{
    (void)state;
    needs_sandbox();
    static const char look[] =
        "stat -c '%n %X %Y %a %s' /w /w/a.txt /w/sub /w/sub/b.txt /tmp; find /w -cmin -1 | sort";
    static const struct {
        const char *action;
        bool again;
    } befores[] = {{"cat /w/a.txt /w/sub/b.txt; find /", true},
                   {"echo more >>/w/a.txt", false},
                   {"touch -d @0 /w/a.txt", false},
                   {"chmod 000 /", false},
                   {": >/new; rm /new", false},
                   {"mkdir /tmp/d; rmdir /tmp/d; touch -r /w /tmp", false}};
    Nl2BashImage *image = image_of(script);
    Nl2BashSpec spec = {.query = "Say it", .gold = "true", .seconds = 9};
    Str first = {0}, inode = {0};
    for (size_t i = 0; i < sizeof befores / sizeof *befores; i++) {
        Nl2Bash *b = begin(image, &spec);
        act(b, look);
        if (!first.n)
            str_add(&first, turn.text.at, turn.text.n);
        assert_string_equal(str_c(&turn.text), str_c(&first));
        act(b, "stat -c %i /");
        str_clear(&inode);
        str_add(&inode, turn.text.at, turn.text.n);
        act(b, befores[i].action);
        nl2bash_close(b);
        b = begin(image, &spec);
        act(b, "stat -c %i /");
        if ((strcmp(str_c(&turn.text), str_c(&inode)) == 0) != befores[i].again)
            fail_msg("%s: %s, %s", befores[i].action, str_c(&inode), str_c(&turn.text));
        nl2bash_close(b);
    }
    nl2bash_image_close(image);
    str_drop(&first);
    str_drop(&inode);
    nl2bash_turn_drop(&turn);
    turn = (Nl2BashTurn){0};
}

/* After each of these the next command runs, and the host is as it was. */
static void hostile_commands(void **state)
{
    (void)state;
    needs_sandbox();
    scratch_text("host", "kept\n");
    Nl2BashImage *image = image_of(script);
    static const char *const acts[] = {
        "rm -rf / --no-preserve-root",
        "chmod 000 / /w /w/*",
        "mkdir -p /b/c/d; touch /b/c/f; chmod 555 /b/c/d; chmod -R 644 /b; chmod 300 /",
        "mv /usr /etc /proc /dev /w; rm -rf /bin /lib*; ln -s /w /bin",
        ":(){ :|:& };: ; wait",
        "ln -s / /w/root; ln -sf /etc/passwd /w/a.txt; mkfifo /w/pipe; mkfifo /w/p.txt",
        "d=/w; for i in $(seq 200); do d=$d/d; done; mkdir -p $d; touch $d/x",
        "yes > /w/full",
        "for i in $(seq 3000); do : > /w/file$i; done",
        "kill -9 -1",
        "rm /setup_nl2b_fs_1.sh /.gitignore; mkdir /.gitignore",
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        Nl2BashSpec spec = {.query = "", .gold = acts[i], .seconds = 2};
        Nl2Bash *b = begin(image, &spec);
        act(b, acts[i]);
        assert_true(turn.reward.total >= 0 && turn.reward.total <= 1);
        act(b, "echo still here; cat /etc/hostname");
        assert_string_equal(str_c(&turn.text), "still here\nsandbox\n");
        nl2bash_close(b);
    }
    nl2bash_image_close(image);
    nl2bash_turn_drop(&turn);
    turn = (Nl2BashTurn){0};
    Str host = scratch_read("host");
    assert_string_equal(str_c(&host), "kept\n");
    str_drop(&host);
}

static void hostile_scripts(void **state)
{
    (void)state;
    needs_sandbox();
    static const char *const scripts[] = {
        "#!/bin/bash\nrm -rf --no-preserve-root /\n",
        "\xff\xfe not a script",
        "",
        "#!/no/such/shell\n",
        "#!/bin/bash\nchmod 000 /; :(){ :|:& };:\n",
        "#!/bin/bash\nln -s / /w; ln -s /etc /x; mkfifo /p.txt; kill -9 -1\n"};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        Nl2BashImage *image = image_of(scripts[i]);
        Nl2BashSpec spec = {.query = "", .gold = "echo x"};
        Nl2Bash *b = begin(image, &spec);
        act(b, "echo x");
        assert_true(turn.reward.total == 1);
        nl2bash_close(b);
        nl2bash_image_close(image);
    }
    nl2bash_turn_drop(&turn);
    turn = (Nl2BashTurn){0};
    Nl2BashImage *none;
    scratch_text("intercode/bash/setup_nl2b_fs_1.sh",
                 "#!/bin/bash\nd=/; for i in $(seq 99); do d=$d/d; done; mkdir -p $d\n");
    assert_int_equal(nl2bash_image_open(&none, scratch, 1), ST_LIMIT);
    assert_int_equal(nl2bash_image_open(&none, scratch, 2), ST_IO);
    expect_words("--fetch ic_bash");
}

/* What a gold command gives is not the same twice, or depends on the machine's disk. */
static bool may_differ(int number, size_t task)
{
    static const int tasks[][2] = {{1, 11}, /* a process that goes on while the files are compared */
                                   {2, 36}, {2, 42}, {3, 44}, {3, 50}, {4, 25}}; /* df, date, load */
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (tasks[i][0] == number && (size_t)tasks[i][1] == task)
            return true;
    return false;
}

/* Every gold command scores 1 against itself; those that walk all of /usr are left to LEMUR_EVERY=1. */
static void golds_score_one(void **state)
{
    (void)state;
    needs_sandbox();
    const char *data = data_with("intercode/bash/setup_nl2b_fs_1.sh");
    if (!data)
        skip();
    bool all = getenv("LEMUR_EVERY") != NULL;
    int ones = 0, played = 0;
    double resets = 0;
    for (int number = 1; number <= NL2BASH_IMAGES; number++) {
        Nl2BashImage *image = open_image(data, number);
        char *name = mem_format(NL2BASH_TASKS, number), *path = path_join(data, name);
        json_t *tasks = json_load_file(path, 0, NULL);
        assert_true(json_array_size(tasks) >= 20);
        for (size_t i = 0; i < json_array_size(tasks); i += all ? 1 : 4) {
            const json_t *task = json_array_get(tasks, i);
            Nl2BashSpec spec = {.query = json_string_value(json_object_get(task, "query")),
                                .gold = json_string_value(json_object_get(task, "gold")),
                                .seconds = 60};
            if (strncmp(spec.gold, "find -name", 10) == 0 ||
                strncmp(spec.gold, "find /testbed / ", 16) == 0 ||
                strncmp(spec.gold, "grep -r Hello *", 15) == 0)
                if (!all)
                    continue;
            double began = clock_now();
            Nl2Bash *b = begin(image, &spec);
            resets += clock_now() - began;
            act(b, spec.gold);
            played++;
            ones += turn.reward.total == 1;
            if (turn.reward.total != 1 && !may_differ(number, i))
                fail_msg("%d-%zu: %s: %.2f", number, i, spec.gold, turn.reward.total);
            nl2bash_close(b);
        }
        json_decref(tasks);
        mem_free(path);
        mem_free(name);
        nl2bash_image_close(image);
    }
    print_message("%d of %d gold commands score 1; reset %.1f ms\n", ones, played, 1e3 * resets / played);
    nl2bash_turn_drop(&turn);
    turn = (Nl2BashTurn){0};
}

/* Of data with five file systems, of which the last has a file that the others have not. */
static void there_may_be_more_file_systems(void **state)
{
    (void)state;
    needs_sandbox();
    Nl2BashImages all;
    assert_int_equal(nl2bash_images_in(scratch), NL2BASH_IMAGES); /* whatever is there */
    scratch_text("intercode/bash/docker.gitignore", "usr\n");
    for (int i = 1; i <= 5; i++) {
        char *script_name = mem_format(NL2BASH_SCRIPT, i), *tasks = mem_format(NL2BASH_TASKS, i);
        scratch_text(script_name, i == 5 ? "echo five >/w\n" : "true\n");
        scratch_text(tasks, "[]\n");
        mem_free(script_name);
        mem_free(tasks);
    }
    assert_int_equal(nl2bash_images_open(&all, scratch), ST_OK);
    assert_int_equal(all.n, 5);
    Nl2BashSpec spec = {.query = "Say it", .gold = "cat /w", .seconds = 2};
    Nl2Bash *b = begin(nl2bash_image_of(&all, "5-17"), &spec);
    expect(b, "cat /w", "five\n", "");
    assert_true(nl2bash_image_of(&all, "1-50") == all.at[0]);
    nl2bash_close(b);
    nl2bash_images_close(&all);
    scratch_text("intercode/bash/nl2bash_fs_7.json", "[]\n"); /* behind a gap: not one of them */
    scratch_text("intercode/bash/nl2bash_fs_6.json", "[]\n");
    assert_int_equal(nl2bash_images_open(&all, scratch), ST_IO);
    assert_non_null(strstr(error_text(), "the file system 6 of InterCode-Bash"));
    nl2bash_images_close(&all);
    nl2bash_turn_drop(&turn);
    turn = (Nl2BashTurn){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_episode), cmocka_unit_test(an_episode_begins_anew),
                                       cmocka_unit_test(hostile_commands),
                                       cmocka_unit_test(hostile_scripts), cmocka_unit_test(golds_score_one),
                                       cmocka_unit_test(there_may_be_more_file_systems)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
