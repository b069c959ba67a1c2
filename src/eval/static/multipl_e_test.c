#include "eval/static/multipl_e.h"

#include "base/clock.h"
#include "eval/static/languages.h"
#include "eval/static/scripted_test.h"

/* One question in each language, in MultiPL-E's format and by our own hand: the sum of two numbers.  `inside`
 * is what a base model goes on with, beyond its stop token; `whole` what a chat model says. */
typedef struct {
    const char *language, *prompt, *tests, *stop, *inside, *whole, *wrong, *broken;
} Own;
static const Own own[] = {
    {"py",
     "def add_two(x: int, y: int) -> int:\n    \"\"\"The sum.\n    >>> add_two(1, 2)\n    3\n    \"\"\"\n",
     "def check(candidate):\n    assert candidate(1, 2) == 3\n\ndef test_check():\n    "
     "check(add_two)\n\ntest_check()\n",
     "\ndef", "    return x + y\n\ndef more():\n    pass\n",
     "def helper(a, b):\n    return a + b\n\ndef add_two(x, y):\n    return helper(x, y)\n",
     "    return x - y\n", "    return (x\n"},
    {"sh", "#!/bin/bash\n# The sum.\n# $1 is an integer\n# $2 is an integer\nadd_two() {\n",
     "}\n\ncandidate() {\n    add_two \"$@\"\n}\n\nset -e\nrun_test() {\n    [[ $(candidate \"1\" \"2\") = "
     "\"3\" ]]\n}\n\n"
     "run_test\n",
     "\n}", "    echo $(($1 + $2))\n}\nadd_two 4 5\n",
     "#!/bin/bash\nadd_two() {\n  echo \"$(($1 + $2))\"\n}\nadd_two 1 2\n", "    echo $(($1 - $2))\n",
     "    echo $(($1\n"},
    {"pl", "# The sum.\nsub add_two {\n    my($x, $y) = @_;\n",
     "use Test::Deep;\n\n\nsub testhumaneval {\n    my $candidate = \\&add_two;\n"
     "        if(eq_deeply($candidate->(1, 2),3)) {\n        print \"ok!\" }else{\n        exit 1;\n        "
     "}\n}\n\n"
     "testhumaneval();",
     "\nsub", "    return $x + $y;\n}\nsub more {\n}\n",
     "use strict;\n\nsub add_two {\n    my ($x, $y) = @_;\n    return $x + $y;\n}\n",
     "    return $x - $y;\n}\n", "    return $x +;\n}\n"},
    {"lua", "-- The sum.\nlocal function add_two(x, y)\n",
     "lu = require('luaunit')\n\nfunction test_humaneval()\nlocal candidate = add_two\n"
     "    lu.assertEquals(candidate(1, 2), 3)\nend\n\nos.exit(lu.LuaUnit.run())",
     "\nlocal", "    return x + y\nend\nlocal a = 1\n", "local function add_two(x, y)\n  return x + y\nend\n",
     "    return x - y\nend\n", "    return x +\nend\n"},
    {"js", "//The sum.\nfunction add_two(x, y){\n",
     "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = add_two;\n"
     "  assert.deepEqual(candidate(1, 2),3);\n}\n\ntest();",
     "\nfunction ", "    return x + y;\n}\nfunction more() {}\n", "const add_two = (x, y) => x + y;\n",
     "    return x - y;\n}\n", "    return x + ;\n}\n"},
    {"ts", "//The sum.\nfunction add_two(x: number, y: number): number {\n",
     "declare var require: any;\nconst assert = require('node:assert');\n\n\nfunction test() {\n"
     "  let candidate = add_two;\n  assert.deepEqual(candidate(1, 2),3);\n}\n\ntest();",
     "\nfunction ", "    return x + y;\n}\n",
     "function add_two(x: number, y: number): number {\n    return x + y;\n}\n", "    return x - y;\n}\n",
     "    return \"x\";\n}\n"},
    {"php", "<?php\n// The sum.\nfunction add_two($x, $y) {\n",
     "function candidate(...$args) {\n    return add_two(...$args);\n}\n\nfunction test(): void {\n"
     "    if (candidate(1, 2) !== 3) { throw new Exception(\"Test failed!\"); }\n}\n\ntest();",
     "\nfunction", "    return $x + $y;\n}\n",
     "<?php\nfunction add_two($x, $y) {\n    return $x + $y;\n}\n?>\n", "    return $x - $y;\n}\n",
     "    return $x +;\n}\n"},
    {"rb", "# The sum.\ndef add_two(x, y)\n",
     "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_add_two\n"
     "    candidate = method(:add_two)\n    assert_equal(3, candidate.call(1, 2))\n  end\nend\n",
     "\ndef", "  x + y\nend\n", "def add_two(x, y)\n  x + y\nend\n", "  x - y\nend\n", "  x +\nend\n"},
    {"r", "# The sum.\nadd_two <- function(x, y) {",
     "test_humaneval <- function() {\n    candidate <- add_two\n    stopifnot(isTRUE(all.equal(candidate(1, "
     "2), 3)))\n}\n"
     "test_humaneval()",
     "\n#", "\n  x + y\n}\n# more\n", "add_two <- function(x, y) {\n  return(x + y)\n}\n", "\n  x - y\n}\n",
     "\n  x + )\n}\n"},
    {"ml", "(**The sum.\n*)\nlet add_two (x : int) (y : int) : int =",
     "\nlet assertions =\n let candidate = add_two in\n  (assert ((candidate 1 2) = 3));\n  ()\n", "\nlet",
     " x + y\nlet more = 1\n", "let add_two x y =\n  x + y\n", " x - y\n", " x +\n"},
    {"hs", "-- | The sum.\naddTwo :: Int -> Int -> Int\naddTwo x y =",
     "\nmain :: IO ()\nmain = do\n  let candidate = addTwo\n  if candidate 1 2 == 3 then pure () else error "
     "\"assertion failed\"\n  pure ()",
     "\n\n", " x + y\n\nmore = 1\n", "addTwo :: Int -> Int -> Int\naddTwo 0 y = y\naddTwo x y = x + y\n",
     " x - y\n", " x +\n"},
    {"rkt", "#lang racket\n\n;; The sum.\n(define (add_two x y)\n",
     "(require rackunit)\n\n(define (test-humaneval) \n\n  (let (( candidate add_two))\n"
     "    (check-within (candidate 1 2) 3 0.001)\n))\n\n(test-humaneval)",
     "\n(define ", "  (+ x y))\n(define more 1)\n", "#lang racket\n\n(define (add_two x y)\n  (+ x y))\n",
     "  (- x y))\n", "  (+ x y\n"},
    {"cpp", "#include<assert.h>\n#include<vector>\n// The sum.\nlong add_two(long x, long y) {\n",
     "}\nint main() {\n    auto candidate = add_two;\n    assert(candidate((1), (2)) == (3));\n}\n", "\n}",
     "    return x + y;\n}\nint main() { return 1; }\n",
     "#include <vector>\nusing namespace std;\n\nlong helper(long a) {\n    return a;\n}\n\nlong "
     "add_two(long x, long y)\n{\n"
     "    if (x == 0) {\n        return y;\n    }\n    return helper(x) + y; // '}' closes\n}\n\nint main() "
     "{\n    return 1;\n}\n",
     "    return x - y;\n}\n", "    return x + ;\n}\n"},
    {"java",
     "import java.util.*;\nimport org.javatuples.*;\nclass Problem {\n    // The sum.\n"
     "    public static long addTwo(long x, long y) {\n",
     "    }\n    public static void main(String[] args) {\n    assert(addTwo((1l), (2l)) == (3l));\n    "
     "}\n\n}\n",
     "\n    }\n", "        return x + y;\n    }\n    public static void more() {\n    }\n}\n",
     "import java.util.*;\nimport java.util.function.*;\n\npublic class Solution {\n    public static long "
     "addTwo(long x, long y) {\n"
     "        LongBinaryOperator f = (a, b) -> a + b;\n        return f.applyAsLong(x, y);\n    }\n\n"
     "    public static void main(String[] args) {\n    }\n}\n",
     "        return x - y;\n    }\n", "        return x + ;\n    }\n"},
    {"scala",
     "import scala.math._\nobject Problem {\n    // The sum.\n    def addTwo(x : Long, y : Long) : Long = "
     "{\n",
     "    }\n    def main(args: Array[String]) = {\n    assert(addTwo((1l), (2l)) == (3l));\n    }\n\n}\n",
     "\n    }\n", "        x + y\n    }\n",
     "object Solution {\n  def addTwo(x: Long, y: Long): Long = {\n    x + y\n  }\n}\n",
     "        x - y\n    }\n", "        x + }\n    }\n"},
    {"cs",
     "using System;\nusing System.Diagnostics;\nclass Problem {\n    // The sum.\n"
     "    public static long AddTwo(long x, long y) {\n",
     "    }\n    public static void Main(string[] args) {\n    Debug.Assert(AddTwo((1L), (2L)) == (3L));\n   "
     " }\n\n}\n",
     "\n    }\n", "        return x + y;\n    }\n",
     "using System;\n\npublic class Solution\n{\n    public static long AddTwo(long x, long y)\n    {\n      "
     "  return x + y;\n    }\n}\n",
     "        return x - y;\n    }\n", "        return x + ;\n    }\n"},
    {"rs", "/// The sum.\nfn add_two(x: isize, y: isize) -> isize {\n",
     "}\n\nfn main() {\n    let candidate = add_two;\n    assert_eq!(candidate(1, 2), 3);\n}\n", "\n}",
     "    x + y\n}\nfn more() {}\n",
     "use std::cmp::max;\n\npub fn add_two(x: isize, y: isize) -> isize {\n    let f = |a: isize| { a };\n   "
     " max(f(x) + y, x + y)\n}\n",
     "    x - y\n}\n", "    x + \n}\n"},
    {"go_test.go",
     "package add_two_test\n\nimport (\n    \"testing\"\n    \"fmt\"\n)\n\n// The sum.\nfunc add_two(x int, "
     "y int) int {\n",
     "func TestAdd_Two(t *testing.T) {\n  candidate := add_two\n\ttype test struct {\n\t\tactual   "
     "interface{}\n"
     "\t\texpected interface{}\n\t}\n   tests := []test{\n     { actual: candidate(1, 2), expected: 3 },\n   "
     "}\n\n"
     "\tfor i, tc := range tests {\n\t\tt.Run(fmt.Sprintf(\"test num % d\", i), func(t *testing.T) {\n"
     "\t\t\tif fmt.Sprintf(\"%v\", tc.actual) != fmt.Sprintf(\"%v\", tc.expected) {\n"
     "\t\t\t\tt.Errorf(\"expected '%s', got '%s'\", tc.expected, tc.actual)\n\t\t\t}\n\t\t})\n\t}\n}\n",
     "\nfunc", "    return x + y\n}\nfunc more() {}\n",
     "package main\n\nimport (\n\t\"fmt\"\n\t\"math\"\n)\n\nfunc add_two(x int, y int) int {\n\treturn "
     "int(math.Abs(float64(x))) + y\n}\n\n"
     "func main() {\n\tfmt.Println(add_two(1, 2))\n}\n",
     "    return x - y\n}\n", "    return x +\n}\n"},
    {"d", "import std.math;\n/*\n The sum.\n*/\nlong add_two(long x, long y) \n",
     "unittest\n{\n    alias candidate = add_two;\n\n    assert(candidate(1L, 2L) == 3L);\n}\nvoid main(){}",
     "\n\n", "{\n    return x + y;\n}\n\nlong more() { return 1; }\n",
     "import std.math;\n\nlong add_two(long x, long y) {\n    return x + y;\n}\n",
     "{\n    return x - y;\n}\n", "{\n    return x + ;\n}\n"},
};
enum { OWN = sizeof own / sizeof own[0] };

static const Language *of(const Own *o)
{
    return language_find(o->language);
}

static void write_question(const Own *o)
{
    Str file = {0};
    json_t *q =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s, s]}", "name", "HumanEval_0_add_two", "language",
                  o->language, "prompt", o->prompt, "doctests", "transform", "original", "",
                  "prompt_terminology", "reworded", "tests", o->tests, "stop_tokens", o->stop, "\n```");
    char *text = json_dumps(q, 0);
    str_addf(&file, "multipl_e/humaneval-%s-reworded.jsonl", of(o)->name);
    scratch_text(str_c(&file), text);
    free(text);
    json_decref(q);
    str_drop(&file);
}

/* LEMUR_LANGUAGES=all: also those whose tools take seconds to start; or names, separated by blanks. */
static bool is_wanted(const Own *o)
{
    const char *set = getenv("LEMUR_LANGUAGES"), *name = of(o)->name;
    const char *wanted = set && *set ? set : "py sh pl lua js php rb cpp";
    const char *at = strstr(wanted, name);
    for (; at; at = strstr(at + 1, name))
        if ((at == wanted || at[-1] == ' ') && (at[strlen(name)] == 0 || at[strlen(name)] == ' '))
            return true;
    return strcmp(wanted, "all") == 0;
}

static size_t write_wanted(void)
{
    size_t n = 0;
    for (size_t i = 0; i < OWN; i++)
        if (is_wanted(&own[i])) {
            write_question(&own[i]);
            n++;
        }
    return n;
}

static const Question *question_in(const Bench *x, const Own *o)
{
    char id[64];
    snprintf(id, sizeof id, "HumanEval_0_add_two.%s", of(o)->name);
    return question(x, id);
}

static void expect_wrong(Bench *x, const Question *q, const char *answer)
{
    Sample s = bench_ask(x, q, answer);
    if (metric_of(&s, "pass@1") != 0)
        fail_msg("%s: passes with %s", q->id, answer);
    sample_drop(&s);
}

static void every_language_that_is_here_tells_right_from_wrong(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0}, base = {.run.models.plain = true};
    size_t wanted = write_wanted();
    assert_int_equal(bench_open(&x, &multipl_e, scratch), ST_OK);
    assert_int_equal(bench_open(&base, &multipl_e, scratch), ST_OK);
    assert_int_equal(x.questions.bad, 0);
    assert_int_equal(x.questions.all.n + (size_t)x.questions.left_out, wanted);
    for (size_t i = 0; i < OWN; i++) {
        const Own *o = &own[i];
        const Question *q = question_in(&x, o), *b = question_in(&base, o);
        if (!is_wanted(o))
            continue;
        double before = clock_now();
        if (!q) {
            assert_int_equal(language_probe(of(o)), ST_UNSUPPORTED);
            print_message("SKIP %s\n", error_text());
            continue;
        }
        assert_string_equal(q->part, of(o)->name);
        Str fenced = {0}, whole = {0};
        str_addf(&fenced, "So:\n```%.*s\n%s```\nDone.\n", (int)strcspn(of(o)->fences, " "), of(o)->fences,
                 o->whole);
        str_addf(&whole, "%s%s", o->prompt, o->inside);
        expect_verdict(&base, b, o->inside, "right", "continues");
        assert_int_equal(base.model.stops_n, 2);
        expect_verdict(&x, q, str_c(&fenced), "right", NULL);
        expect_verdict(&x, q, str_c(&whole), "right", NULL);
        expect_verdict(&x, q, o->wrong, "wrong", NULL);
        expect_wrong(&x, q, o->broken);
        expect_wrong(&x, q, "I do not know.");
        str_drop(&fenced);
        str_drop(&whole);
        print_message("%-10s 6 programs, %.1f s\n", of(o)->title, clock_now() - before);
    }
    print_message("MultiPL-E: %zu of %zu languages run here\n", x.questions.all.n, wanted);
    bench_close(&x);
    bench_close(&base);
}

static void data_that_is_not_right_is_named(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    assert_int_equal(bench_open(&x, &multipl_e, "/nowhere"), ST_IO);
    expect_words("humaneval-LANGUAGE-reworded.jsonl");
    bench_close(&x);
    Bench y = {0};
    scratch_text("bad/multipl_e/mbpp-py-reworded.json",
                 "[{\"name\": \"mbpp_1_x\", \"language\": \"brainfuck\", "
                 "\"prompt\": \"\", \"tests\": \"\", \"stop_tokens\": []}]");
    assert_int_equal(bench_open(&y, &multipl_e_mbpp, in_scratch("bad")), ST_FORMAT);
    bench_close(&y);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_language_that_is_here_tells_right_from_wrong),
        cmocka_unit_test(data_that_is_not_right_is_named),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
