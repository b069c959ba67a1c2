# get_ipython() and what hangs on it: commands, magics, help, and stand-ins for the modules of IPython that cells
# import.  After IPython 8.14's core/{interactiveshell,magics,oinspect}.py (BSD-3-Clause), as MINT runs it: nothing is a
# terminal, and what display() shows goes to nobody, since MINT's capture takes it.
import os
import sys


class Formatter:
    """An entry of display_formatter.formatters: others register how they want a type to be shown."""

    def __init__(self):
        self.type_printers, self.deferred_printers, self.enabled = {}, {}, True

    def for_type(self, kind, shower=None):
        old = self.type_printers.get(kind)
        if shower is not None:
            self.type_printers[kind] = shower
            driver["Session"].shown_otherwise = True
        return old

    def for_type_by_name(self, module, name, shower=None):
        old = self.deferred_printers.get((module, name))
        if shower is not None:
            self.deferred_printers[module, name] = shower
            driver["Session"].shown_otherwise = True
        return old

    def pop(self, kind, default=None):
        return self.type_printers.pop(kind, default)

    def lookup_by_type(self, kind):
        return self.type_printers[kind]


class DisplayFormatter:
    def __init__(self):
        kinds = ("plain", "html", "markdown", "latex")
        self.formatters = {f"text/{kind}": Formatter() for kind in kinds}
        for kind in ("image/png", "image/jpeg", "image/svg+xml", "application/json", "application/javascript"):
            self.formatters[kind] = Formatter()


class Lines(list):
    """What `a = !command` gives."""

    n = nlstr = property("\n".join)
    s = spstr = property(" ".join)
    l = list = property(lambda self: self)


class InteractiveShell:
    colors = "NoColor"

    def __init__(self):
        self.display_formatter = DisplayFormatter()
        self.user_ns = self.user_global_ns = driver["Session"].ns

    # Commands: through a pipe, written as the terminal that IPython has for them would.

    def expand(self, command):
        """{expression} and $name of the cells' namespace; a command in which one is wrong stays as it is."""
        import re
        import string

        class Fields(string.Formatter):
            def get_field(fields, name, args, kwargs):
                return eval(name, self.user_ns), name

        def value(found):
            name = found[1]
            return "$" + name[1:] if name.startswith("$") else "{" + name + "}"

        try:
            return Fields().vformat(re.sub(r"\$(\$?[\w.]+)", value, command), (), {})
        except Exception:
            try:
                return Fields().vformat(command, (), {})
            except Exception:
                return command

    def start(self, command, **options):
        import subprocess

        name = command.split()[:2]
        if name[:1] in (["pip"], ["pip3"]):
            command = f"{sys.executable} -m {command}"
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL,
                   "env": {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}, **options}
        return subprocess.Popen(["/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh", "-c", command], **options)

    def ended(self, child):
        code = child.wait()
        self.user_ns["_exit_code"] = code
        return code

    def system(self, command):
        if is_pip(command):
            return pip(command.split()[1:], "\r\n")
        with self.start(self.expand(command)) as child:
            try:
                while piece := os.read(child.stdout.fileno(), 65536):
                    sys.stdout.write(piece.decode("utf-8", "replace").replace("\n", "\r\n"))
            except BaseException:
                child.kill()
                raise
            self.ended(child)

    def getoutput(self, command):
        with self.start(self.expand(command)) as child:
            try:
                text = child.stdout.read().decode("utf-8", "replace")
            except BaseException:
                child.kill()
                raise
            self.ended(child)
        return Lines(text.splitlines())

    # Magics

    def has_magic(self, name):
        return name in line_magics or name in COMMANDS

    def run_line_magic(self, name, line):
        line = self.expand(line) if name not in ("time", "timeit", "pinfo", "pinfo2") else line
        if name in COMMANDS:
            return self.system(f"{COMMANDS[name]} {line}")
        if name not in line_magics:
            usage_error(f"Line magic function `%{name}` not found"
                        + (f" (But cell magic `%%{name}` exists, did you mean that instead?)." if name in cell_magics
                           else "."))
        return line_magics[name](self, line)

    def run_cell_magic(self, name, line, cell):
        if name not in cell_magics:
            usage_error(f"Cell magic `%%{name}` not found"
                        + (f" (But line magic `%{name}` exists, did you mean that instead?)." if name in line_magics
                           else "."))
        return cell_magics[name](self, line, cell)

    magic = run_line_magic

    def run_cell(self, code, **options):
        return self.ex(code)

    def ex(self, code):
        exec(code, self.user_ns)

    def ev(self, code):
        return eval(code, self.user_ns)

    def push(self, names, **options):
        self.user_ns.update(names)

    def show_usage(self):
        print("?         -> Introduction and overview.\nobject?   -> Details about 'object'; use 'object??' for more.")


InteractiveShell.__module__ = "IPython.core.interactiveshell"


# What cells of a magic and cells that wait are run by


def evaluate(code):
    """Runs what a magic has for a cell; the value of a last expression."""
    import ast

    name, space = driver["keep_source"](code), driver["Session"].ns
    try:
        tree = ast.parse(code, name)
    except SyntaxError:
        other = changed(code)
        if other is None:
            raise
        tree = ast.parse(other, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), space)
    return last and eval(compile(ast.Expression(last.value), name, "eval"), space)


async def await_parts(compiled):
    """The failure of a cell's parts, which is not raised: the loop's frames are nobody's."""
    space = driver["Session"].ns
    try:
        for part in compiled:
            if part.co_flags & 0x80:  # a coroutine's
                await eval(part, space)
            else:
                exec(part, space)
    except BaseException as error:
        return error


def run_async(compiled):
    import asyncio

    session = driver["Session"]
    if session.loop is None or session.loop.is_closed():
        session.loop = asyncio.new_event_loop()
    return session.loop.run_until_complete(await_parts(compiled))


# Modules


class DisplayObject:
    def __init__(self, data=None, url=None, filename=None, metadata=None, **options):
        self.data, self.url, self.filename, self.metadata = data, url, filename, metadata or {}

    def __repr__(self):
        return f"<IPython.core.display.{type(self).__name__} object>"


def display_kind(name):
    return type(name, (DisplayObject,), {"__module__": "IPython.core.display"})


def display(*values, **options):
    """MINT's capture takes what is displayed; a value that displays itself still runs."""
    for value in values:
        own = getattr(value, "_ipython_display_", None)
        if own and not isinstance(value, type):
            own()


def clear_output(wait=False):
    sys.stdout.write("" if wait else 2 * "\x1b[2K\r")


def make_module(name):
    module = type(sys)(name)
    module.get_ipython = shell
    if name == "IPython":
        module.__version__, module.version_info = "8.14.0", (8, 14, 0, "")
        module.display, module.__path__ = display, []
        module.InteractiveShell = InteractiveShell
    elif name in ("IPython.display", "IPython.core.display"):
        module.display, module.clear_output, module.update_display = display, clear_output, display
        for kind in ("HTML", "Markdown", "Latex", "Math", "SVG", "Image", "Javascript", "JSON", "Pretty", "Code",
                     "Audio", "Video", "IFrame", "YouTubeVideo", "FileLink"):
            setattr(module, kind, display_kind(kind))
        module.DisplayObject = DisplayObject
    elif name == "IPython.lib.pretty":
        module.pretty = driver["render"]()["pretty"]
        module.pprint = lambda value: print(module.pretty(value))
    elif name == "IPython.terminal.interactiveshell":
        module.TerminalInteractiveShell = type("TerminalInteractiveShell", (InteractiveShell,), {})
    elif name == "IPython.core.interactiveshell":
        module.InteractiveShell = InteractiveShell
    else:
        module.__path__ = []
    return module


MODULES = ("IPython", "IPython.display", "IPython.lib", "IPython.lib.pretty", "IPython.core", "IPython.core.display",
           "IPython.core.interactiveshell", "IPython.terminal", "IPython.terminal.interactiveshell")


class Loader:
    def create_module(self, spec):
        return make_module(spec.name)

    def exec_module(self, module):
        if module.__name__ in ("IPython", "IPython.lib"):  # `import IPython` makes these attributes
            import importlib

            top = module.__name__ == "IPython"
            for child in ("IPython.display", "IPython.lib") if top else ("IPython.lib.pretty",):
                importlib.import_module(child)


def spec_of(name):
    from importlib.machinery import ModuleSpec

    return ModuleSpec(name, Loader(), is_package=name in ("IPython", "IPython.lib", "IPython.core", "IPython.terminal"))


def shell():
    if driver["Session"].shell is None:
        driver["Session"].shell = InteractiveShell()
    return driver["Session"].shell
