#include "env/ctf.h"
#include "base/data_test.h"

#include <jansson.h>
#include <sys/stat.h>

#include "base/json_file.h"
#include "base/scratch_test.h"
#include "env/needs_sandbox_test.h"

static void flags_are_compared_as_the_original_does(void **state)
{
    (void)state;
    static const struct {
        const char *action;
        bool right;
    } cases[] = {{"submit picoCTF{a_B}", true},
                 {"submit PICOCTF{A_b}", true},
                 {"submit picoCTF{a_B} please", true},
                 {"submit  picoCTF{a_B}", false},
                 {"submit", false},
                 {"submit ", false},
                 {"submit picoCTF{a_B", false},
                 {"submit picoCTF{a_B}}", false},
                 {"submit picoCTF{a B}", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ctf_flag_is_right(span(cases[i].action), span("picoCTF{a_B}")) != cases[i].right)
            fail_msg("%s", cases[i].action);
}

/* The gold flag, in upper case too, is right for every task; with another last letter it is wrong. */
static void all_flags(void **state)
{
    (void)state;
    char *path = path_join(data_folder(), "intercode/ctf/ic_ctf.json");
    if (!path_exists(path)) {
        printf("SKIP no %s (set LEMUR_DATA)\n", path);
        mem_free(path);
        skip();
    }
    json_t *tasks = NULL;
    if (json_file_read(&tasks, path) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(json_array_size(tasks), 100);
    for (size_t i = 0; i < 100; i++) {
        const char *gold = json_string_value(json_object_get(json_array_get(tasks, i), "gold"));
        char *line = mem_format("submit %s", gold);
        size_t n = strlen(line);
        assert_true(ctf_flag_is_right(span(line), span(gold)));
        line[n - 2] = line[n - 2] == 'x' ? 'y' : 'x';
        assert_false(ctf_flag_is_right(span(line), span(gold)));
        mem_free(line);
        line = mem_format("submit %s", gold);
        for (char *c = line + 7; *c; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
        assert_true(ctf_flag_is_right(span(line), span(gold)));
        mem_free(line);
    }
    json_decref(tasks);
    mem_free(path);
}

static void expect_command(CtfQuoting quoting, const char *action, const char *words)
{
    Str out = {0};
    bool good = ctf_command(&out, quoting, span(action));
    for (size_t i = 0; i < out.n; i++)
        out.at[i] = out.at[i] ? out.at[i] : '|';
    if (!good || strcmp(str_c(&out), words) != 0)
        fail_msg("%s: %s", action, str_c(&out));
    str_drop(&out);
}

static void both_quotings(void **state)
{
    (void)state;
    Str out = {0};
    expect_command(CTF_QUOTED, "echo \"a b\" 'c'", "/bin/bash|-c|echo \"a b\" 'c'|");
    expect_command(CTF_RECORDED, "ls -a", "/bin/bash|-c|ls -a|");
    expect_command(CTF_RECORDED, "echo \"obase=2;42\" | bc", "/bin/bash|-c|echo obase=2;42 | bc|");
    expect_command(CTF_RECORDED, "echo \"a b\" c", "/bin/bash|-c|echo a|b c|");
    expect_command(CTF_RECORDED, "echo '\\x70' \\\"q", "/bin/bash|-c|echo '\\x70' \"q|");
    expect_command(CTF_QUOTED, "python3 -c \"print('a b')\"", "python3|-c|print('a b')|");
    expect_command(CTF_RECORDED, "python -c 'print(\"\\n\")'", "python|-c|print(\"\\n\")|");
    assert_false(ctf_command(&out, CTF_RECORDED, span("echo \"")));
    assert_false(ctf_command(&out, CTF_QUOTED, span("python3 -c 'x")));
    str_drop(&out);
}

static Ctf *ctf;

static void expect(const char *action, bool done, const char *text)
{
    CtfTurn t = {0};
    if (ctf_act(ctf, &t, span(action)) != ST_OK)
        fail_msg("%s", error_text());
    if (strcmp(str_c(&t.text), text) != 0 || t.done != done)
        fail_msg("%s: %d %s", action, t.done, str_c(&t.text));
    ctf_turn_drop(&t);
}

static void an_episode(void **state)
{
    (void)state;
    needs_sandbox();
    scratch_text("assets/flag", "picoCTF{x}\n");
    scratch_text("assets/run", "#!/bin/sh\necho ran\n");
    scratch_text("assets/deep/er/file", "1");
    scratch_text("assets/solution/answer", "secret");
    scratch_text("assets/.placeholder", "");
    char *assets = scratch_path("assets");
    CtfSpec spec = {.id = "7", .gold = "picoCTF{x}", .assets = assets, .seconds = 1};
    if (ctf_open(&ctf, &spec) != ST_OK)
        fail_msg("%s", error_text());
    expect("pwd; ls -A", true, "/ctf/7\ndeep\nflag\nrun\n");
    expect("./run", false, "/bin/bash: line 1: ./run: Permission denied\n");
    expect("chmod +x run", true, "");
    expect("./run; echo err >&2; X=1", true, "ran\nerr\n");
    expect("echo \"[$X]\" \"a  b\"", true, "[] a  b\n");
    expect("cd deep/./er", true, "");
    assert_string_equal(ctf_folder(ctf), "/ctf/7/deep/er");
    expect("cat file", true, "1");
    expect("cd nowhere", false, "/bin/bash: line 1: cd: /ctf/7/deep/er/nowhere: No such file or directory\n");
    expect("cd ../..", true, "");
    expect("sleep 5", false, "Command timed out");
    expect("printf '\\377'", true, "Malformed command");
    expect("echo kept > new; cat new", true, "kept\n");
    expect("chmod 000 .", true, ""); /* root, who acts in the original, is not locked out */
    expect("cat new", true, "kept\n");
    expect("chmod 600 deep /ctf/*", true, "");
    expect("cd /ctf/7", true, "");
    expect("cat new", true, "kept\n");
    expect("cd deep", false, "/bin/bash: line 1: cd: /ctf/7/deep: Permission denied\n");
    expect("chmod 755 deep", true, "");
    expect("submit picoCTF{y}", false, "Submitted flag is incorrect. Keep trying!");
    expect("cat flag", true, "picoCTF{x}\n");
    CtfTurn t = {0};
    assert_int_equal(ctf_act(ctf, &t, span("submit PICOctf{X}")), ST_OK);
    assert_true(t.solved && t.done && t.submitted);
    assert_string_equal(str_c(&t.text), "picoCTF{x}\n");
    assert_int_equal(ctf_act(ctf, &t, span("skip")), ST_OK);
    assert_true(t.gave_up);
    ctf_turn_drop(&t);
    ctf_close(ctf);
    if (ctf_open(&ctf, &spec) != ST_OK) /* fresh again, on the same files */
        fail_msg("%s", error_text());
    expect("ls", true, "deep\nflag\nrun\n");
    ctf_close(ctf);
    spec.id = "../7";
    assert_int_equal(ctf_open(&ctf, &spec), ST_ARG);
    spec.id = "7";
    spec.assets = "/no/such/folder";
    assert_int_equal(ctf_open(&ctf, &spec), ST_IO);
    mem_free(assets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(flags_are_compared_as_the_original_does),
                                       cmocka_unit_test(all_flags), cmocka_unit_test(both_quotings),
                                       cmocka_unit_test(an_episode)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
