#include "corpus/corpus_build.h"

#include "corpus/corpus_reader.h"
#include "corpus/crash_test.h"
#include "corpus/stop.h"

/* Builds a recipe, in which @ stands for the scratch folder, into `out`. */
static Status build_into(const char *out, const char *recipe, int threads, json_t **manifest)
{
    CorpusRecipe r;
    Str text = {0};
    for (; *recipe; recipe++) {
        if (*recipe == '@')
            str_adds(&text, scratch);
        else
            str_addc(&text, *recipe);
    }
    Status st = corpus_recipe_parse(&r, str_c(&text), text.n, "test.yaml");
    char *folder = scratch_path(out);
    if (st == ST_OK)
        st = corpus_build(&r, folder, threads, manifest);
    mem_free(folder);
    str_drop(&text);
    corpus_recipe_drop(&r);
    return st;
}

/* Many small files of code, some of them alike, and a JSONL of notes with two bad lines. */
static void sources_write(void)
{
    Str notes = {0};
    for (int i = 0; i < 120; i++) {
        char name[32];
        Str code = {0};
        snprintf(name, sizeof name, "src/%c/f%03d.c", 'a' + i % 3, i);
        str_addf(&code, "/* number %d */\n", i % 100); /* the last 20 repeat the first */
        str_adds(&code, "int main(void)\r\n{\r\n    return 0;\r\n}\r\n/* nothing else */\n");
        scratch_write(name, code.at, code.n);
        str_drop(&code);
        str_addf(&notes, "{\"text\":\"note number %d says that the words of it are to be read\"}\n", i);
    }
    str_adds(&notes, "not json\n{\"title\":\"no text\"}\n");
    scratch_write("notes.jsonl", notes.at, notes.n);
    str_drop(&notes);
    scratch_text("src/a/tiny.c", "int x;\n");
    scratch_write("src/a/bin.c", "a\0b", 3);
}

#define RECIPE                                                                         \
    "corpus:\n"                                                                        \
    "  held_out: 0.1\n"                                                                \
    "  keep_rejected: true\n"                                                          \
    "  clean: {text: {min_words: 5, max_repeated_10gram: 1, max_repeated_5gram: 1}}\n" \
    "  sources:\n"                                                                     \
    "    - {name: c, kind: code, language: c, path: '@/src/**/*.c'}\n"                 \
    "    - {name: notes, kind: text, language: en, path: '@/notes.jsonl'}\n"

static int64_t number(const json_t *manifest, size_t source, const char *group, const char *key,
                      const char *what)
{
    const json_t *o = json_object_get(json_array_get(json_object_get(manifest, "sources"), source), group);
    return json_integer_value(json_object_get(key ? json_object_get(o, key) : o, what));
}

static void every_document_is_accounted_for(void **state)
{
    (void)state;
    json_t *m = NULL;
    assert_int_equal(build_into("out", RECIPE, 2, &m), ST_OK);
    assert_int_equal(number(m, 0, "input", NULL, "documents"), 122);
    assert_int_equal(number(m, 0, "unusable", "binary", "documents"), 1);
    assert_int_equal(number(m, 0, "dropped", "code_too_short", "documents"), 1);
    assert_int_equal(number(m, 0, "dropped", "duplicate", "documents"), 20);
    assert_int_equal(number(m, 0, "train", NULL, "documents") + number(m, 0, "held_out", NULL, "documents"),
                     100);
    assert_in_range(number(m, 0, "held_out", NULL, "documents"), 1, 25);
    assert_int_equal(number(m, 1, "unusable", "not_json", "documents"), 1);
    assert_int_equal(number(m, 1, "unusable", "no_such_key", "documents"), 1);
    assert_int_equal(number(m, 1, "train", NULL, "documents") + number(m, 1, "held_out", NULL, "documents"),
                     120);
    json_decref(m);
    scratch_run("test \"$(ls -A out | tr '\\n' ' ')\" = 'held_out manifest.json rejected train '");
    scratch_run("zstd -dc out/rejected/c.jsonl.zst | grep -q '\"rule\":\"code_too_short\"'");
    scratch_run("! zstd -dc out/train/c.jsonl.zst | grep -q '\\\\r'"); /* line ends are folded */
}

static void threads_do_not_change_a_byte(void **state)
{
    (void)state;
    assert_int_equal(build_into("one", RECIPE, 1, NULL), ST_OK);
    assert_int_equal(build_into("four", RECIPE, 4, NULL), ST_OK);
    scratch_run("diff -r one four");
}

static void a_source_gives_one_document_at_least(void **state)
{
    (void)state;
    json_t *m = NULL;
    assert_int_equal(build_into("few",
                                "corpus:\n  held_out: 0.000001\n  sources:\n"
                                "    - {name: c, kind: code, path: '@/src/a/f*.c'}\n"
                                "    - {name: one, kind: code, path: '@/src/b/f001.c'}\n",
                                1, &m),
                     ST_OK);
    assert_int_equal(number(m, 0, "held_out", NULL, "documents"), 1);
    assert_int_equal(number(m, 0, "train", NULL, "documents"),
                     39); /* f000 f003 ..., all but the one; duplicates aside */
    assert_int_equal(number(m, 1, "train", NULL, "documents"), 1);
    assert_int_equal(number(m, 1, "held_out", NULL, "documents"), 0);
    json_decref(m);
}

static void limits_stop_a_source(void **state)
{
    (void)state;
    json_t *m = NULL;
    assert_int_equal(build_into("lim",
                                "corpus:\n  held_out: 0\n  sources:\n"
                                "    - {name: c, kind: code, path: '@/src', limit: 200}\n",
                                2, &m),
                     ST_OK);
    assert_int_equal(number(m, 0, "train", NULL, "documents"),
                     3); /* of 67 bytes: the one that reaches 200 is the last */
    assert_int_equal(number(m, 0, "held_out", NULL, "documents"), 0);
    json_decref(m);
}

/* Of a source in which it lies itself. */
static void a_corpus_never_reads_itself(void **state)
{
    (void)state;
    static const char recipe[] = "corpus:\n"
                                 "  held_out: 0\n"
                                 "  keep_rejected: true\n"
                                 "  clean: {text: {min_words: 5}}\n"
                                 "  sources: [{name: own, kind: text, path: '@/own'}]\n";
    scratch_text("own/a.txt", "a text of words that are to be read and kept\n");
    scratch_text("own/b.txt", "too short\n");
    for (int i = 0; i < 3; i++) {
        json_t *m;
        assert_int_equal(build_into("own/made/corpus", recipe, 2, &m), ST_OK);
        assert_int_equal(number(m, 0, "input", NULL, "documents"), 2);
        json_decref(m);
    }
}

static void missing_sources_are_named(void **state)
{
    (void)state;
    assert_int_equal(
        build_into("bad", "corpus: {sources: [{name: rust, kind: code, path: '@/**/*.rs'}]}\n", 1, NULL),
        ST_ARG);
    assert_non_null(strstr(error_text(), "source rust"));
    scratch_run("test ! -e bad/manifest.json");
    assert_int_equal(
        build_into("good",
                   "corpus: {sources: [{name: rust, kind: code, path: '@/**/*.rs', optional: true},\n"
                   "  {name: c, kind: code, path: '@/src'}]}\n",
                   1, NULL),
        ST_OK);
    assert_int_equal(
        build_into("none", "corpus: {sources: [{name: t, kind: code, path: '@/src/a/tiny.c'}]}\n", 1, NULL),
        ST_ARG);
    assert_non_null(strstr(error_text(), "no document"));
}

static void stopping_keeps_the_old_and_leaves_nothing(void **state)
{
    (void)state;
    stop_ask(true);
    assert_int_equal(build_into("out", RECIPE, 1, NULL), ST_CANCELLED);
    assert_int_equal(build_into("new", RECIPE, 1, NULL), ST_CANCELLED);
    stop_ask(false);
    scratch_run("test -e out/manifest.json && test -e out/train/c.jsonl.zst && test -z \"$(ls -A new)\"");
}

#define SMALL(limit)                                        \
    "corpus:\n  held_out: 0.1\n  dedup: none\n  sources:\n" \
    "    - {name: c, kind: code, path: '@/src/a/f*.c', limit: " limit "}\n"

static Status build_new(void)
{
    return build_into("crash", SMALL("2000"), 1, NULL);
}

/* Documents of both splits, all of them read. */
static int documents_in(const char *name)
{
    int n = 0;
    char *folder = scratch_path(name);
    for (int i = 0; i < 2; i++) {
        CorpusReader *r;
        Document d;
        if (corpus_reader_open(&r, folder, &(CorpusQuery){.split = i ? "held_out" : "train"}) != ST_OK)
            fail_msg("%s", error_text());
        Status st = ST_OK;
        while ((st = corpus_reader_next(r, &d)) == ST_OK && d.id.at)
            n++;
        assert_int_equal(st, ST_OK);
        corpus_reader_close(r);
    }
    mem_free(folder);
    return n;
}

/* Struck at each call in turn, whatever lies there is one whole corpus; and the next build leaves nothing
 * else. */
static void struck_anywhere_a_whole_corpus_lies_there(void **state)
{
    (void)state;
    enum { OLD = 15, NEW = 30 }; /* of 67 bytes each */
    int at[2] = {1, 1}, found_old = 0, found_new = 0;
    for (int kind = 0; kind < 2; kind++)
        for (bool struck = true; struck; at[kind] += kind ? 3 : 1) {
            crash_remove("crash");
            assert_int_equal(build_into("crash", SMALL("1000"), 1, NULL), ST_OK);
            assert_int_equal(documents_in("crash"), OLD);
            struck = crash_run(kind ? CRASH_FULL : CRASH_KILL, at[kind], build_new);
            int n = documents_in("crash");
            assert_true(n == OLD || n == NEW);
            found_old += n == OLD;
            found_new += n == NEW;
            assert_int_equal(build_new(), ST_OK);
            crash_expect_entries("crash", "held_out manifest.json train ");
        }
    assert_true(at[0] > 10 && at[1] > 10 && found_old > 5 && found_new > 5);
}

static void damaged_manifests_are_refused(void **state)
{
    (void)state;
    json_t *m;
    char *folder = scratch_path("dm");
    scratch_text("dm/manifest.json", "{\"format\":\"lemur-corpus\",\"version\":1,");
    assert_int_equal(corpus_manifest(&m, folder), ST_FORMAT);
    scratch_text("dm/manifest.json", "{\"format\":\"lemur-shards\",\"version\":1}");
    assert_int_equal(corpus_manifest(&m, folder), ST_FORMAT);
    scratch_text("dm/manifest.json", "{\"format\":\"lemur-corpus\",\"version\":2}");
    assert_int_equal(corpus_manifest(&m, folder), ST_UNSUPPORTED);
    scratch_run("rm dm/manifest.json");
    assert_int_equal(corpus_manifest(&m, folder), ST_IO);
    mem_free(folder);
}

static int prepare(void **state)
{
    if (crash_scratch_make(state) != 0)
        return -1;
    sources_write();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_document_is_accounted_for),
        cmocka_unit_test(threads_do_not_change_a_byte),
        cmocka_unit_test(a_source_gives_one_document_at_least),
        cmocka_unit_test(limits_stop_a_source),
        cmocka_unit_test(a_corpus_never_reads_itself),
        cmocka_unit_test(missing_sources_are_named),
        cmocka_unit_test(stopping_keeps_the_old_and_leaves_nothing),
        cmocka_unit_test(struck_anywhere_a_whole_corpus_lies_there),
        cmocka_unit_test(damaged_manifests_are_refused),
    };
    return cmocka_run_group_tests(tests, prepare, scratch_remove);
}
