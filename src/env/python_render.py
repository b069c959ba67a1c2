# How IPython 8 shows values and exceptions, without IPython: after IPython 8.14's core/ultratb.py and lib/pretty.py
# (BSD-3-Clause) and stack_data 0.6's core.py (MIT), colours off.  python_driver.py loads it when something has to be
# rendered and sets `hidden` (its globals, whose frames nobody is shown) and `timed_out` (the code that ends a cell).
import sys
import types
from collections import Counter, deque
from itertools import groupby

hidden = timed_out = None
WIDTH = 79
MOST = 1000  # items of a container that are shown


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
    ("collections", "defaultdict"): show_collection(lambda v: (v.default_factory, dict(v))),
    ("collections", "OrderedDict"): show_collection(lambda v: (list(v.items()),) if v else ()),
    ("collections", "deque"): show_collection(lambda v: (list(v),)),
    ("collections", "Counter"): show_collection(lambda v: (dict(v.most_common()),) if v else ()),
    ("collections", "UserList"): show_collection(lambda v: (v.data,)),
}


def find_shower(kind):
    for base in kind.__mro__:
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


# Exceptions.


def source_of(filename, globals_=None):
    import linecache

    return [line.rstrip("\r\n") for line in linecache.getlines(filename, globals_)]


def link(filename, lineno):
    number = hidden["Session"].cells.get(filename)
    if number is not None:
        return f"Cell In[{number}]" + ("" if lineno is None else f", line {lineno}")
    return f"File {filename}" + ("" if lineno is None else f":{lineno}")


# A source's pieces (stack_data): ranges of lines that are a simple statement, the head of a compound one, or what
# lies between, such as comments; blank lines at their ends left out.


def line_range(node):
    import ast

    if isinstance(node, ast.match_case):
        return node.pattern.lineno, node.body[-1].end_lineno + 1
    decorators = getattr(node, "decorator_list", None)
    return (decorators[0] if decorators else node).lineno, node.end_lineno + 1


def split(node, start, end):
    import ast

    for _, body in ast.iter_fields(node):
        if not (isinstance(body, list) and body and isinstance(body[0], (ast.stmt, ast.ExceptHandler,
                                                                         ast.match_case))):
            continue
        firsts = {}
        for child in body:
            firsts.setdefault(line_range(child), child)
        for (child_start, child_end), child in sorted(firsts.items(), key=lambda item: item[0]):
            for inner_start, inner_end in split(child, child_start, child_end):
                if start < inner_start:
                    yield start, inner_start
                if inner_start < inner_end:
                    yield inner_start, inner_end
                start = inner_end
    yield start, end


def find_pieces(tree, lines):
    joined = []
    for start, end in split(tree, 1, len(lines) + 1):
        if end <= start:
            continue
        if joined and start < joined[-1][1]:  # two statements on a line
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    pieces = []
    for start, end in joined:
        while start < end and not lines[start - 1].strip():
            start += 1
        while start < end and not lines[end - 2].strip():
            end -= 1
        if start < end:
            pieces.append(range(start, end))
    return pieces


def find_scope(tree, lineno):
    """The function, class or module whose statement the line belongs to."""
    import ast

    scope, node = tree, tree
    while node:
        inner = None
        for child in children(node):
            start, end = line_range(child)
            if start <= lineno < end:
                inner = child
        head = inner is not None and isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if head and any(line_range(c)[0] <= lineno < line_range(c)[1] for c in children(inner)):
            scope = inner
        node = inner
    return scope


def children(node):
    import ast

    for _, body in ast.iter_fields(node):
        if isinstance(body, list):
            yield from (c for c in body if isinstance(c, (ast.stmt, ast.ExceptHandler, ast.match_case)))


parsed = {}  # filename: (lines, pieces or None, tree)


def parse(filename, globals_):
    import ast

    if filename not in parsed:
        lines = source_of(filename, globals_)
        try:
            tree = ast.parse("\n".join(lines) + "\n")
            parsed[filename] = lines, find_pieces(tree, lines), tree
        except Exception:
            parsed[filename] = lines, None, None
    return parsed[filename]


def source_lines(filename, globals_, lineno, before, after):
    """[(number, text)], with None for a gap."""
    import ast

    lines, pieces, tree = parse(filename, globals_)
    if pieces is None:
        pieces = [range(i, i + 1) for i in range(1, len(lines) + 1)]
    scope = tree and find_scope(tree, lineno)
    whole = pieces
    if scope and not isinstance(scope, ast.Module):
        start, end = line_range(scope)
        whole = [p for p in pieces if start <= p.start and p.stop <= end]
    at = next((i for i, p in enumerate(whole) if lineno in p), None)
    if at is None:
        return []
    first = max(0, at - before)
    chosen = whole[first : at + 1 + after]
    shown = []
    for piece in chosen:
        numbers = list(piece)
        if lineno not in piece and len(numbers) > 6:
            numbers = numbers[:3] + [None] + numbers[-2:]
        shown += numbers
    import textwrap

    text = [lines[n - 1] for n in shown if n]
    indent = len(text[0]) - len(textwrap.dedent("\n".join(text)).splitlines()[0]) if text[0] else 0
    return [n and (n, lines[n - 1][indent:].rstrip("\n")) for n in shown]


def call_of(frame):
    code = frame.f_code
    name = code.co_name
    if name == "<module>":
        return ""
    if not name.startswith("<") or name == "<lambda>":
        name = getattr(code, "co_qualname", name)
    count = code.co_argcount + code.co_kwonlyargcount
    names = list(code.co_varnames[:count])
    starred = []
    for flag, stars in ((4, "*"), (8, "**")):
        if code.co_flags & flag:
            starred.append((stars, code.co_varnames[count]))
            count += 1
    if any(n not in frame.f_locals for n in names + [n for _, n in starred]):
        return f"in {name}(***failed resolving arguments***)"
    return f"in {name}(" + ", ".join(names + [s + n for s, n in starred]) + ")"


def frame_text(tb, before, after):
    frame, lineno = tb.tb_frame, tb.tb_lineno
    if frame.f_code is timed_out:  # MINT's own handler, where MINT has it
        return ("File /mint/mint/tools/python_tool.py:31, in "
                "PythonREPL.time_limit.<locals>.signal_handler(signum, frame)\n"
                "     30 def signal_handler(signum, frame):\n"
                '---> 31     raise TimeoutError(f"Timed out after {seconds} seconds.")\n')
    filename = frame.f_code.co_filename
    call = call_of(frame)
    text = link(filename, lineno) + (", " + call if call else "") + "\n"
    for line in source_lines(filename, frame.f_globals, lineno, before, after):
        if line is None:
            text += "   (...)\n"
        elif line[0] == lineno:
            number = str(lineno)
            pad = 7 - len(number)
            arrow = "-" * (pad - 2) + "> " if pad >= 2 else ">" if pad == 1 else ""
            text += f"{arrow}{number} {line[1]}\n"
        else:
            text += f"{line[0]:7d} {line[1]}\n"
    return text


def is_ours(tb):
    own = tb.tb_frame.f_globals
    ours = own is hidden or own is globals() or tb.tb_frame.f_globals.get("call_tool") is hidden["call_tool"]
    return ours and tb.tb_frame.f_code is not timed_out


def collapse(stack):
    """[(traceback, None) or (None, words for a run of similar frames)]."""
    keys = [(tb.tb_frame.f_code, tb.tb_lineno) for tb in stack]
    counts = Counter(keys)
    result = []
    for common, group in groupby(range(len(stack)), key=lambda i: counts[keys[i]] > 3):
        group = list(group)
        shown = set(group)
        if common:
            shown = set()
            of_group = [keys[i] for i in group]
            for key in set(of_group):
                at = [i for i, k in enumerate(of_group) if k == key]
                shown.update(group[i] for i in (at[0], *at[1:2], at[-1]))
        for visible, part in groupby(group, key=lambda i: i in shown):
            part = list(part)
            if visible:
                result += [(stack[i], None) for i in part]
                continue
            similar = sorted(Counter(keys[i] for i in part).items(), key=lambda item: (-item[1], item[0][0].co_name))
            result.append((None, ", ".join(
                f"{getattr(code, 'co_qualname', code.co_name)} at line {lineno} ({n} times)"
                for (code, lineno), n in similar)))
    return result


def safe_str(value):
    try:
        return str(value)
    except Exception:
        return f"<unprintable {type(value).__name__} object>"


def one_exception(error, before, after):
    name = type(error).__name__
    parts = [name + "Traceback (most recent call last)".rjust(75 - len(name))]
    stack, tb = [], error.__traceback__
    while tb:
        if not is_ours(tb):
            stack.append(tb)
        tb = tb.tb_next
    for tb, similar in collapse(stack):
        parts.append(f"    [... skipping similar frames: {similar}]\n" if similar else frame_text(tb, before, after))
    parts.append(f"{name}: {safe_str(error)}")
    notes = getattr(error, "__notes__", ())
    parts += [safe_str(note) for note in notes] if isinstance(notes, (list, tuple)) else [repr(notes)]
    return parts


def chained(error):
    if error.__cause__:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def traceback(error):
    """What InteractiveShell.showtraceback prints, but for the last newline."""
    parsed.clear()
    if isinstance(error, SyntaxError):
        return syntax_error(error, True)
    own = getattr(error, "_render_traceback_", None)
    if own:
        return "\n".join(own())
    whole = [one_exception(error, 2, 2)]
    seen, later = {id(error)}, error
    while (earlier := chained(later)) is not None and id(earlier) not in seen:
        seen.add(id(earlier))
        whole.append(["\nThe above exception was the direct cause of the following exception:\n" if later.__cause__
                      else "\nDuring handling of the above exception, another exception occurred:\n"])
        whole.append(one_exception(earlier, 1, 1))
        later = earlier
    return "\n".join(["-" * 75] + [part for parts in reversed(whole) for part in parts])


def only(error):
    """The last lines: of a SyntaxError with its place."""
    text = ""
    if isinstance(error, SyntaxError):
        filename, lines = error.filename or "<string>", source_of(error.filename or "<string>")
        text += "  " + link(filename, error.lineno) + "\n"
        line = error.text
        if error.lineno and 0 < error.lineno <= len(lines):
            line = lines[error.lineno - 1]
        if line is not None:
            space = len(line) - len(line.lstrip())
            text += "    " + line.strip() + "\n"
            if error.offset is not None:
                text += "    " + "".join(c if c.isspace() else " " for c in line[space : error.offset - 1]) + "^\n"
        words = error.msg
    else:
        words = safe_str(error)
    name = type(error).__name__
    text += f"{name}: {words}\n" if words else name + "\n"
    return text + "".join(f"{note}\n" for note in getattr(error, "__notes__", ()))


def syntax_error(error, running):
    """What InteractiveShell.showsyntaxerror prints; `running`: it was raised by a cell, not found in one."""
    parts = []
    if running:
        parts.append("Traceback (most recent call last):\n")
        parts.append("  File /usr/lib/python3/dist-packages/IPython/core/interactiveshell.py:3508 in run_code\n"
                     "    exec(code_obj, self.user_global_ns, self.user_ns)\n")
        tb = error.__traceback__
        while tb:
            if not is_ours(tb):
                code = tb.tb_frame.f_code
                text = "  " + link(code.co_filename, tb.tb_lineno)
                text += "\n" if code.co_name == "<module>" else f" in {code.co_name}\n"
                lines = source_of(code.co_filename, tb.tb_frame.f_globals)
                if 0 < tb.tb_lineno <= len(lines) and lines[tb.tb_lineno - 1].strip():
                    text += f"    {lines[tb.tb_lineno - 1].strip()}\n"
                parts.append(text)
            tb = tb.tb_next
    parts.append(only(error))
    return "\n".join(parts)


def exit_asked(error):
    return "An exception has occurred, use %tb to see the full traceback.\n\n" + only(error)
