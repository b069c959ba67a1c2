# The program inside a sandbox that runs one program on trial: program.c gives it to `python3 -I -S -E -c`.
# Its stdin holds a line "NONCE SECONDS guarded|whole" and the program's text.  Its last word on stdout is a
# frame, NONCE and a line
#     passed | assertion LINE | raised LINE | late
# and what the program itself writes to descriptors 1 and 2 goes nowhere.
#
# The rules are those of openai/human-eval, human_eval/execution.py, which xingyaoww/mint-bench,
# mint/utils/exec.py took over: an empty dict for globals, functions that change files and processes are None,
# modules that are refused, stdin that cannot be read, an alarm.  Modules are guarded when the program imports
# them, since to import them costs more than all else here.
import builtins
import io
import posix
import sys

import _signal

GONE = {
    "shutil": ("rmtree", "move", "chown"),
    "subprocess": ("Popen",),
    "os": (
        "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames "
        "truncate replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir"
    ).split(),
}
REFUSED = "ipdb joblib resource psutil tkinter".split()


class Late(Exception):
    pass


class Nowhere(io.StringIO):
    """Takes what is written and gives nothing; a flood costs no memory."""

    def write(self, text):
        return len(text)

    def read(self, *arguments):
        raise OSError

    readline = readlines = read

    def readable(self):
        return False


def take_away(module, names):
    for name in names:
        if hasattr(module, name):
            setattr(module, name, None)


class Loader:
    """Python's own for a module, which then loses functions."""

    def __init__(self, loader):
        self.loader = loader

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def exec_module(self, module):
        self.loader.exec_module(module)
        take_away(module, GONE[module.__name__])


class Guard:
    """Finds the modules that lose functions, as Python's own finders do."""

    def __init__(self, finders):
        self.finders = finders

    def find_spec(self, name, path=None, target=None):
        if name not in GONE:
            return None
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in self.finders)))
        spec.loader = Loader(spec.loader)
        return spec


def is_folder(path):
    try:
        return posix.stat(path).st_mode & 0o170000 == 0o040000
    except OSError:
        return False


def open_paths():
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in (
        f"/usr/local/lib/{version}/dist-packages",
        "/usr/lib/python3/dist-packages",
        f"{sys.prefix}/lib/{version}/site-packages",
    ):
        if is_folder(folder) and folder not in sys.path:
            sys.path.append(folder)


def guard():
    builtins.exit = builtins.quit = builtins.help = None
    sys.meta_path.insert(0, Guard(sys.meta_path[:]))
    for name in REFUSED:
        sys.modules[name] = None


def last_line(error):
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        return f"{name}: {text}" if text else name
    except BaseException:
        return name


def ring(number, frame):
    raise Late


def run(text, seconds):
    try:
        _signal.signal(_signal.SIGALRM, ring)
        _signal.setitimer(_signal.ITIMER_REAL, seconds)
        try:
            exec(text, {})
        finally:
            _signal.setitimer(_signal.ITIMER_REAL, 0)
        return "passed"
    except Late:
        return "late"
    except AssertionError as error:
        return "assertion " + last_line(error)
    except BaseException as error:
        return "raised " + last_line(error)


def main():
    number_of_this, end, write = posix.getpid, posix._exit, posix.write
    there, null, me = posix.dup(1), posix.open("/dev/null", posix.O_RDWR), number_of_this()
    given = sys.stdin.buffer.read()
    settings, _, text = given.partition(b"\n")
    nonce, seconds, way = settings.split()
    for descriptor in range(3):
        posix.dup2(null, descriptor)
    open_paths()
    if way == b"guarded":
        guard()
    sys.stdin = sys.stdout = sys.stderr = Nowhere()
    said = run(text.decode("utf-8", "surrogateescape"), float(seconds))
    if number_of_this() != me:  # a child of the program, which came back from its fork
        end(1)
    said = said.encode("utf-8", "replace").replace(b"\n", b" ")[:1000]
    write(there, nonce + said + b"\n")
    end(0)


main()
