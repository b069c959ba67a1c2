/* A session's cells against IPython's own answers: tests/golden/python (tools/make_golden_python.py tells how
 * they were made).  Sessions whose library or interpreter is of another version are passed over, with a word.
 */
#include <jansson.h>

#include "base/file.h"
#include "base/scratch_test.h"
#include "base/stream.h"
#include "env/bash.h"
#include "env/python.h"

#define GOLDEN "tests/golden/python/ipython.jsonl"
#define NOTHING "[Executed Successfully with No Output]"

static const PythonSpec plain = {0};

/* "0x7f00" as "0x", and a cell's file without the folder that a sandbox begins in: IPython ran in another. */
static void comparable(Str *out, const char *text)
{
    static const char folder[] = BASH_HOME "/", cell[] = "<ipython-input";
    str_clear(out);
    while (*text) {
        if (span_starts(span(text), folder) && span_starts(span(text + sizeof folder - 1), cell))
            text += sizeof folder - 1;
        size_t n = strncmp(text, "0x", 2) == 0 ? strspn(text + 2, "0123456789abcdef") : 0;
        str_add(out, text, n ? 2 : 1);
        text += n ? n + 2 : 1;
    }
}

/* The version of `module` inside, as MAJOR.MINOR; "" where there is none. */
static void version_inside(Str *out, const char *module)
{
    Python *p;
    PythonCell cell;
    char code[256];
    snprintf(code, sizeof code,
             strcmp(module, "python") == 0 ? "import platform; print(platform.python_version())"
                                           : "import %s; print(%s.__version__)",
             module, module);
    str_clear(out);
    if (python_start(&p, &plain) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(python_run(p, &cell, span(code)), ST_OK);
    if (cell.end == PYTHON_DONE)
        str_add(out, cell.text.at, cell.text.n);
    python_cell_drop(&cell);
    python_close(p);
}

/* What differs between the versions of the goldens and those inside, as far as the session asks for it. */
static bool is_comparable(const json_t *versions, const char *session)
{
    const char *module =
        strcmp(session, "numpy") == 0 || strcmp(session, "scipy") == 0 || strcmp(session, "sympy") == 0
            ? session
            : "python";
    Str inside = {0};
    version_inside(&inside, module);
    const char *made = json_string_value(json_object_get(versions, module));
    bool same = strcmp(str_c(&inside), made) == 0;
    if (!same)
        print_message("SKIP session %s: made with %s %s, here is %s\n", session, module, made,
                      inside.n ? str_c(&inside) : "none");
    str_drop(&inside);
    return same;
}

typedef struct {
    int compared, differ, skipped;
} Count;

static void compare(Count *count, Python *p, const json_t *row)
{
    PythonCell cell;
    Str ours = {0}, theirs = {0};
    const json_t *code = json_object_get(row, "code");
    assert_int_equal(python_run(p, &cell, (Span){json_string_value(code), json_string_length(code)}), ST_OK);
    comparable(&ours, str_c(&cell.text));
    comparable(&theirs, json_string_value(json_object_get(row, "text")));
    count->compared++;
    if (strcmp(str_c(&ours), str_c(&theirs)) != 0) {
        count->differ++;
        print_message("session %s, cell %d:\n%s\nIPython: \"%s\"\nours:    \"%s\"\n",
                      json_string_value(json_object_get(row, "session")), cell.number,
                      json_string_value(code), str_c(&theirs), str_c(&ours));
    }
    python_cell_drop(&cell);
    str_drop(&ours);
    str_drop(&theirs);
}

static void cells_are_answered_as_ipython_does(void **state)
{
    (void)state;
    StreamReader *file;
    LineReader lines = {0};
    const char *member;
    Str says = {0};
    if (sandbox_probe(&says) != ST_OK) {
        print_message("SKIP sandbox: %s\n", error_text());
        str_drop(&says);
        skip();
    }
    str_drop(&says);
    assert_int_equal(stream_open(&file, GOLDEN), ST_OK);
    assert_int_equal(stream_next(file, &member), ST_OK);
    lines_start(&lines, file);
    json_t *versions = NULL;
    Python *p = NULL;
    Count count = {0};
    char session[64] = "";
    bool comparable = false;
    for (;;) {
        Span line;
        bool cut;
        assert_int_equal(lines_next(&lines, 1 << 20, &line, &cut), ST_OK);
        if (!line.at)
            break;
        json_t *row = json_loadb(line.at, line.n, 0, NULL);
        assert_non_null(row);
        if (!versions) {
            versions = row;
            continue;
        }
        const char *name = json_string_value(json_object_get(row, "session"));
        if (strcmp(name, session) != 0) {
            snprintf(session, sizeof session, "%s", name);
            python_close(p);
            p = NULL;
            comparable = is_comparable(versions, session);
            if (comparable && python_start(&p, &plain) != ST_OK)
                fail_msg("%s", error_text());
        }
        if (comparable)
            compare(&count, p, row);
        else
            count.skipped++;
        json_decref(row);
    }
    python_close(p);
    json_decref(versions);
    lines_drop(&lines);
    stream_close(file);
    print_message("%d cells, %d differ, %d passed over\n", count.compared, count.differ, count.skipped);
    assert_true(count.compared + count.skipped > 500);
    assert_int_equal(count.differ, 0);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(cells_are_answered_as_ipython_does),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
