# Runs a function that a model wrote on the inputs of robot_problems.py, which stands in front of this, and says
# what came of each.  robot.c defines both in a session of its own and asks by robot(text), JSON for JSON.
#
# Every source runs in a child of its own, forked when NumPy and Shapely are there already: nothing of one is left
# for the next, and an input costs no interpreter.  The rules for sources are the original's (google-research,
# code_as_policies, exec_safe and lmp_fgen_batch): neither "import" nor "__"; exec and eval do nothing; its names
# are no globals, so that of several functions only the one asked for can be called, and it cannot call itself,
# unless `together`.
import ast
import builtins
import hashlib
import json
import os
import resource
import select
import signal
import time
import traceback

BANNED = ("import", "__")
MEMORY = 3 << 29
SAID_MAX = 1 << 20
WORDS = 400
FILE = "<function>"


# What a source sees. -----------------------------------------------------------------------------------------


# The functions that the prompt's examples define, as the original has them beside the prompt.
def get_total(xs):
    return np.sum(xs)


def eval_line(x, slope, y_intercept):
    return slope * x + y_intercept


def move_pt_left(pt, dist):
    return np.subtract(pt, [dist, 0])


def move_pt_up(pt, dist):
    return np.add(pt, [0, dist])


def make_line_by_length(length):
    return LineString([(0, 0), (length, 0)])


def make_vertical_line_by_length(length):
    return rotate(make_line_by_length(length), 90)


def interpolate_line(line, t):
    return np.array(line.interpolate(t, normalized=True).coords[0])


def helpers():
    names = {}
    exec("from shapely.geometry import *\nfrom shapely.affinity import *", names)
    del names["__builtins__"]
    for helper in (get_total, eval_line, move_pt_left, move_pt_up, make_line_by_length, make_vertical_line_by_length,
                   interpolate_line, get_obj_outer_pts_np):
        names[helper.__name__] = helper
    return dict(names, np=np)


HELPERS = helpers()
EQUAL = {
    "allclose": lambda right, got: np.allclose(right, got),
    "equal": lambda right, got: right == got,
    # The third argument is the relative tolerance, so almost any shape is the same; the original's own slip.
    "shape": lambda right, got: np.allclose(right.union(got).area, right.area, got.area),
}


class Unfit(Exception):
    """The source cannot be run; says why."""


class Late(BaseException):
    pass


def define(name, source, known, together):
    """The function `name` of a source."""
    for word in BANNED:
        if word in source:
            raise Unfit("refused: the source holds '%s'" % word)
    names = dict(HELPERS, **known, exec=lambda *a, **k: None, eval=lambda *a, **k: None)
    own = names if together else {}
    try:
        code = compile(source, FILE, "exec")
    except ValueError as error:  # a NUL in it
        raise SyntaxError(str(error))
    exec(code, names, own)
    found = own.get(name)
    if not callable(found) or (together and found is known.get(name)):
        raise Unfit("the source defines no function '%s'" % name)
    return found


def helper_of(name, source, known, together):
    """As the original has it: one that cannot be defined returns None."""
    try:
        return define(name, source, known, together)
    except Exception:
        return lambda *a, **k: None


# One source. -------------------------------------------------------------------------------------------------


def cut(text):
    return text if len(text) <= WORDS else text[: WORDS - 4] + " ..."


def show(value):
    try:
        if isinstance(value, np.ndarray):
            text = np.array2string(value, precision=5, separator=", ", threshold=40)
            return cut("array(%s)" % text.replace("\n", ""))
        if isinstance(value, (tuple, list)):
            inside = ", ".join(show(v) for v in value[:20]) + (", ..." if len(value) > 20 else "")
            return cut("(%s)" % inside if isinstance(value, tuple) else "[%s]" % inside)
        return cut(value.wkt if hasattr(value, "wkt") else repr(value))
    except Exception:
        return "<%s>" % type(value).__name__


def complaint(error):
    """(its words, the original's words: without the type and the line)"""
    try:
        text = str(error)
    except Exception:
        text = ""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == FILE]
    where = " (line %d)" % lines[-1] if lines and not isinstance(error, SyntaxError) else ""
    return cut("%s: %s%s" % (type(error).__name__, text, where)), cut(text)


def right_answers(problem):
    """The solution's answer to each input."""
    name = problem["f_name"]
    solve = SOLVED[name]
    return [solve(*INPUTS[name](Draw(name, i), i)) for i in range(problem["n_inputs"])]


def same(problem, right, got):
    """As the original: what cannot be compared ends its test, too."""
    try:
        return bool(EQUAL[problem["test_equiv"]](right, got)) and got is not None, ""
    except Exception as error:
        return False, complaint(error)[1]


def one_input(function, problem, number, right):
    name = problem["f_name"]
    given = INPUTS[name](Draw(name, number), number)
    answer = {"call": cut("%s(%s)" % (name, ", ".join(show(v) for v in given))), "verdict": "raised",
              "expected": show(right), "got": "", "error": "", "bare": ""}
    try:
        got = function(*given)
    except Late:
        raise
    except BaseException as error:
        answer["error"], answer["bare"] = complaint(error)
        return answer
    passed, answer["bare"] = same(problem, right, got)
    answer["verdict"], answer["got"] = "passed" if passed else "wrong", show(got)
    return answer


def judge(request, rights):
    """In the child: {"end", "says", "bare", "inputs"}"""
    problem, known, result = request["problem"], {}, {"end": "raised", "says": "", "bare": "", "inputs": []}

    def late(*_):
        raise Late()

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, request["seconds"])
    try:
        for name, source in request["helpers"]:
            known[name] = helper_of(name, source, known, request["together"])
        function = define(request["defines"], request["source"], known, request["together"])
        result["end"] = "ran"
        for number, right in enumerate(rights):
            result["inputs"].append(one_input(function, problem, number, right))
    except Unfit as why:
        result["end"] = "refused" if str(why).startswith("refused") else "nothing"
        result["says"] = str(why)
    except Late:
        result["end"] = "late"
    except BaseException as error:
        result["says"], result["bare"] = complaint(error)
        result["end"] = "syntax" if isinstance(error, SyntaxError) else "raised"
    signal.setitimer(signal.ITIMER_REAL, 0)
    return result


def child(out, request, rights):
    try:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        out = os.dup2(out, 200, inheritable=False)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.closerange(3, 200)
        os.closerange(201, 4096)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        text = json.dumps(judge(request, rights)) + "\n"
        while text:
            text = text[os.write(out, text.encode()) :]
    finally:
        os._exit(0)


def run_child(request, rights):
    """What the child says, and whether that was waited for in vain; it is gone when this returns."""
    source, sink = os.pipe()
    pid = os.fork()
    if pid == 0:
        child(sink, request, rights)
    os.close(sink)
    data, deadline = b"", time.monotonic() + request["seconds"] + 1
    try:
        while not data.endswith(b"\n") and len(data) < SAID_MAX:
            ready = select.select([source], [], [], max(0, deadline - time.monotonic()))[0]
            piece = os.read(source, 1 << 16) if ready else b""
            if not piece:
                break
            data += piece
    finally:  # also where the caller interrupts
        os.close(source)
        for end in (os.killpg, os.kill):
            try:
                end(pid, signal.SIGKILL)
            except OSError:
                pass
        os.waitpid(pid, 0)
    return data, time.monotonic() >= deadline


def words(result, count):
    """Of the first input that fails."""
    for number, one in enumerate(result["inputs"]):
        if one["verdict"] != "passed":
            result["bare"] = one["bare"]
            came = "returns %s; right is %s" % (one["got"], one["expected"])
            came = "raises " + one["error"] if one["error"] else came
            return "input %d of %d: %s %s" % (number + 1, count, one["call"], came)
    return result["says"]


def attempt(request):
    """{"end", "says": what is wrong, in words, "bare": in the original's, "passed", "inputs"}"""
    key = (request["problem"]["f_name"], request["problem"]["n_inputs"])
    if key not in RIGHT:
        RIGHT[key] = right_answers(request["problem"])
    data, late = run_child(request, RIGHT[key])
    try:
        result = json.loads(data)
        if len(result["inputs"]) > key[1] or not isinstance(result["end"], str):
            raise ValueError("the source has spoken for its child")
        result["says"] = words(result, key[1])
        result["passed"] = sum(one["verdict"] == "passed" for one in result["inputs"])
    except (ValueError, KeyError, TypeError):
        result = dict(end="late" if late else "raised", says="its process ended", bare="", inputs=[], passed=0)
    if result["end"] == "late":
        result["says"] = "it was still running after %g s" % request["seconds"]
    return result


# Functions that are called and not there. --------------------------------------------------------------------


class Calls(ast.NodeVisitor):
    """By name how it is called, inner calls first; the last assignment of a call wins, as in the original."""

    def __init__(self):
        self.calls, self.assigned, self.bound = {}, {}, set()

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name):
            self.calls[node.func.id] = ast.unparse(node)

    def visit_Assign(self, node):
        self.generic_visit(node)
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            targets = [ast.unparse(t) for t in node.targets]
            targets = ["(%s)" % t if isinstance(n, ast.Tuple) and t[0] != "(" else t
                       for t, n in zip(targets, node.targets)]
            self.assigned[node.value.func.id] = " = ".join(targets + [ast.unparse(node.value)])

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)

    def visit_FunctionDef(self, node):
        self.bound.add(node.name)
        self.generic_visit(node)

    def visit_arg(self, node):
        self.bound.add(node.arg)


def undefined_calls(request):
    """[[name, signature]] of what a source's function calls and nobody defines."""
    try:
        statements = ast.parse(request["source"]).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    functions = [s for s in statements if isinstance(s, ast.FunctionDef) and s.name == request["defines"]]
    if not functions:
        return []
    seen = Calls()
    seen.visit(functions[-1])
    known = set(HELPERS) | set(dir(builtins)) | seen.bound | {name for name, _ in request["helpers"]}
    known.add(request["problem"]["f_name"])
    return [[name, seen.assigned.get(name, call)] for name, call in seen.calls.items() if name not in known]


# The door. -------------------------------------------------------------------------------------------------

SOLVED, RIGHT = dict(HELPERS), {}
exec(SOLUTIONS, SOLVED)


def solution(name):
    tree = ast.parse(SOLUTIONS)
    found = [n for n in tree.body if n.name == name]
    return ast.get_source_segment(SOLUTIONS, found[0]) if found else None


def inputs_hash(problems):
    """Of every number to nine digits: what is behind them may differ with the machine's libraries."""
    digest = hashlib.sha256()
    with np.printoptions(precision=9, threshold=10000, suppress=True, floatmode="fixed"):
        for p in problems:
            for i in range(p["n_inputs"]):
                for value in INPUTS[p["f_name"]](Draw(p["f_name"], i), i):
                    shape = value.exterior if isinstance(value, Polygon) else value
                    plain = np.array(shape.coords) if hasattr(shape, "wkt") else value
                    plain = plain if isinstance(plain, (list, str)) else np.asarray(plain, float)
                    digest.update(str(plain).encode())
    return digest.hexdigest()


def robot(text):
    request = json.loads(text)
    do = {"try": attempt, "calls": undefined_calls, "solution": lambda r: solution(r["f_name"]),
          "names": lambda r: list(INPUTS), "hash": lambda r: inputs_hash(r["problems"])}[request["do"]]
    print(json.dumps(do(request)))
