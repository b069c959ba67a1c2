#include "eval/agents/intercode.h"

#include "base/scratch_test.h"

static void actions_are_read_as_the_original_does(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"```bash\nls -A\n  /x\n```", "ls -a /x"},
                                           {"Try ```sh\nls``` or ```rm```", "ls"},
                                           {"```BASH\nls```", "ls"},
                                           {"```bash```", "bash"},
                                           {"``````", "``````"},
                                           {"bash: ls -A", "ls -A"},
                                           {"The command: ls\n-l", " ls -l"},
                                           {"ls -A\npwd", "ls -A pwd"},
                                           {"```ls", "```ls"},
                                           {"", ""}};
    Str action = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bash_action_read(&action, span(cases[i][0]));
        if (strcmp(str_c(&action), cases[i][1]) != 0)
            fail_msg("%s: \"%s\"", cases[i][0], str_c(&action));
    }
    str_drop(&action);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(actions_are_read_as_the_original_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
