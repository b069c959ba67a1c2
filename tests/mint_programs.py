"""Runs the programs of recorded MINT episodes for src/eval/replay_programs_test.c, which starts it inside bubblewrap.

One JSON object a line in, one out:
    {"solution": S, "tests": T}     -> {"passes": bool}                      R5
    {"begin": true}                 -> {}             a new interpreter
    {"cell": C}                     -> {"unable": why} | {"printed": text} | {"raised": last line of the traceback}

A model of the original, not of IPython: cells that need more than the standard library, or whose output differs between
two runs, are refused.  Sources: xingyaoww/mint-bench, mint/utils/exec.py and mint/tools/python_tool.py.
"""
import ast, builtins, contextlib, io, json, os, resource, signal, sys, traceback

CHANGING = {"random", "time", "datetime", "secrets", "uuid", "os", "subprocess", "threading", "sys"}
replies = os.fdopen(os.dup(1), "w")
requests = os.fdopen(os.dup(0))
for fd in (0, 1, 2):
    os.dup2(os.open(os.devnull, os.O_RDWR), fd)
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))


class Closed(io.StringIO):
    def read(self, *a, **k):
        raise IOError
    readline = readlines = read

    def readable(self, *a, **k):
        return False


class TimeUp(Exception):
    pass


def alarm_in(seconds, exception):
    def ring(*_):
        raise exception
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def guard():
    import shutil, subprocess
    builtins.exit = builtins.quit = builtins.help = None
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in ("kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate replace "
                 "unlink fchmod fchown chmod chown chroot lchown getcwd chdir").split():
        setattr(os, name, None)
    shutil.rmtree = shutil.move = shutil.chown = subprocess.Popen = None
    for name in ("ipdb", "joblib", "resource", "psutil", "tkinter"):
        sys.modules[name] = None


def passes(solution, tests):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    end = os._exit
    try:
        guard()
        quiet = Closed()
        sys.stdin = quiet
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            alarm_in(10, TimeUp())
            exec(solution + "\n" + tests, {})
        end(0)
    except BaseException:
        end(1)


def unable(code):
    if any(line.lstrip().startswith(("!", "%")) or line.rstrip().endswith("?") for line in code.splitlines()):
        return "IPython's own syntax"
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for top in (name.split(".")[0] for name in names):
            if top not in sys.stdlib_module_names or top in CHANGING:
                return "imports " + top
        if isinstance(node, ast.Name) and node.id in ("wikipedia_search", "input", "exit", "quit"):
            return "calls " + node.id


def pretty(value, column=0, after=0):
    """IPython's lib/pretty: what does not fit in 79 columns breaks at each of its commas.  `after`: what must follow."""
    kinds = {list: "[]", tuple: "()", set: "{}", dict: "{}"}
    if type(value) not in kinds or not value:
        return repr(value)
    opening, closing = kinds[type(value)]
    if type(value) is set:
        with contextlib.suppress(Exception):
            value = sorted(value)
    if type(value) is tuple and len(value) == 1:
        closing = ",)"

    def pieces(column, broken):
        last = len(value) - 1
        for i, item in enumerate(value.items() if type(value) is dict else value):
            key = pretty(item[0]) + ": " if type(value) is dict else ""
            item = item[1] if type(value) is dict else item
            follows = 1 if i < last else len(closing) + after
            yield key + (pretty(item, column + len(key), follows) if broken else pretty(item, -10**9))
    flat = opening + ", ".join(pieces(column, False)) + closing
    if column + len(flat) + after <= 79:
        return flat
    return opening + (",\n" + " " * (column + 1)).join(pieces(column + 1, True)) + closing


def shown(n, value):
    text = pretty(value)
    return "Out[%d]: %s%s" % (n, "\n" if "\n" in text else "", text)


def rendered(text):
    text = text or "[Executed Successfully with No Output]"
    return (text if len(text) <= 2000 else text[:2000] + "...\n[Output Truncated]").strip()


def run_cell(code, names, n):
    out = io.StringIO()
    try:
        tree = ast.parse(code)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(out):
            alarm_in(30, TimeoutError("Timed out after 30 seconds."))
            exec(compile(tree, "cell", "exec"), names)
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
            if value is not None and not code.rstrip().endswith(";"):
                print(shown(n, value))
        return {"printed": rendered(out.getvalue())}
    except BaseException as e:
        line = "".join(traceback.format_exception_only(type(e), e)).strip().split("\n")[-1]
        return {"raised": line if str(e) else line + ":"}  # IPython's form of an exception without words
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Session:
    """A forked interpreter that keeps its names between cells."""

    def __init__(self):
        self.pid = None

    def begin(self):
        self.end()
        a, b = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(a[1])
            os.close(b[0])
            self.serve(os.fdopen(a[0]), os.fdopen(b[1], "w"))
        os.close(a[0])
        os.close(b[1])
        self.to, self.back = os.fdopen(a[1], "w"), os.fdopen(b[0])

    def serve(self, cells, results):
        names = {"__name__": "__main__"}
        for n, line in enumerate(cells, 1):
            results.write(json.dumps(run_cell(json.loads(line), names, n)) + "\n")
            results.flush()
        os._exit(0)

    def cell(self, code):
        self.to.write(json.dumps(code) + "\n")
        self.to.flush()
        line = self.back.readline()
        return json.loads(line) if line else {"unable": "the interpreter died"}

    def end(self):
        if self.pid:
            self.to.close()
            self.back.close()
            os.waitpid(self.pid, 0)
        self.pid = None


session = Session()
for line in requests:
    request = json.loads(line)
    if "solution" in request:
        reply = {"passes": passes(request["solution"], request["tests"])}
    elif "begin" in request:
        session.begin()
        reply = {}
    else:
        why = unable(request["cell"])
        reply = {"unable": why} if why else session.cell(request["cell"])
    replies.write(json.dumps(reply) + "\n")
    replies.flush()
session.end()
