/* Recorded cells that import sympy, numpy or scipy, run again in a session: R8 of the recordings, which other
 * versions of these libraries cannot repeat wholly.  A part of the episodes, and a floor of what must be
 * equal. */
#include <jansson.h>
#include <pthread.h>
#include <signal.h>

#include "agent/action.h"
#include "base/array.h"
#include "base/data_test.h"
#include "base/file.h"
#include "base/scratch_test.h"
#include "base/stream.h"
#include "base/thread.h"
#include "env/python.h"

enum { EPISODES = 32, THREADS = 2 };

typedef struct {
    Array(json_t *) episodes;
    pthread_mutex_t lock; /* of what follows */
    int compared, equal, but_for_versions;
    bool failed;
} Check;

static bool asks_library(Span code)
{
    static const char *const imports[] = {"import sympy", "from sympy",   "import numpy",
                                          "from numpy",   "import scipy", "from scipy"};
    for (size_t i = 0; i < sizeof imports / sizeof imports[0]; i++)
        if (code.n && memmem(code.at, code.n, imports[i], strlen(imports[i])))
            return true;
    return false;
}

/* What the tool said in a user turn: between "Observation:\n" and the count of steps. */
static bool observation(Span *said, const char *turn)
{
    const char *begin = "Observation:\n", *end = turn ? strstr(turn, "\nYou have ") : NULL;
    if (!end || strncmp(turn, begin, strlen(begin)) != 0)
        return false;
    *said = (Span){turn + strlen(begin), (size_t)(end - turn) - strlen(begin)};
    return true;
}

/* A text without what depends on where and in which version a library lies: frames in it, and paths. */
static void without_versions(Str *out, Span text)
{
    bool in_frame = false;
    str_clear(out);
    text = span_trim(text);
    while (text.n) {
        const char *newline = memchr(text.at, '\n', text.n);
        Span line = {text.at, newline ? (size_t)(newline - text.at) : text.n};
        text = (Span){text.at + line.n, text.n - line.n};
        text = newline ? (Span){text.at + 1, text.n - 1} : text;
        if (span_starts(line, "File ") &&
            (memmem(line.at, line.n, "-packages/", 10) || memmem(line.at, line.n, "internals>", 10)))
            in_frame = true;
        if (!in_frame) {
            const char *path = line.n ? memmem(line.at, line.n, " (/", 3) : NULL;
            str_add(out, line.at, path ? (size_t)(path - line.at) : line.n);
            str_addc(out, '\n');
        }
        in_frame = in_frame && line.n;
    }
}

static void compare(Check *check, Span recorded, Span ours)
{
    Str a = {0}, b = {0};
    recorded = span_trim(recorded);
    ours = span_trim(ours);
    bool equal = recorded.n == ours.n && memcmp(recorded.at, ours.at, ours.n) == 0;
    without_versions(&a, recorded);
    without_versions(&b, ours);
    bool nearly = a.n == b.n && memcmp(str_c(&a), str_c(&b), a.n) == 0;
    pthread_mutex_lock(&check->lock);
    check->compared++;
    check->equal += equal;
    check->but_for_versions += nearly;
    pthread_mutex_unlock(&check->lock);
    str_drop(&a);
    str_drop(&b);
}

static void replay(void *context, int64_t task, int thread)
{
    (void)thread;
    Check *check = context;
    const json_t *history = json_object_get(json_object_get(check->episodes.at[task], "state"), "history");
    static const PythonSpec plain = {0};
    Python *p;
    Action a = {0};
    bool library = false;
    if (python_start(&p, &plain) != ST_OK) {
        pthread_mutex_lock(&check->lock);
        check->failed = true;
        pthread_mutex_unlock(&check->lock);
        return;
    }
    for (size_t i = 1; i + 1 < json_array_size(history) && python_alive(p); i += 2) {
        const char *said = json_string_value(json_object_get(json_array_get(history, i), "content"));
        const char *turn = json_string_value(json_object_get(json_array_get(history, i + 1), "content"));
        Span recorded;
        PythonCell cell;
        action_find(&a, ACTION_TAGS, span(said ? said : ""));
        if (a.kind != ACTION_CODE || a.unreadable || !observation(&recorded, turn))
            continue;
        /* Half a minute each, and the network's answers. */
        if (memmem(recorded.at, recorded.n, "TimeoutError", 12) || strstr(str_c(&a.text), "wikipedia_search"))
            break;
        library = library || asks_library(str_span(&a.text));
        if (python_run(p, &cell, str_span(&a.text)) != ST_OK)
            break;
        if (library)
            compare(check, recorded, str_span(&cell.text));
        python_cell_drop(&cell);
    }
    action_drop(&a);
    python_close(p);
}

static bool uses_library(const json_t *episode)
{
    const json_t *history = json_object_get(json_object_get(episode, "state"), "history");
    for (size_t i = 1; i + 1 < json_array_size(history); i += 2) {
        const char *said = json_string_value(json_object_get(json_array_get(history, i), "content"));
        if (said && asks_library(span(said)))
            return true;
    }
    return false;
}

static void read_episodes(Check *check, const char *path)
{
    StreamReader *file;
    LineReader lines = {0};
    const char *member;
    Span line;
    bool cut;
    assert_int_equal(stream_open(&file, path), ST_OK);
    assert_int_equal(stream_next(file, &member), ST_OK);
    lines_start(&lines, file);
    size_t most = check->episodes.n + EPISODES / 2;
    for (;;) {
        assert_int_equal(lines_next(&lines, 16 << 20, &line, &cut), ST_OK);
        if (!line.at || check->episodes.n == most)
            break;
        json_t *episode = json_loadb(line.at, line.n, 0, NULL);
        if (uses_library(episode))
            array_push(&check->episodes, json_incref(episode));
        json_decref(episode);
    }
    lines_drop(&lines);
    stream_close(file);
}

static bool has_sympy(void)
{
    static const PythonSpec plain = {0};
    Python *p;
    PythonCell cell;
    if (python_start(&p, &plain) != ST_OK) {
        print_message("SKIP %s\n", error_text());
        return false;
    }
    assert_int_equal(python_run(p, &cell, span("import sympy, numpy, scipy; print(sympy.__version__)")),
                     ST_OK);
    bool has = cell.end == PYTHON_DONE;
    if (!has)
        print_message("SKIP no python3-sympy, python3-numpy or python3-scipy on this host\n");
    python_cell_drop(&cell);
    python_close(p);
    return has;
}

static void library_cells_agree(void **state)
{
    (void)state;
    static const char *const files[] = {"math", "theoremqa"};
    Check check = {.lock = PTHREAD_MUTEX_INITIALIZER};
    if (!path_is_folder(data_folder())) {
        print_message("SKIP no recordings in %s (set LEMUR_DATA)\n", data_folder());
        skip();
    }
    if (!has_sympy())
        skip();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = mem_format("%s/mint/replay/lemur-70b-chat-v1/F=None/max5_p2+tool+cd/reasoning/%s/"
                                "results.jsonl",
                                data_folder(), files[i]);
        read_episodes(&check, path);
        mem_free(path);
    }
    thread_each((int64_t)check.episodes.n, THREADS, replay, &check);
    for (size_t i = 0; i < check.episodes.n; i++)
        json_decref(check.episodes.at[i]);
    array_drop(&check.episodes);
    print_message("R8: %d cells with sympy, numpy or scipy: %d observations equal, %d apart from versions\n",
                  check.compared, check.equal, check.but_for_versions);
    assert_false(check.failed);
    assert_true(check.compared >= EPISODES);
    assert_true(check.but_for_versions * 100 >= check.compared * 85);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest all[] = {
        cmocka_unit_test(library_cells_agree),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
