# How IPython 8 shows values, without IPython: after IPython 8.14's lib/pretty.py (BSD-3-Clause).  python_driver.py
# loads this and python_exceptions.py, as one text, when something has to be shown.
import types
from collections import deque

WIDTH = 79
MOST = 1000  # items of a container that are shown
registered = None  # what cells had registered with get_ipython()'s formatter of plain text


# Values: a stream of text and of breakables in groups.  When a line grows past WIDTH the outermost group breaks, at
# all of its breakables.


class Group:
    def __init__(self, depth):
        self.depth, self.breakables, self.broken = depth, deque(), False


class Printer:
    def __init__(self):
        self.done, self.column = [], 0
        self.buffer, self.buffered = deque(), 0
        self.indentation = 0
        self.stack = [Group(0)]
        self.queue = [[self.stack[0]]]
        self.inside = []  # ids of the objects that are being shown

    def text(self, text):
        if not self.buffer:
            self.done.append(text)
            self.column += len(text)
            return
        self.buffer.append((text, None, 0))
        self.buffered += len(text)
        self.break_outer()

    def breakable(self):
        group = self.stack[-1]
        if group.broken:
            self.new_line()
            return
        group.breakables.append(None)
        self.buffer.append((" ", group, self.indentation))
        self.buffered += 1
        self.break_outer()

    def new_line(self):
        while self.buffer:
            self.put()
        self.done.append("\n" + " " * self.indentation)
        self.column = self.indentation

    def hard_break(self):
        group = self.next_group()
        if group:
            self.break_group(group)
        self.new_line()

    def put(self):
        text, group, indentation = self.buffer.popleft()
        self.buffered -= len(text)
        if group:
            group.breakables.popleft()
            if group.broken:
                self.done.append("\n" + " " * indentation)
                self.column = indentation
                return
            if not group.breakables and group in self.queue[group.depth]:
                self.queue[group.depth].remove(group)
        self.done.append(text)
        self.column += len(text)

    def next_group(self):
        for level in self.queue:
            for i, group in enumerate(reversed(level)):
                if group.breakables:
                    del level[i]  # as IPython has it
                    group.broken = True
                    return group
            for group in level:
                group.broken = True
            del level[:]
        return None

    def break_group(self, group):
        while group.breakables:
            self.put()
        while self.buffer and not self.buffer[0][1]:
            self.put()

    def break_outer(self):
        while self.column + self.buffered > WIDTH:
            group = self.next_group()
            if not group:
                return
            self.break_group(group)

    def begin(self, opening=""):
        if opening:
            self.text(opening)
        group = Group(self.stack[-1].depth + 1)
        self.stack.append(group)
        while len(self.queue) <= group.depth:
            self.queue.append([])
        self.queue[group.depth].append(group)
        self.indentation += len(opening)

    def end(self, opening="", closing=""):
        self.indentation -= len(opening)
        group = self.stack.pop()
        if not group.breakables and group in self.queue[group.depth]:
            self.queue[group.depth].remove(group)
        if closing:
            self.text(closing)

    def show(self, value):
        cycle = id(value) in self.inside
        self.inside.append(id(value))
        self.begin()
        try:
            find_shower(type(value))(self, value, cycle)
        finally:
            self.end()
            self.inside.pop()

    def show_repr(self, value, cycle=False):
        self.begin()
        for i, line in enumerate(repr(value).splitlines()):
            if i:
                self.hard_break()
            self.text(line)
        self.end()

    def show_items(self, items, opening, closing, show):
        self.begin(opening)
        for i, item in enumerate(items):
            if i:
                self.text(",")
                self.breakable()
            if i >= MOST:
                self.text("...")
                break
            show(item)
        self.end(opening, closing)

    def show_call(self, name, arguments, named=()):
        def show(argument):
            if not isinstance(argument, Named):
                self.show(argument)
                return
            self.begin(argument.name + "=")
            self.show(argument.value)
            self.end(argument.name + "=")

        self.show_items([*arguments, *named], name + "(", ")", show)


class Named:
    def __init__(self, name, value):
        self.name, self.value = name, value


class Raw:
    def __init__(self, text):
        self.text = text


def show_list(p, value, cycle):
    if cycle:
        p.text("[...]")
    else:
        p.show_items(value, "[", "]", p.show)


def show_tuple(p, value, cycle):
    if cycle:
        p.text("(...)")
    elif len(value) == 1:
        p.begin("(")
        p.show(value[0])
        p.text(",")
        p.end("(", ")")
    else:
        p.show_items(value, "(", ")", p.show)


def show_dict(p, value, cycle, opening="{", closing="}"):
    def show(key):
        p.show(key)
        p.text(": ")
        p.show(value[key])

    if cycle:
        p.text("{...}")
    else:
        p.show_items(value, opening, closing, show)


def show_set(p, value, cycle):
    opening, closing = ("{", "}") if isinstance(value, set) else ("frozenset({", "})")
    if cycle or not value:
        p.text(opening + "..." + closing if cycle else type(value).__name__ + "()")
        return
    items = value
    if len(value) < MOST:
        try:
            items = sorted(value)
        except Exception:
            try:
                items = sorted(value, key=str)
            except Exception:
                pass
    p.show_items(items, opening, closing, p.show)


def show_type(p, value, cycle):
    if type(value).__repr__ is not type.__repr__:
        p.show_repr(value)
        return
    module = getattr(value, "__module__", None)
    p.text(value.__qualname__ if module in (None, "builtins") else f"{module}.{value.__qualname__}")


def show_function(p, value, cycle):
    import inspect

    name = getattr(value, "__qualname__", value.__name__)
    if value.__module__ and value.__module__ != "builtins":
        name = f"{value.__module__}.{name}"
    try:
        name += str(inspect.signature(value))
    except ValueError:
        pass
    p.text(f"<function {name}>")


def show_exception(p, value, cycle):
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    p.show_call(name, value.args)


def show_default(p, value, cycle):
    p.begin("<")
    p.show(type(value))
    p.text(f" at 0x{id(value):x}")
    if cycle:
        p.text(" ...")
    p.end("<", ">")


def show_namespace(p, value, cycle):
    p.show_call("namespace", [Raw("...")] if cycle else (), () if cycle else
                [Named(k, v) for k, v in value.__dict__.items()])


def show_pattern(p, value, cycle):
    import re

    text = repr(value.pattern)
    flags = [f"re.{name}" for name in ("IGNORECASE", "LOCALE", "MULTILINE", "DOTALL", "UNICODE", "VERBOSE", "DEBUG")
             if value.flags & getattr(re, name)]
    p.show_call("re.compile", [Raw("r" + text.replace("\\\\", "\\")), *([Raw("|".join(flags))] if flags else [])])


def show_collection(arguments):
    def show(p, value, cycle):
        p.show_call(type(value).__name__, [Raw("...")] if cycle else arguments(value),
                    [Named("maxlen", value.maxlen)] if not cycle and getattr(value, "maxlen", None) is not None
                    else ())

    return show


showers = {
    list: show_list, tuple: show_tuple, dict: show_dict, set: show_set, frozenset: show_set, type: show_type,
    types.FunctionType: show_function, types.BuiltinFunctionType: show_function,
    types.SimpleNamespace: show_namespace, BaseException: show_exception,
    types.MappingProxyType: lambda p, v, cycle: show_dict(p, v, cycle, "mappingproxy({", "})"),
    Raw: lambda p, v, cycle: p.text(v.text),
    ("re", "Pattern"): show_pattern,
    ("collections", "defaultdict"): show_collection(lambda v: (v.default_factory, dict(v))),
    ("collections", "OrderedDict"): show_collection(lambda v: (list(v.items()),) if v else ()),
    ("collections", "deque"): show_collection(lambda v: (list(v),)),
    ("collections", "Counter"): show_collection(lambda v: (dict(v.most_common()),) if v else ()),
    ("collections", "UserList"): show_collection(lambda v: (v.data,)),
}


def find_shower(kind):
    for base in kind.__mro__:
        if registered:
            name = base.__module__, base.__name__
            own = registered.type_printers.get(base) or registered.deferred_printers.get(name)
            if own:
                return lambda p, value, cycle: own(value, Guest(p), cycle)
        shower = showers.get(base) or showers.get((base.__module__, base.__name__))
        if shower:
            return shower
        own = base.__dict__.get("_repr_pretty_")
        if callable(own):
            return lambda p, value, cycle: value._repr_pretty_(Guest(p), cycle)
        if base is not object and callable(base.__dict__.get("__repr__")):
            return Printer.show_repr
    return show_default


class Guest:
    """The printer as a value's own _repr_pretty_ knows it."""

    def __init__(self, p):
        self.p = p
        self.text, self.pretty, self.break_ = p.text, p.show, p.hard_break

    def breakable(self, sep=" "):
        self.p.breakable()

    def begin_group(self, indent=0, open=""):
        self.p.begin(open)
        self.p.indentation += indent - len(open)

    def end_group(self, dedent=0, close=""):
        self.p.indentation -= dedent
        self.p.end("", close)

    def group(self, indent=0, open="", close=""):
        import contextlib

        @contextlib.contextmanager
        def inside():
            self.begin_group(indent, open)
            try:
                yield
            finally:
                self.end_group(indent, close)

        return inside()


def pretty(value):
    p = Printer()
    p.show(value)
    while p.buffer:
        p.put()
    return "".join(p.done)


def ends_in_semicolon(code):
    import io
    import tokenize

    skipped = (tokenize.ENDMARKER, tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(code).readline) if t.type not in skipped]
    return bool(tokens) and tokens[-1].string == ";"
