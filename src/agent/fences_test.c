#include "agent/fences.h"

#include "base/scratch_test.h"

static Fences found;

static void expect(const char *answer, bool open, size_t n, const Fence *blocks)
{
    fences_find(&found, span(answer));
    assert_int_equal(found.blocks.n, n);
    assert_int_equal(found.open, open);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(found.blocks.at[i].tool, blocks[i].tool);
        assert_int_equal(found.blocks.at[i].code.n, blocks[i].code.n);
        assert_memory_equal(found.blocks.at[i].code.at, blocks[i].code.at, blocks[i].code.n);
    }
}

static void one(const char *answer, Tool tool, const char *code)
{
    Fence f = {tool, span(code)};
    expect(answer, false, 1, &f);
}

static void none(const char *answer)
{
    expect(answer, false, 0, NULL);
}

static void languages_name_tools(void **state)
{
    (void)state;
    one("I count.\n```python\nx = 1\n\nx + 1\n```\nThere.", TOOL_PYTHON, "x = 1\n\nx + 1\n");
    one("```py\n1\n```", TOOL_PYTHON, "1\n");
    one("```Python3 title=\"a\"\n1\n```\n", TOOL_PYTHON, "1\n");
    one("   ```python {.numbered}\n1\n   ```  \n", TOOL_PYTHON, "1\n");
    one("~~~~ bash\nls\n~~~~", TOOL_BASH, "ls\n");
    one("```sh\n```", TOOL_BASH, "");
    one("```bash\r\nls\r\n```\r\n", TOOL_BASH, "ls\r\n");
    none("");
    none("no code");
    none("```\nls\n```");
    none("```json\n{}\n```");
    none("```pythonic\n1\n```");
    none("```python inline```");
    none("    ```python\n    1\n    ```"); /* an indented block is text */
    none("Say ```python``` to me");
}

static void blocks_have_an_order_and_an_end(void **state)
{
    (void)state;
    Fence two[] = {{TOOL_BASH, span("ls\n")}, {TOOL_PYTHON, span("1\n")}};
    expect("```bash\nls\n```\nand\n```python\n1\n```", false, 2, two);
    expect("```bash\nls\n```\nand\n```python\n1\n", true, 1, two);
    expect("```python", true, 0, NULL);
    expect("```json\n{", false, 0, NULL); /* nothing was to be run */
}

static void what_stands_in_a_block_is_its_text(void **state)
{
    (void)state;
    one("````bash\ncat <<X\n```python\n1\n```\nX\n````", TOOL_BASH, "cat <<X\n```python\n1\n```\nX\n");
    none("````markdown\n```python\nimport os\n```\n````");
    none("~~~\n```python\n1\n```\n~~~");
    one("```python\ns = '''\n~~~\n``` x\n'''\n```", TOOL_PYTHON, "s = '''\n~~~\n``` x\n'''\n");
    char zeros[] = "```python\n\0\n```";
    fences_find(&found, (Span){zeros, sizeof zeros - 1});
    assert_int_equal(found.blocks.n, 1);
    assert_int_equal(found.blocks.at[0].code.n, 2);
    char in_front[] = "\0\0\0\n```python\n1\n```"; /* bytes of 0 are no marks */
    fences_find(&found, (Span){in_front, sizeof in_front - 1});
    assert_int_equal(found.blocks.n, 1);
}

static int drop(void **state)
{
    (void)state;
    fences_drop(&found);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages_name_tools),
        cmocka_unit_test(blocks_have_an_order_and_an_end),
        cmocka_unit_test(what_stands_in_a_block_is_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, drop);
}
