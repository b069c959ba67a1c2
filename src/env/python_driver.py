# The program inside a Python session: runs cells in one namespace and answers in frames.  python.c gives it to
# `python3 -I -S -E -c`, with the texts of python_values.py and
# python_exceptions.py as its argument.  It imports little: a session starts
# with it.
#
# A frame is KIND, eight hexadecimal digits of length, a newline, and that many bytes.  Those to the program begin
# with the session's nonce.
#   to here   H settings (lines: nonce, first cell, seconds, characters, then a tool a line: NAME TAB PARAMETERS)
#             X a cell's code    A a tool's answer    E why a tool has none
#   to there  R ready            C a tool's call, JSON {"tool":…,"arguments":{…}}
#             D a cell is done: o(k), e(rror) or t(imed out); T(runcated) or -; the observation
import io
import os
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
    pid = os.getpid()
    main = _thread.get_ident()
    lock = _thread.allocate_lock()  # held while frames pass
    in_cell = busy = late = False
    pending = b""
    render = None


def signal_handler(signum, frame):
    if not Session.in_cell or os.getpid() != Session.pid:
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
        at = at[os.write(Session.there, at) :]


def receive():
    n = 10
    while len(Session.pending) < n:
        more = os.read(Session.here, 65536)
        if not more:
            os._exit(0)
        Session.pending += more
        if len(Session.pending) >= 10:
            n = 10 + int(Session.pending[1:9], 16)
    frame, Session.pending = Session.pending[:n], Session.pending[n:]
    return frame[:1], frame[10:]


def call_tool(name, arguments):
    if os.getpid() != Session.pid:
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
    scope = {"call_tool": call_tool, "__name__": "tools"}
    exec(f"def {name}({parameters}):\n    return call_tool({name!r}, dict(locals()))", scope)
    return scope[name]


def render():
    """The names of python_values.py and python_exceptions.py, once something has to be shown."""
    if Session.render is None:
        Session.render = {"__name__": "render"}
        exec(compile(Session.render_source, "<render>", "exec"), Session.render)
        Session.render["hidden"] = globals()
        Session.render["timed_out"] = signal_handler.__code__
    return Session.render


class Shell:
    """What get_ipython() gives: enough for the lines `!command` and `%magic`."""

    def system(self, command):
        import subprocess

        done = subprocess.run(command, shell=True, capture_output=True, stdin=subprocess.DEVNULL, errors="replace")
        sys.stdout.write(done.stdout)

    def run_line_magic(self, name, line):
        if name not in ("matplotlib", "load_ext", "autoreload", "config", "precision"):
            sys.stderr.write(f"UsageError: Line magic function `%{name}` not found.\n")
            raise StopCell


class StopCell(BaseException):
    """Ends a cell without a word."""


def echo(value):
    """sys.displayhook, as IPython's."""
    if value is None or Session.quiet:
        return
    ns, n = Session.ns, Session.number
    sys.stdout.write(f"Out[{n}]: ")
    if type(value) in (int, float, bool, str, bytes, complex):
        text = repr(value)
    else:
        try:
            text = render()["pretty"](value)
        except Exception as error:
            print(render()["traceback"](error))
            return
    print("\n" + text if "\n" in text else text)
    if value is not ns["Out"]:
        ns["___"], ns["__"], ns["_"] = ns["__"], ns["_"], value
        ns[f"_{n}"] = ns["Out"][n] = value


def display(*values, **options):
    for value in values:
        print(render()["pretty"](value))


def leave(code=None):
    """exit() and quit(): IPython's shell without a terminal has nothing to leave."""


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
    return "".join(lines)


def transform_escapes(code):
    """For a cell that is no Python as it stands; None where it has no such line."""
    lines, found = code.splitlines(keepends=True), False
    for i, line in enumerate(lines):
        text = line.lstrip()
        indent = line[: len(line) - len(text)]
        if text.startswith("!"):
            lines[i] = f"{indent}get_ipython().system({text[1:].rstrip()!r})\n"
        elif text.startswith("%") and text[1:2].isalpha():
            name, _, rest = text[1:].rstrip().partition(" ")
            lines[i] = f"{indent}get_ipython().run_line_magic({name!r}, {rest!r})\n"
        else:
            continue
        found = True
    return "".join(lines) if found else None


def read_cell(code, name):
    """[(code object), …] of a cell; the last is one that echoes if it is an expression."""
    import ast

    flags = Session.future
    try:
        tree = compile(code, name, "exec", flags | ast.PyCF_ONLY_AST, 1)
    except SyntaxError:
        other = transform_escapes(code)
        if other is None:
            raise
        tree = compile(other, name, "exec", flags | ast.PyCF_ONLY_AST, 1)
    if not tree.body:
        return []
    last = tree.body[-1]
    Session.quiet = isinstance(last, ast.Expr) and render()["ends_in_semicolon"](code) if ";" in code else False
    compiled = []
    for node in tree.body:
        if node is last and isinstance(node, ast.Expr):
            compiled.append(compile(ast.Interactive([node]), name, "single", flags, 1))
        else:
            compiled.append(compile(ast.Module([node], []), name, "exec", flags, 1))
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            flags = Session.future = flags | compiled[-1].co_flags & 0x1FE0000
    return compiled


def run(code, out):
    """Runs a cell.  Returns its flag and what to render, a function without arguments, or None."""
    import linecache

    try:
        from _sha1 import sha1
    except ImportError:
        from hashlib import sha1
    number = Session.number
    name = f"<ipython-input-{number}-{sha1((code.rstrip(chr(10)) + chr(10)).encode('utf-8', 'replace')).hexdigest()[:12]}>"
    linecache.cache[name] = (len(code), None, [line + "\n" for line in code.splitlines()], name)
    Session.cells[name] = number
    Session.ns["In"].append(code)
    try:
        compiled = read_cell(code, name)
    except (SyntaxError, OverflowError, ValueError, TypeError, MemoryError) as error:
        return b"e", lambda error=error: render()["syntax_error"](error, False)
    try:
        for part in compiled:
            exec(part, Session.ns)
    except SystemExit as error:
        return b"e", lambda error=error: render()["exit_asked"](error)
    except StopCell:
        return b"e", None
    except BaseException as error:
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


def run_cell(code):
    code = transform(code)
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
        flag, show = run(code, out)
        Session.in_cell = False
    except TimeoutError as error:  # between the cell's end and the line above
        Session.in_cell = False
        show = lambda error=error: render()["traceback"](error)
    _signal.setitimer(_signal.ITIMER_REAL, 0)
    if os.getpid() != Session.pid:
        os._exit(0)
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
    numbers = os.urandom(2)
    here, there = 20 + numbers[0] % 100, 120 + numbers[1] % 100  # below the limit of the sandbox
    os.dup2(0, here, False)
    os.dup2(1, there, False)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    Session.here, Session.there, Session.null = here, there, null


def open_namespace():
    module = type(sys)("__main__")
    Session.ns = ns = module.__dict__
    ns.update(In=[""] * Session.number, Out={}, _="", __="", ___="", exit=leave, quit=leave)
    import builtins

    shell = Shell()
    ns["__builtins__"] = builtins
    builtins.display, builtins.get_ipython = display, lambda: shell
    sys.modules["__main__"] = module
    sys.argv = [""]
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in (f"/usr/local/lib/{version}/dist-packages", "/usr/lib/python3/dist-packages",
                   f"{sys.prefix}/lib/{version}/site-packages"):
        if os.path.isdir(folder) and folder not in sys.path:
            sys.path.append(folder)
    sys.path.insert(0, "")


def main():
    Session.render_source = sys.argv[1]
    open_pipes()
    kind, settings = receive()
    nonce, first, seconds, characters, *tools = settings.decode().splitlines()
    Session.nonce, Session.number = nonce.encode(), int(first)
    Session.seconds, Session.characters = float(seconds), int(characters)
    Session.cells, Session.future = {}, 0
    open_namespace()
    for tool in tools:
        name, _, parameters = tool.partition("\t")
        Session.ns[name] = make_tool(name, parameters)
    os.dup2(Session.null, 2)
    os.close(Session.null)
    sys.stdin = open(0, encoding="utf-8")
    sys.stdout, sys.stderr = (open(1, "w", encoding="utf-8"), open(2, "w", encoding="utf-8"))
    kind, answer = b"R", b""
    while True:
        with Passing():
            send(kind, answer)
            _, code = receive()
        kind, answer = b"D", run_cell(code.decode("utf-8", "replace"))


main()
