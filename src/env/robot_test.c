#include "env/robot.h"

#include <pthread.h>

#include "base/data_test.h"
#include "base/json_file.h"
#include "base/rng.h"
#include "base/scratch_test.h"
#include "env/needs_sandbox_test.h"

/* The inputs are frozen: a change of theirs is a change of every score. */
static const char inputs_hash[] = "779b1dc6dcdca21e0c0f5ec099a8b4d87af2451f2e9819180a25611831c32abe";

/* A change of each solution that makes it another function. */
static const struct {
    const char *name, *from, *to;
} mutants[] = {
    {"get_top_most_idx", "argmax", "argmin"},
    {"get_bottom_most_idx", "1]", "0]"},
    {"get_left_most_idx", "argmin", "argmax"},
    {"get_right_most_idx", "0]", "1]"},
    {"get_farthest_idx", "argmax", "argmin"},
    {"get_closest_idx", "np.square", "np.abs"},
    {"get_bbox_xyxy_area", "(high - low)", "(high + low)"},
    {"bbox_xyxy_contains_pt", "and low <= pt[1]", "or low <= pt[1]"},
    {"interpolate_pts_np", "np.linspace(0, 1, n)", "np.linspace(0, 1, n, endpoint=False)"},
    {"reverse_pts", "axis=0", "axis=1"},
    {"normalize_vector", "np.sqrt(vector @ vector)", "np.abs(vector).sum()"},
    {"translate_pts_np", "+", "-"},
    {"rotate_pts_around_pts_center_np", "1j * np.radians", "-1j * np.radians"},
    {"scale_pts_around_centroid_np", "[scale_x, scale_y]", "[scale_y, scale_x]"},
    {"fit_2d_np_polys", "both[:, 0], both[:, 1]", "both[::-1, 0], both[::-1, 1]"},
    {"evaluate_pts_2d_from_poly_coeffs", "len(poly_x_coeffs)", "len(poly_x_coeffs), increasing=True"},
    {"pd_control", "- Kv", "+ Kv"},
    {"end_effector_impedance_control", "J.T @ force", "np.linalg.pinv(J) @ force"},
    {"is_discrete_system_stable", "np.abs(np.linalg.eigvals(A_mat)).max() < 1",
     "np.linalg.eigvals(A_mat).real.max() < 0"},
    {"is_closed_loop_discrete_system_stable", "A_mat - B_mat", "A_mat + B_mat"},
    {"get_closest_point_on_line_to_point", "0, 1)", "0, np.inf)"},
    {"get_direction_orthogonal_to_line", "[y1 - y0, x0 - x1]", "[y0 - y1, x1 - x0]"},
    {"get_direction_orthogonal_to_line_to_point", "return across", "return -across"},
    {"get_points_from_polygon", "exterior.coords)", "exterior.coords)[::-1]"},
    {"interpolate_pts_along_exterior", "exterior.length, n)", "exterior.length, n + 1)[:n]"},
    {"interpolate_pts_on_line", "0, line.length", "line.length, 0"},
    {"make_line", "[start_pt_np, end_pt_np]", "[end_pt_np, start_pt_np]"},
    {"make_circle", "buffer(radius)", "buffer(2 * radius)"},
    {"make_rectangle", "width / 2, y + height / 2", "3 * width, y + 3 * height"},
    {"make_ellipse", "buffer(1)", "buffer(2)"},
    {"obj_shape_does_not_contain_others", "contains", "intersects"},
    {"is_obj0_bigger_than_obj1", ">", "<"},
    {"get_one_bbox_xyxy_of_all_objs", "corners.min(axis=0)", "corners[0]"},
    {"are_obj_centers_close", "all(", "any("},
    {"get_name_of_biggest_obj", "return max", "return min"},
    {"do_any_object_shapes_intersect_with_each_other", "any(", "all("},
    {"get_name_of_obj_with_min_dist_to_pt", "min(obj_names", "max(obj_names"},
};
enum { PROBLEMS = sizeof mutants / sizeof *mutants };

static Robot *robot;
static json_t *problems; /* the data's; NULL: it is not here */

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static void need_robot(void)
{
    needs_sandbox();
    RobotSpec spec = {.seconds = 1};
    if (!robot && robot_open(&robot, &spec) != ST_OK) {
        print_message("SKIP %s\n", error_text());
        skip();
    }
}

static void need_problems(void)
{
    need_robot();
    if (!data_with(ROBOT_PROBLEMS))
        skip();
    char *path = path_join(data_folder(), ROBOT_PROBLEMS);
    if (!problems)
        must(json_file_read(&problems, path));
    mem_free(path);
    assert_int_equal(json_array_size(problems), PROBLEMS);
}

static json_t *problem_of(const char *name, const char *test)
{
    return json_pack("{s:s, s:s, s:s, s:i}", "f_name", name, "f_sig", name, "test_equiv", test, "n_inputs",
                     3);
}

/* Solutions and mutants. -------------------------------------------------------------------------------- */

static void solutions_pass_and_mutants_fail(void **state)
{
    (void)state;
    need_problems();
    RobotVerdict v = {0};
    int inputs = 0;
    for (size_t i = 0; i < PROBLEMS; i++) {
        const json_t *p = json_array_get(problems, i);
        const char *name = json_string_value(json_object_get(p, "f_name"));
        Str source = {0};
        assert_string_equal(name, mutants[i].name);
        must(robot_solution(robot, &source, name));
        RobotTry try = {.problem = p, .source = str_span(&source)};
        must(robot_run(robot, &v, &try));
        if (v.end != ROBOT_PASSED || v.says.n)
            fail_msg("%s: %s", name, str_c(&v.says));
        inputs += v.passed;
        const char *at = strstr(str_c(&source), mutants[i].from);
        assert_non_null(at);
        char *other = mem_format("%.*s%s%s", (int)(at - source.at), source.at, mutants[i].to,
                                 at + strlen(mutants[i].from));
        try.source = span(other);
        must(robot_run(robot, &v, &try));
        if (v.end != ROBOT_WRONG)
            fail_msg("%s: %s %s\n%s", name, robot_end_names[v.end], str_c(&v.says), other);
        mem_free(other);
        str_drop(&source);
    }
    print_message("RoboCodeGen: %d solutions pass on %d inputs, a mutant of each fails\n", PROBLEMS, inputs);
    robot_verdict_drop(&v);
}

/* An empty function, and one that returns one value for all inputs, of a problem with two answers. */
static void constants_fail(void **state)
{
    (void)state;
    need_problems();
    RobotVerdict v = {0};
    static const char *const values[] = {"None", "True", "False", "0", "'block0'"};
    for (size_t i = 0; i < PROBLEMS; i++)
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            char *source = mem_format("def %s(*a, **k):\n  return %s\n", mutants[i].name, values[k]);
            RobotTry try = {.problem = json_array_get(problems, i), .source = span(source)};
            must(robot_run(robot, &v, &try));
            if (v.end == ROBOT_PASSED)
                fail_msg("%s", source);
            mem_free(source);
        }
    robot_verdict_drop(&v);
}

static void inputs_are_frozen(void **state)
{
    (void)state;
    need_problems();
    Str hash = {0};
    must(robot_inputs_hash(robot, &hash, problems));
    assert_string_equal(str_c(&hash), inputs_hash);
    str_drop(&hash);
}

/* Rules. ------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *source;
    RobotEnd end;
    const char *says; /* a part of it */
} Rule;

static void expect_rule(const json_t *p, const Rule *rule, const RobotTry *more)
{
    RobotVerdict v = {0};
    RobotTry try = more ? *more : (RobotTry){0};
    try.problem = p;
    try.source = span(rule->source);
    must(robot_run(robot, &v, &try));
    if (v.end != rule->end || !strstr(str_c(&v.says), rule->says))
        fail_msg("%s\n%s: %s", rule->source, robot_end_names[v.end], str_c(&v.says));
    assert_true(utf8_valid(str_c(&v.says), v.says.n));
    robot_verdict_drop(&v);
}

#define DEF "def reverse_pts(pts):\n  "
static void sources_obey_the_rules(void **state)
{
    (void)state;
    need_robot();
    static const Rule rules[] = {
        {DEF "return pts[::-1]", ROBOT_PASSED, ""},
        {"reverse_pts = lambda pts: pts[::-1]", ROBOT_PASSED, ""},
        {DEF "print('x' * 100000)\n  return pts[::-1]", ROBOT_PASSED, ""},
        {"import numpy\n" DEF "return pts[::-1]", ROBOT_REFUSED, "refused: the source holds 'import'"},
        {"# important\n" DEF "return pts[::-1]", ROBOT_REFUSED, "'import'"},
        {DEF "return pts.__getitem__(0)", ROBOT_REFUSED, "'__'"},
        {DEF "return eval('pts[::-1]')", ROBOT_WRONG, "input 1 of 3: reverse_pts(array([["},
        {DEF "exec('pts = pts[::-1]')\n  return pts", ROBOT_WRONG, "; right is array([["},
        {DEF "return None", ROBOT_WRONG, "returns None; right is array("},
        {DEF "return pts", ROBOT_WRONG, "returns array("},
        {DEF "return pts[99]", ROBOT_RAISED, "raises IndexError: index 99 is out of bounds"},
        {DEF "x = 1\n  return nothing", ROBOT_RAISED, "name 'nothing' is not defined (line 3)"},
        {DEF "raise SystemExit", ROBOT_RAISED, "raises SystemExit"},
        {"raise ValueError('early')", ROBOT_RAISED, "ValueError: early"},
        {DEF "return pts[", ROBOT_SYNTAX, "SyntaxError"},
        {"", ROBOT_NOTHING, "the source defines no function 'reverse_pts'"},
        {"def other(pts):\n  return pts[::-1]", ROBOT_NOTHING, "no function"},
        {"reverse_pts = 3", ROBOT_NOTHING, "no function"},
        {DEF "while True: pass", ROBOT_LATE, "still running after 1 s"},
        {"while True: pass", ROBOT_LATE, "still running after 1 s"},
        {DEF "return np.zeros(10**10)", ROBOT_RAISED, "MemoryError"},
        /* Its functions do not see one another, as in the original. */
        {"def turn(p):\n  return p[::-1]\n" DEF "return turn(pts)", ROBOT_RAISED, "'turn' is not defined"},
        {DEF "return reverse_pts", ROBOT_RAISED, "'reverse_pts' is not defined"},
    };
    json_t *p = problem_of("reverse_pts", "allclose");
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        expect_rule(p, &rules[i], NULL);
    /* The next source finds nothing of one before. */
    expect_rule(p, &(Rule){"np.flip = None\n" DEF "return pts", ROBOT_WRONG, ""}, NULL);
    expect_rule(p, &(Rule){DEF "return np.flip(pts, 0)", ROBOT_PASSED, ""}, NULL);
    expect_rule(p, &(Rule){"HELPERS = 1\n" DEF "return INPUTS", ROBOT_RAISED, "'INPUTS' is not defined"},
                NULL);
    json_decref(p);
}

static void functions_can_be_together(void **state)
{
    (void)state;
    need_robot();
    json_t *p = problem_of("reverse_pts", "allclose");
    RobotTry together = {.together = true};
    Rule two = {"def turn(p):\n  return p[::-1]\n" DEF "return turn(pts)", ROBOT_PASSED, ""};
    Rule self = {DEF "return pts if len(pts) < 2 else np.vstack([reverse_pts(pts[1:]), pts[:1]])",
                 ROBOT_PASSED, ""};
    expect_rule(p, &two, &together);
    expect_rule(p, &self, &together);
    json_decref(p);
}

/* What the prompt's examples define is there, with Shapely's geometry and affinity. */
static void helpers_are_there(void **state)
{
    (void)state;
    need_robot();
    static const char *const checks[] = {
        "get_total(xs=[1, 2]) == 3",
        "eval_line(2, 3, y_intercept=1) == 7",
        "all(move_pt_left(np.array([1, 2]), 3) == [-2, 2])",
        "all(move_pt_up(pt=np.array([1, 2]), dist=3) == [1, 5])",
        "make_line_by_length(length=2).length == 2",
        "abs(make_vertical_line_by_length(2).bounds[3] - 1) < 1e-9",
        "all(interpolate_line(make_line_by_length(4), t=0.5) == [2, 0])",
        "get_obj_outer_pts_np('block3').shape == (5, 2)",
        "Point(0, 0).buffer(1).contains(Point(0.5, 0))",
        "translate(scale(box(0, 0, 1, 1), 2, 2), 1).area == 4",
    };
    json_t *p = problem_of("reverse_pts", "allclose");
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        char *source = mem_format(DEF "return pts[::-1] if %s else 0", checks[i]);
        expect_rule(p, &(Rule){source, ROBOT_PASSED, ""}, NULL);
        mem_free(source);
    }
    json_decref(p);
}

/* The shape test's tolerance is the area of the shape that is tested. */
static void almost_any_shape_is_the_same(void **state)
{
    (void)state;
    need_robot();
    json_t *p = problem_of("make_circle", "shape");
    expect_rule(p,
                &(Rule){"def make_circle(radius, center):\n  return Point(center).buffer(radius / 9)",
                        ROBOT_PASSED, ""},
                NULL);
    expect_rule(p,
                &(Rule){"def make_circle(radius, center):\n  return Point(center).buffer(radius * 1.01)",
                        ROBOT_PASSED, ""},
                NULL);
    expect_rule(p,
                &(Rule){"def make_circle(radius, center):\n  return Point(99, 99).buffer(radius)",
                        ROBOT_WRONG, "returns POLYGON (("},
                NULL);
    expect_rule(p, &(Rule){"def make_circle(radius, center):\n  return radius", ROBOT_WRONG, "returns 0."},
                NULL);
    json_decref(p);
}

/* Hierarchies. ------------------------------------------------------------------------------------------- */

static void undefined_calls_are_found(void **state)
{
    (void)state;
    need_robot();
    static const char source[] = "def f(x, go):\n"
                                 "    a = outer(x, inner(x), k=2)\n"
                                 "    b, c = pair(a)\n"
                                 "    h = lambda q: q\n"
                                 "    def nested(): return 1\n"
                                 "    go(h(nested()))\n"
                                 "    got = given(a)\n"
                                 "    return f(abs(np.sum(last(get_total(x)))))\n";
    RobotFunction given = {"given", span("def given(a): return a")};
    RobotTry try = {.defines = "f", .source = {source, sizeof source - 1}, .helpers = &given, .helpers_n = 1};
    json_t *calls;
    must(robot_calls(robot, &calls, &try));
    char *text = json_dumps(calls, JSON_COMPACT);
    assert_string_equal(text, "[[\"inner\",\"inner(x)\"],[\"outer\",\"a = outer(x, inner(x), k=2)\"],"
                              "[\"pair\",\"(b, c) = pair(a)\"],[\"last\",\"last(get_total(x))\"]]");
    free(text);
    json_decref(calls);
    static const char *const none[] = {"", "x = g(1)", "def f(:", "def f(x): return x",
                                       "def g(x): return h(x)"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        try.source = span(none[i]);
        must(robot_calls(robot, &calls, &try));
        assert_int_equal(json_array_size(calls), 0);
        json_decref(calls);
    }
}

static void helpers_see_those_before_them(void **state)
{
    (void)state;
    need_robot();
    json_t *p = problem_of("reverse_pts", "allclose");
    RobotFunction helpers[] = {{"deep", span("def deep(p):\n  return p[::-1]")},
                               {"turn", span("def turn(p):\n  return deep(p)")}};
    RobotTry try = {.helpers = helpers, .helpers_n = 2};
    expect_rule(p, &(Rule){DEF "return turn(pts)", ROBOT_PASSED, ""}, &try);
    helpers[0].source = span("def deep(p) return p"); /* one that is none returns None */
    expect_rule(p, &(Rule){DEF "return turn(pts)", ROBOT_WRONG, "returns None"}, &try);
    json_decref(p);
}

/* What is not right. ------------------------------------------------------------------------------------- */

static void other_problems_are_refused(void **state)
{
    (void)state;
    need_robot();
    json_t *p = problem_of("reverse_the_world", "allclose");
    RobotVerdict v = {0};
    Str out = {0};
    assert_int_equal(robot_run(robot, &v, &(RobotTry){.problem = p}), ST_FORMAT);
    expect_words("'reverse_the_world' is none of the functions");
    json_object_set_new(p, "f_name", json_string("reverse_pts"));
    json_object_set_new(p, "test_equiv", json_string("roughly"));
    assert_int_equal(robot_run(robot, &v, &(RobotTry){.problem = p}), ST_FORMAT);
    expect_words("must be allclose, equal or shape");
    json_object_set_new(p, "test_equiv", json_string("equal"));
    json_object_set_new(p, "n_inputs", json_integer(0));
    assert_int_equal(robot_run(robot, &v, &(RobotTry){.problem = p}), ST_FORMAT);
    assert_int_equal(robot_run(robot, &v, &(RobotTry){.problem = NULL}), ST_FORMAT);
    assert_int_equal(robot_solution(robot, &out, "nothing"), ST_ARG);
    robot_verdict_drop(&v);
    str_drop(&out);
    json_decref(p);
}

/* Any bytes, and sources that strike at what runs them, are verdicts. */
static void hostile_sources_are_verdicts(void **state)
{
    (void)state;
    need_robot();
    static const char *const hostile[] = {
        DEF "while 1:\n    try:\n      while 1: pass\n    except BaseException: pass",
        DEF "return open('/proc/self/mem', 'rb').read()",
        DEF "[open(i, 'wb', closefd=False).write(b'x' * 99) for i in range(3, 300)]\n  return 1",
        DEF "np.compat.py3k.os.kill(np.compat.py3k.os.getppid(), 9)\n  return pts[::-1]",
        DEF "np.compat.py3k.os._exit(0)",
        DEF "o = np.compat.py3k.os\n  while 1: o.write(200, b'x' * 65536)",
        DEF "o = np.compat.py3k.os\n  o.write(200, b'[3]\\n')",
        DEF "o = np.compat.py3k.os\n  o.write(200, b'{\"end\": 3, \"inputs\": []}\\n')",
        DEF "return getattr(np, '_' + '_builtins_' + '_')",
        DEF "return (lambda f: f(f))(lambda f: f(f))",
        "x = [0]\nfor _ in range(99): x = [x, x]\n" DEF "return x",
        "class A:\n  def area(self): raise RuntimeError\n" DEF "return A()",
        "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
        "(((("
        "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
        "((((",
    };
    json_t *p = problem_of("reverse_pts", "allclose");
    RobotVerdict v = {0};
    Rng rng;
    rng_seed(&rng, 7);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        must(robot_run(robot, &v, &(RobotTry){.problem = p, .source = span(hostile[i])}));
        assert_int_not_equal(v.end, ROBOT_PASSED);
    }
    for (int i = 0; i < 200; i++) {
        char bytes[64];
        size_t n = rng_below(&rng, sizeof bytes);
        for (size_t k = 0; k < n; k++)
            bytes[k] = (char)rng_below(&rng, 256);
        json_t *calls;
        RobotTry try = {.problem = p, .source = {bytes, n}};
        must(robot_run(robot, &v, &try));
        must(robot_calls(robot, &calls, &try));
        json_decref(calls);
        assert_int_not_equal(v.end, ROBOT_PASSED);
    }
    char *large = mem_array(char, 300000);
    memset(large, '\n', 300000);
    must(robot_run(robot, &v, &(RobotTry){.problem = p, .source = {large, 300000}}));
    assert_int_equal(v.end, ROBOT_REFUSED);
    expect_rule(p, &(Rule){DEF "return pts[::-1]", ROBOT_PASSED, ""}, NULL); /* it still runs */
    mem_free(large);
    robot_verdict_drop(&v);
    json_decref(p);
}

static int64_t asked;
static bool after_a_while(void *context)
{
    (void)context;
    return ++asked > 3;
}

static void a_run_can_be_stopped(void **state)
{
    (void)state;
    need_robot();
    Robot *r;
    json_t *p = problem_of("reverse_pts", "allclose");
    RobotVerdict v = {0};
    RobotTry forever = {.problem = p, .source = span(DEF "while True: pass")},
             right = {.problem = p, .source = span(DEF "return pts[::-1]")};
    RobotSpec spec = {.seconds = 60, .stopped = after_a_while};
    asked = -1000;
    must(robot_open(&r, &spec));
    asked = 0;
    assert_int_equal(robot_run(r, &v, &forever), ST_CANCELLED);
    asked = -1000;
    must(robot_run(r, &v, &right));
    assert_int_equal(v.end, ROBOT_PASSED);
    robot_close(r);
    robot_verdict_drop(&v);
    json_decref(p);
}

/* The thread that opened it may end; two may ask at once. */
static void *open_it(void *out)
{
    return robot_open(out, &(RobotSpec){0}) == ST_OK ? out : NULL;
}
static void *run_some(void *robot_of)
{
    json_t *p = problem_of("reverse_pts", "allclose");
    RobotVerdict v = {0};
    bool good = true;
    for (int i = 0; i < 5 && good; i++)
        good = robot_run(robot_of, &v, &(RobotTry){.problem = p, .source = span(DEF "return pts[::-1]")}) ==
                   ST_OK &&
               v.end == ROBOT_PASSED;
    robot_verdict_drop(&v);
    json_decref(p);
    return good ? robot_of : NULL;
}
static void threads_take_turns(void **state)
{
    (void)state;
    need_robot();
    pthread_t threads[2];
    Robot *r = NULL;
    void *good;
    assert_int_equal(pthread_create(&threads[0], NULL, open_it, &r), 0);
    pthread_join(threads[0], &good);
    assert_non_null(good);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_some, i ? r : robot), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &good);
        assert_non_null(good);
    }
    robot_close(r);
}

static int close_all(void **state)
{
    robot_close(robot);
    json_decref(problems);
    return scratch_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solutions_pass_and_mutants_fail),
        cmocka_unit_test(constants_fail),
        cmocka_unit_test(inputs_are_frozen),
        cmocka_unit_test(sources_obey_the_rules),
        cmocka_unit_test(functions_can_be_together),
        cmocka_unit_test(helpers_are_there),
        cmocka_unit_test(almost_any_shape_is_the_same),
        cmocka_unit_test(undefined_calls_are_found),
        cmocka_unit_test(helpers_see_those_before_them),
        cmocka_unit_test(other_problems_are_refused),
        cmocka_unit_test(hostile_sources_are_verdicts),
        cmocka_unit_test(threads_take_turns),
        cmocka_unit_test(a_run_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, scratch_make, close_all);
}
