"""Two questions about the programs of recorded MINT episodes, for src/eval/replay_programs_test.c, which defines them in
an interpreter inside the sandbox: does a solution pass its tests, and can a cell be compared with its recording?
Sources: xingyaoww/mint-bench, mint/utils/exec.py and mint/tools/python_tool.py.
"""
import ast, builtins, contextlib, io, os, signal, sys

CHANGING = {"random", "time", "datetime", "secrets", "uuid", "os", "subprocess", "threading", "sys"}


class Closed(io.StringIO):
    def read(self, *a, **k):
        raise IOError
    readline = readlines = read

    def readable(self, *a, **k):
        return False


class TimeUp(Exception):
    pass


def ring(*_):
    raise TimeUp


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
            signal.signal(signal.SIGALRM, ring)
            signal.setitimer(signal.ITIMER_REAL, 10)
            exec(solution + "\n" + tests, {})
        end(0)
    except BaseException:
        end(1)


def comparable(code):
    """Not IPython's own syntax, nothing beyond the standard library, and the same output whenever it runs."""
    if any(line.lstrip().startswith(("!", "%")) or line.rstrip().endswith("?") for line in code.splitlines()):
        return False
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return True
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for top in (name.split(".")[0] for name in names):
            if top not in sys.stdlib_module_names or top in CHANGING:
                return False
        if isinstance(node, ast.Name) and node.id in ("wikipedia_search", "input", "exit", "quit"):
            return False
    return True
