# The magics of get_ipython(), and the help that `?` gives: after IPython 8.14's core/magics and core/oinspect.py
# (BSD-3-Clause).  Part of one text with python_cells.py and python_shell.py.
import os
import sys


def usage_error(words):
    sys.stderr.write(f"UsageError: {words}\n")
    raise driver["StopCell"]


COMMANDS = {"ls": "ls -F", "ll": "ls -F -l", "cat": "cat", "cp": "cp", "mv": "mv", "rm": "rm", "mkdir": "mkdir",
            "rmdir": "rmdir"}
line_magics, cell_magics = {}, {}


def magic(*names, cell=False):
    def keep(function):
        for name in names:
            (cell_magics if cell else line_magics)[name] = function
        return function

    return keep


@magic("matplotlib", "load_ext", "reload_ext", "unload_ext", "autoreload", "config", "gui", "colors", "xmode", "pylab",
       "autosave", "logstart", "logstop", "automagic", "autoawait", "pdb")
def pass_over(shell, line):
    pass


@magic("html", "HTML", "latex", "markdown", "javascript", "js", "svg", "SVG", cell=True)
def show_nobody(shell, line, cell):
    pass


@magic("pwd")
def pwd(shell, line):
    return os.getcwd()


@magic("cd")
def cd(shell, line):
    try:
        os.chdir(os.path.expanduser(line.strip("'\"") or "~"))
    except OSError as error:
        print(error)
        return
    print(os.getcwd())


@magic("precision")
def precision(shell, line):
    if line and not line.isdigit() and "%" not in line:
        raise ValueError("Precision must be int or format string, not %r" % line)
    form = "%%.%sf" % line if line.isdigit() else line or "%r"
    shell.display_formatter.formatters["text/plain"].for_type(float, lambda value, p, cycle: p.text(form % value))
    return form


@magic("env", "set_env")
def env(shell, line):
    if not line:
        return dict(os.environ)
    name, found, value = line.partition("=" if "=" in line else " ")
    if not found:
        if name in os.environ:
            return os.environ[name]
        usage_error(f"Environment does not have key: {name}")
    os.environ[name.strip()] = value.strip()
    print(f"env: {name.strip()}={value.strip()}")


def own_names(shell):
    hidden = driver["Session"].first_names
    return sorted(n for n in shell.user_ns if not n.startswith("_") and n not in hidden)


@magic("who")
def who(shell, line):
    names = own_names(shell)
    print("Interactive namespace is empty." if not names else "\t ".join(names) + "\t ")


@magic("who_ls")
def who_ls(shell, line):
    return own_names(shell)


@magic("reset", "reset_selective")
def reset(shell, line):
    if "-f" not in line.split():
        print("Nothing done.")
        return
    for name in own_names(shell):
        del shell.user_ns[name]


@magic("history", "hist")
def history(shell, line):
    for code in shell.user_ns["In"][1:-1]:
        print(code)


@magic("tb")
def tb(shell, line):
    error = driver["Session"].last_error
    print(driver["render"]()["traceback"](error) if error else "No traceback available to show.")


@magic("pip")
def pip_magic(shell, line):
    pip(line.split(), "\n")
    print("Note: you may need to restart the kernel to use updated packages.")


def is_pip(command):
    words = command.split()
    return words[:1] in (["pip"], ["pip3"]) and words[1:2] == ["install"] and not set("|&;<>$`{") & set(command)


def pip(words, end):
    """pip install, where there is no network: what is here is here."""
    import importlib.metadata
    import importlib.util
    import re

    names = [word for word in words[1:] if not word.startswith("-")]
    if words[:1] != ["install"] or not names:
        print("ERROR: only `pip install NAME` can be answered here", end=end)
        return
    for name in names:
        plain = re.split(r"[=<>!~\[; ]", name)[0]
        try:
            found = importlib.metadata.distribution(plain)
            place, version = found.locate_file(""), f" ({found.version})"
        except importlib.metadata.PackageNotFoundError:
            spec = importlib.util.find_spec(plain) if plain.isidentifier() else None
            if spec is None:
                print(f"ERROR: Could not find a version that satisfies the requirement {name} (from versions: none)",
                      f"ERROR: No matching distribution found for {name}", sep=end, end=end)
                return
            place, version = os.path.dirname(os.path.dirname(spec.origin or "")), ""
        print(f"Requirement already satisfied: {name} in {place}{version}", end=end)


# Time


def in_words(seconds):
    if seconds >= 60:
        words = []
        for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
            n, seconds = divmod(seconds, length)
            if n:
                words.append(f"{int(n)}{unit}")
        return " ".join(words)
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if seconds * scale >= 1 or unit == "ns":
            return f"{seconds * scale:.3g} {unit}"


@magic("time")
@magic("time", cell=True)
def time_magic(shell, line, cell=None):
    import time

    code = line if cell is None else cell
    before, start = os.times(), time.perf_counter()
    value = evaluate(code)
    wall, after = time.perf_counter() - start, os.times()
    user, system = after.user - before.user, after.system - before.system
    print(f"CPU times: user {in_words(user)}, sys: {in_words(system)}, total: {in_words(user + system)}\n"
          f"Wall time: {in_words(wall)}")
    return value


@magic("timeit")
@magic("timeit", cell=True)
def timeit_magic(shell, line, cell=None):
    import timeit

    loops, runs, words = 0, 7, line.split()
    while words and words[0][:2] in ("-n", "-r"):
        flag = words.pop(0)
        n = int(flag[2:] or words.pop(0))
        loops, runs = (n, runs) if flag[1] == "n" else (loops, n)
    line = " ".join(words) if line.startswith("-") else line
    setup, code = ("pass", line) if cell is None else (line or "pass", cell)
    timer = timeit.Timer(code, setup, globals=shell.user_ns)
    own = not loops
    while not loops or (own and loops < 10**9 and timer.timeit(loops) < 0.2):
        loops = loops * 10 or 1
    times = [t / loops for t in timer.repeat(runs, loops)]
    mean = sum(times) / runs
    spread = (sum((t - mean) ** 2 for t in times) / runs) ** 0.5
    print(f"{in_words(mean)} +- {in_words(spread)} per loop (mean +- std. dev. of {runs} run{'s'[: runs != 1]}, "
          f"{loops:,} loop{'s'[: loops != 1]} each)")


# Cells


def run_script(shell, program, cell):
    import subprocess

    child = shell.start("exec " + program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = child.communicate(cell.encode())
    except BaseException:
        child.kill()
        raise
    sys.stdout.write(out.decode("utf-8", "replace"))
    sys.stderr.write(err.decode("utf-8", "replace"))
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, cell, out, err)


for program in ("bash", "sh", "python3", "perl"):
    magic(program, cell=True)(lambda shell, line, cell, program=program: run_script(shell, f"{program} {line}", cell))
magic("python", cell=True)(lambda shell, line, cell: run_script(shell, f"python3 {line}", cell))
magic("script", "system", "sx", "!", cell=True)(lambda shell, line, cell: run_script(shell, line or "sh", cell))


@magic("writefile", "file", cell=True)
def writefile(shell, line, cell):
    more = line.startswith("-a ") or line.startswith("--append ")
    path = os.path.expanduser(line.split(maxsplit=1)[1] if more else line)
    print(f"{'Appending to' if more else 'Overwriting' if os.path.exists(path) else 'Writing'} {path}")
    with open(path, "a" if more else "w", encoding="utf-8") as file:
        file.write(cell)


class CapturedIO:
    def __init__(self, stdout, stderr):
        self.stdout, self.stderr, self.outputs = stdout, stderr, []

    def __str__(self):
        return self.stdout

    def show(self):
        sys.stdout.write(self.stdout)
        sys.stderr.write(self.stderr)


@magic("capture", cell=True)
def capture(shell, line, cell):
    import contextlib
    import io

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        value = evaluate(cell)
        if value is not None:
            sys.displayhook(value)
    names = [word for word in line.split() if not word.startswith("-")]
    if names:
        shell.user_ns[names[0]] = CapturedIO(out.getvalue(), err.getvalue())


# Help


def documentation(value):
    import inspect

    try:
        text = value.getdoc()
        if isinstance(text, str):
            return inspect.cleandoc(text)
    except Exception:
        pass
    return inspect.getdoc(value)


def signature(value, name):
    import inspect

    try:
        found = inspect.signature(value)
    except Exception:
        return None
    words = str(found.replace(return_annotation=inspect.Signature.empty))
    after = "" if found.return_annotation is inspect.Signature.empty else str(found).rpartition(" -> ")[2]
    parts = [str(p) for p in found.parameters.values()]
    if len(name) + sum(len(p) + 2 for p in parts) > 75:
        inner = split_parameters(words)
        words = "(\n" + "".join(f"    {p},\n" for p in inner) + ")"
    return name + words + (f" -> {after}" if after else "")


def split_parameters(words):
    """"(a, b=(1, 2), /)" as its parts."""
    depth, parts, part = 0, [], ""
    for c in words[1:-1]:
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return [*parts, part.strip()] if part.strip() else parts


def file_of(value):
    import inspect

    while hasattr(value, "__wrapped__"):
        value = value.__wrapped__
    for place in (value, getattr(value, "__class__", None)):
        try:
            return os.path.abspath(inspect.getfile(place))
        except (TypeError, OSError):
            continue
    return None


def source_text(value):
    import inspect

    try:
        return inspect.getsource(value).rstrip()
    except Exception:
        try:
            return inspect.getsource(value.__class__).rstrip()
        except Exception:
            return None


def has_docstring(source, words):
    import ast
    import textwrap

    try:
        node, = ast.parse(textwrap.dedent(source)).body
        return ast.get_docstring(node) == words
    except Exception:
        return False


def details(value, name, more):
    """[(title, text or None)] of a value."""
    import inspect
    import types

    words = documentation(value) or "<no docstring>"
    source = source_text(value) if more else None
    shown = None if source and has_docstring(source, words) else words
    generic = {inspect.getdoc(kind) for kind in (types.ModuleType, types.MethodType, types.FunctionType, property)}
    init = documentation(getattr(value, "__init__", None))
    init = None if init == object.__init__.__doc__ else init
    simple = inspect.isfunction(value) or inspect.ismethod(value) or isinstance(
        value, (types.BuiltinFunctionType, types.MethodWrapperType))
    kind = ("Type", type(value).__name__)
    if isinstance(value, type) or simple:
        fields = []
        if isinstance(value, type):
            fields.append(("Init signature", signature(value, name) or signature(value.__init__, name)))
        else:
            fields.append(("Signature", signature(value, name)))
        fields.append(("Docstring", shown))
        fields.append(("Source", source) if source else ("Init docstring", init if isinstance(value, type) else None))
        fields += [("File", file_of(value)), kind]
        if isinstance(value, type):
            names = [sub.__name__ for sub in type.__subclasses__(value)]
            fields.append(("Subclasses", ", ".join(names[:10] + ["..."] * (len(names) >= 10))))
        return fields
    text = str(value)
    if not more and len(text) > 200:
        text = text[:97] + " <...> " + text[-97:]
        text = ("\n" + " " * len("string_form")).join(line.strip() for line in text.split("\n"))
    own = signature(value, name)
    called = signature(value.__call__, name) if callable(value) else None
    of_class = documentation(type(value))
    of_call = documentation(value.__call__) if callable(value) else None
    try:
        length = str(len(value))
    except Exception:
        length = None
    return [("Signature", own), ("Call signature", called if called != own else None), kind, ("String form", text),
            ("Length", length), ("File", file_of(value)),
            ("Source", source) if source else ("Docstring", shown),
            ("Class docstring", of_class if of_class not in generic and of_class != words else None),
            ("Init docstring", init),
            ("Call docstring", of_call if of_call != types.FunctionType.__call__.__doc__ else None)]


@magic("pinfo", "pinfo2")
def pinfo(shell, line, more=False):
    import builtins
    import re

    space = {**vars(builtins), **shell.user_ns}
    try:
        value = space[re.match(r"%*[\w]+", line)[0]]
        for step in re.findall(r"\.(\w+)|\[(\d+)\]", line):
            value = getattr(value, step[0]) if step[0] else value[int(step[1])]
    except Exception:
        print(f"Object `{line}` not found.")
        return
    fields = [(title, text.strip("\n")) for title, text in details(value, line, more) if text is not None]
    width = max(len(title) for title, _ in fields)
    print("".join(f"{title}:{' ' * (width - len(title))}" + ("\n" if "\n" in text else " ") + text + "\n"
                  for title, text in fields))


line_magics["pinfo2"] = lambda shell, line: pinfo(shell, line, True)
