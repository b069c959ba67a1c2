# The program inside a Python session: runs cells in one namespace and answers in frames.  python_boot.py runs it and
# leaves it `programs`, of which the other two are loaded when needed first: what shows things (python_values.py,
# python_exceptions.py) and what is IPython's (python_cells.py, python_shell.py, python_magics.py).
# It imports little: a session starts with it, and not even os, which takes as long as all of this.
#
# A frame is KIND, eight hexadecimal digits of length, a newline, and that many bytes.  Those to the program begin
# with the session's nonce.
#   to here   H settings (lines: nonce, first cell, seconds, characters, then a tool a line: NAME TAB PARAMETERS)
#             X a cell's code    A a tool's answer    E why a tool has none
#   to there  R ready; with `programs`, marshalled, where they came as text
#             C a tool's call, JSON {"tool":…,"arguments":{…}}
#             D a cell is done: o(k), e(rror) or t(imed out); T(runcated) or -; the observation
import io
import posix
import sys

import _signal
import _thread

KEEP = 1 << 16  # characters of a cell's output that are kept before they are cut to the observation
LARGEST = 1 << 20
MASKED = "mint/tools/python_tool.py:"


class Capture(io.StringIO):
    """A cell's stdout or stderr: keeps its beginning, and cannot be closed."""

    room = KEEP

    def write(self, text):
        n = len(text)
        if n > self.room:
            text = text[: self.room]
        self.room -= len(text)
        super().write(text)
        return n

    def close(self):
        pass


class Session:
    pid = posix.getpid()
    main = _thread.get_ident()
    lock = _thread.allocate_lock()  # held while frames pass
    in_cell = busy = late = False
    pending = b""
    render = shell_names = shell = None
    shown_otherwise = False  # a cell has registered a way of showing values
    loop = last_error = None
    unders = ["", "", ""]  # what _, __ and ___ were set to last


def signal_handler(signum, frame):
    if not Session.in_cell or posix.getpid() != Session.pid:
        return
    if Session.busy:
        Session.late = True
        return
    raise TimeoutError(f"Timed out after {Session.seconds:g} seconds.")


class Passing:
    """While frames pass, an interruption waits: half a frame is never left."""

    def __enter__(self):
        if _thread.get_ident() == Session.main:
            Session.busy = True
        Session.lock.acquire()

    def __exit__(self, *failure):
        Session.lock.release()
        if _thread.get_ident() == Session.main:
            Session.busy = False
            if Session.late:
                Session.late = False
                signal_handler(0, None)


def send(kind, payload):
    at = memoryview(Session.nonce + kind + b"%08x\n" % len(payload) + payload)
    while at:
        at = at[posix.write(Session.there, at) :]


def receive():
    n = 10
    while len(Session.pending) < n:
        more = posix.read(Session.here, 65536)
        if not more:
            posix._exit(0)
        Session.pending += more
        if len(Session.pending) >= 10:
            n = 10 + int(Session.pending[1:9], 16)
    frame, Session.pending = Session.pending[:n], Session.pending[n:]
    return frame[:1], frame[10:]


def call_tool(name, arguments):
    if posix.getpid() != Session.pid:
        raise RuntimeError(f"{name} can be called by the session's own process only")
    import json

    try:
        request = json.dumps({"tool": name, "arguments": arguments}, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise type(error)(f"{name}: {error}") from None
    if len(request) > LARGEST:
        raise ValueError(f"{name}: arguments of more than {LARGEST} bytes")
    with Passing():
        send(b"C", request)
        kind, answer = receive()
    if kind == b"E":
        raise RuntimeError(answer.decode("utf-8", "replace"))
    return answer.decode("utf-8", "replace")


def make_tool(name, parameters):
    """An object that is called, as MINT's tools are: errors of its arguments say "__call__() takes ..."."""
    scope = {"call_tool": call_tool, "__name__": "tools"}
    exec(
        f"class {name}:\n    def __call__(self, {parameters}):\n        arguments = dict(locals())\n"
        f"        del arguments['self']\n        return call_tool({name!r}, arguments)",
        scope,
    )
    scope[name].__call__.__qualname__ = "__call__"
    tool = scope[name]()
    tool.__name__ = name
    return tool


def render():
    """The names of python_values.py and python_exceptions.py, once something has to be shown."""
    if Session.render is None:
        Session.render = {"__name__": "render"}
        exec(marshal.loads(programs[1]), Session.render)
        Session.render["hidden"] = globals()
    return Session.render


def shell_part(name):
    """A name of python_cells.py, python_shell.py or python_magics.py."""
    if Session.shell_names is None:
        Session.shell_names = {"__name__": "shell"}
        exec(marshal.loads(programs[2]), Session.shell_names)
        Session.shell_names["driver"] = globals()
    return Session.shell_names[name]


def get_ipython():
    return shell_part("shell")()


class LinesLoader:
    """Of linecache, which then knows the cells before."""

    def __init__(self, loader):
        self.loader = loader

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def exec_module(self, module):
        self.loader.exec_module(module)
        for name, code in Session.sources.items():
            show_source(name, code, module)


class Finder:
    """Finds IPython's modules, whatever the host has: a real one would speak to no shell.  And linecache, which
    is not imported for a plain cell."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "linecache":
            spec = sys.meta_path[-1].find_spec(name)
            spec.loader = LinesLoader(spec.loader)
            return spec
        if name.partition(".")[0] == "IPython" and name in shell_part("MODULES"):
            return shell_part("spec_of")(name)


class ExitAutocall:
    """exit and quit: MINT's shell, which has no terminal, lacks what they call."""

    def __call__(self):
        raise AttributeError("'InteractiveShell' object has no attribute 'ask_exit'")


ExitAutocall.__module__ = "IPython.core.autocall"

# Frames that are shown as those of the programs that they stand for: of MINT's time limit, of IPython's exit.
STANDINS = {
    signal_handler.__code__:
        "File /mint/mint/tools/python_tool.py:31, in PythonREPL.time_limit.<locals>.signal_handler(signum, frame)\n"
        "     30 def signal_handler(signum, frame):\n"
        '---> 31     raise TimeoutError(f"Timed out after {seconds} seconds.")\n',
    ExitAutocall.__call__.__code__:
        "File /usr/lib/python3/dist-packages/IPython/core/autocall.py:57, in ExitAutocall.__call__(self)\n"
        "     56 def __call__(self):\n"
        "---> 57     self._ip.ask_exit()\n",
}


class StopCell(BaseException):
    """Ends a cell without a word."""


def echo(value):
    """sys.displayhook, as IPython's."""
    if value is None or Session.quiet:
        return
    ns, n = Session.ns, Session.number
    sys.stdout.write(f"Out[{n}]: ")
    if type(value) in (int, float, bool, str, bytes, complex) and not Session.shown_otherwise:
        text = repr(value)
    else:
        try:
            own = getattr(value, "_ipython_display_", None)
            if callable(own) and not isinstance(value, type):
                own()
                text = ""
            else:
                if Session.shown_otherwise:
                    render()["registered"] = get_ipython().display_formatter.formatters["text/plain"]
                text = render()["pretty"](value)
        except Exception as error:
            print(render()["traceback"](error))
            return
    print("\n" + text if "\n" in text else text)
    if value is not ns.get("_oh"):
        names = ("_", "__", "___")
        kept = all(name not in ns or ns[name] is was for name, was in zip(names, Session.unders))
        Session.unders = [value, *Session.unders[:2]]
        if kept:
            ns.update(zip(names, Session.unders))
        ns[f"_{n}"] = ns["_oh"][n] = value


def display(*values, **options):
    shell_part("display")(*values, **options)


class Help:
    def __call__(self, *values):
        import pydoc

        return pydoc.help(*values)

    def __repr__(self):
        return "Type help() for interactive help, or help(object) for help about object."


def transform(code):
    """What IPython does to a cell before Python reads it: indentation, prompts, `!` and `%`."""
    lines = code.splitlines(keepends=True)
    while lines and not lines[0].strip():
        del lines[0]
    if not lines:
        return code
    space = lines[0][: len(lines[0]) - len(lines[0].lstrip(" \t"))]
    if space:
        lines = [line[len(space) :] if line.startswith(space) else line for line in lines]
    if lines[0].startswith((">>> ", ">>>\n")) or (len(lines) > 1 and lines[1].startswith((">>> ", "... "))):
        lines = [line[4:] if line[:4] in (">>> ", "... ") else
                 line[3:] if line.rstrip("\n") in (">>>", "...") else line for line in lines]
    elif lines[0].startswith("In [") and lines[0][4:].partition("]: ")[0].isdigit():
        dots = " " * (lines[0].index("]: ") - 2) + "...: "
        lines = [line.partition("]: ")[2] if line.startswith("In [") else
                 line[len(dots) :] if line.startswith(dots) else line for line in lines]
    if not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join(lines)


STARTS = frozenset("import from for if while with def class try return raise assert del global lambda not pass await "
                   "async yield nonlocal None True False break continue match".split())


def rewritten(code):
    """What IPython makes of a cell of one line, Python or not: `exit`, and magics without their mark."""
    line = code.strip()
    if "\n" in line:
        return code
    n = 0
    while n < len(line) and (line[n].isalnum() or line[n] == "_"):
        n += 1
    word, rest = line[:n], line[n:]
    if isinstance(Session.ns.get(word), ExitAutocall) and rest in ("", ";"):
        return word + "()" + rest + "\n"
    if (not word or word in Session.ns or word in STARTS or rest[:1] not in ("", " ") or rest.lstrip()[:1] in ("=", ":")
            or hasattr(Session.ns["__builtins__"], word)):
        return code
    return shell_part("automagic")(code) or code


# codeop's: a cell that breaks off is "incomplete input".
FLAGS = 0x200 | (0x4000 if sys.version_info >= (3, 11) else 0)


def read_cell(code, name, more_flags=0):
    """[(code object), …] of a cell; the last is one that echoes if it is an expression."""
    import _ast  # a millisecond, and without the imports of ast

    flags = Session.future | more_flags
    tree = compile(code, name, "exec", flags | FLAGS | _ast.PyCF_ONLY_AST, 1)
    if not tree.body:
        return []
    last = tree.body[-1]
    Session.quiet = isinstance(last, _ast.Expr) and render()["ends_in_semicolon"](code) if ";" in code else False
    compiled = []
    for node in tree.body:
        if node is last and isinstance(node, _ast.Expr):
            compiled.append(compile(_ast.Interactive([node]), name, "single", flags, 1))
        else:
            compiled.append(compile(_ast.Module([node], []), name, "exec", flags, 1))
        if isinstance(node, _ast.ImportFrom) and node.module == "__future__":
            flags = Session.future = flags | compiled[-1].co_flags & 0x1FE0000
    return compiled


def show_source(name, code, linecache):
    linecache.cache[name] = (len(code), None, [line + "\n" for line in code.splitlines()], name)


def keep_source(code):
    """Makes a cell's lines known to tracebacks; returns the name of the file that it is."""
    try:
        from _sha1 import sha1
    except ImportError:
        from hashlib import sha1
    digest = sha1((code.rstrip("\n") + "\n").encode("utf-8", "replace")).hexdigest()
    name = f"<ipython-input-{Session.number}-{digest[:12]}>"
    Session.cells[name], Session.sources[name] = Session.number, code
    if "linecache" in sys.modules:
        show_source(name, code, sys.modules["linecache"])
    return name


def read(code):
    """The source that runs in a cell's place, and read_cell's list.  A cell that Python takes is Python's."""
    code = rewritten(code)
    try:
        return code, read_cell(code, keep_source(code))
    except SyntaxError as error:
        if "await" in code or "async" in code:
            try:
                return code, read_cell(code, keep_source(code), 0x2000)  # PyCF_ALLOW_TOP_LEVEL_AWAIT
            except SyntaxError:
                pass
        other = shell_part("changed")(code)
        if other is None:
            raise error from None
    return other, read_cell(other, keep_source(other))


def run_parts(compiled):
    if not any(part.co_flags & 0x80 for part in compiled):
        for part in compiled:
            exec(part, Session.ns)
        return
    error = shell_part("run_async")(compiled)
    if error is not None:
        raise error


def keep_input(raw, code):
    """The names of what was asked: In, _i, _ii, _iii, _i7."""
    ns = Session.ns
    ns["_ih"].append(code.rstrip("\n"))
    ns["_iii"], ns["_ii"], ns["_i"] = ns.get("_ii"), ns.get("_i"), Session.raw
    Session.raw = raw.rstrip("\n")
    ns[f"_i{Session.number}"] = Session.raw


def run(raw, code):
    """Runs a cell.  Returns its flag and what to render, a function without arguments, or None."""
    compiled = failure = None
    try:
        code, compiled = read(code)
    except (SyntaxError, OverflowError, ValueError, TypeError, MemoryError, RecursionError) as error:
        failure = error
    keep_input(raw, code)
    if failure is not None:
        Session.last_error = failure
        return b"e", lambda: render()["syntax_error"](failure, False)
    try:
        run_parts(compiled)
    except SystemExit as error:
        Session.last_error = error
        return b"e", lambda error=error: render()["exit_asked"](error)
    except StopCell:
        return b"e", None
    except BaseException as error:
        Session.last_error = error
        flag = b"t" if isinstance(error, TimeoutError) and error.__traceback__ and timed_out(error) else b"e"
        return flag, lambda error=error: render()["traceback"](error)
    return b"o", None


def timed_out(error):
    tb = error.__traceback__
    while tb.tb_next:
        tb = tb.tb_next
    return tb.tb_frame.f_code is signal_handler.__code__


def observation(text):
    """MINT's PythonREPL.__call__ (mint-bench, mint/tools/python_tool.py), and the strip() of its caller."""
    text = text or "[Executed Successfully with No Output]"
    if MASKED in text:
        import re

        text = re.sub(r"File (.*)mint/tools/python_tool.py:(\d+)", r"File <hidden_filepath>:\1", text)
    cut = len(text) > Session.characters
    if cut:
        text = text[: Session.characters] + "...\n[Output Truncated]"
    return (b"T" if cut else b"-") + text.strip().encode("utf-8", "backslashreplace")


def run_cell(raw):
    code = transform(raw)
    if not code or code.isspace():
        return b"o" + observation("")
    out = Capture()
    idle = sys.stdout, sys.stderr
    sys.stdout, sys.stderr, sys.displayhook = out, Capture(), echo
    flag, show = b"t", None
    Session.quiet = Session.late = False
    try:
        Session.in_cell = True
        _signal.signal(_signal.SIGALRM, signal_handler)
        _signal.signal(_signal.SIGINT, signal_handler)
        _signal.setitimer(_signal.ITIMER_REAL, Session.seconds)
        flag, show = run(raw, code)
        Session.in_cell = False
    except TimeoutError as error:  # between the cell's end and the line above
        Session.in_cell = False
        show = lambda error=error: render()["traceback"](error)
    _signal.setitimer(_signal.ITIMER_REAL, 0)
    if posix.getpid() != Session.pid:
        posix._exit(0)
    if show:
        out.room = KEEP if out.room else 0
        try:
            text = show()
        except Exception as error:
            text = f"{type(error).__name__} while an exception was rendered"
        out.write(text + "\n")
    sys.stdout, sys.stderr = idle
    Session.number += 1
    return flag + observation(out.getvalue())


def open_pipes():
    """Moves the pipes to descriptors that nobody expects; 0 and 1 become /dev/null, and 2 when all is well."""
    numbers = posix.urandom(2)
    here, there = 20 + numbers[0] % 100, 120 + numbers[1] % 100  # below the limit of the sandbox
    posix.dup2(0, here, False)
    posix.dup2(1, there, False)
    null = posix.open("/dev/null", posix.O_RDWR)
    posix.dup2(null, 0)
    posix.dup2(null, 1)
    Session.here, Session.there, Session.null = here, there, null


def is_folder(path):
    try:
        return posix.stat(path).st_mode & 0o170000 == 0o040000
    except OSError:
        return False


def open_namespace():
    module = type(sys)("__main__")
    Session.ns = ns = module.__dict__
    leave = ExitAutocall()
    ih, oh = [""] * Session.number, {}
    ns.update(_ih=ih, _oh=oh, _dh=[posix.getcwd()], In=ih, Out=oh, get_ipython=get_ipython, exit=leave, quit=leave, _="",
              __="", ___="", _i="", _ii="", _iii="")
    import builtins

    ns["__builtins__"] = builtins
    builtins.display, builtins.get_ipython, builtins.help = display, get_ipython, Help()
    sys.meta_path.insert(0, Finder)
    sys.modules["__main__"] = module
    sys.argv = [""]
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in (f"/usr/local/lib/{version}/dist-packages", "/usr/lib/python3/dist-packages",
                   f"{sys.prefix}/lib/{version}/site-packages"):
        if is_folder(folder) and folder not in sys.path:
            sys.path.append(folder)
    if sys.version_info < (3, 11):
        import os  # later versions have it built in; in these a cell's own os.py would be found first
    sys.path.insert(0, "")


def main():
    open_pipes()
    kind, settings = receive()
    nonce, first, seconds, characters, *tools = settings.decode().splitlines()
    Session.nonce, Session.number = nonce.encode(), int(first)
    Session.seconds, Session.characters = float(seconds), int(characters)
    Session.cells, Session.sources, Session.future = {}, {}, 0
    open_namespace()
    for tool in tools:
        name, _, parameters = tool.partition("\t")
        Session.ns[name] = make_tool(name, parameters)
    Session.first_names, Session.raw = frozenset(Session.ns), ""
    posix.dup2(Session.null, 2)
    posix.close(Session.null)
    sys.stdin = open(0, encoding="utf-8")
    sys.stdout, sys.stderr = (open(1, "w", encoding="utf-8"), open(2, "w", encoding="utf-8"))
    kind, answer = b"R", b"" if compiled else marshal.dumps(programs)
    while True:
        with Passing():
            send(kind, answer)
            _, code = receive()
        kind, answer = b"D", run_cell(code.decode("utf-8", "replace"))


main()
