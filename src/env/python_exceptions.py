# How IPython 8 shows exceptions, without IPython: after IPython 8.14's core/ultratb.py (BSD-3-Clause) and stack_data
# 0.6's core.py (MIT), colours off.  python_driver.py sets `hidden`: its globals, whose frames nobody is shown, but for
# those of its STANDINS.
from collections import Counter
from itertools import groupby

hidden = None


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
    named = not name.startswith("<") or name == "<lambda>"
    if named and parse(code.co_filename, frame.f_globals)[1]:
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


def line_of(tb):
    """An alarm may come at an instruction that belongs to no line: then the line before it."""
    if tb.tb_lineno and tb.tb_lineno > 0:
        return tb.tb_lineno
    lines = [line for start, _, line in tb.tb_frame.f_code.co_lines() if line and start <= tb.tb_lasti]
    return lines[-1] if lines else tb.tb_frame.f_code.co_firstlineno


def frame_text(tb, before, after):
    frame, lineno = tb.tb_frame, line_of(tb)
    if frame.f_code in hidden["STANDINS"]:
        return hidden["STANDINS"][frame.f_code]
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
    of_session = hidden, globals(), hidden["Session"].shell_names
    ours = any(own is names for names in of_session) or own.get("call_tool") is hidden["call_tool"]
    return ours and tb.tb_frame.f_code not in hidden["STANDINS"]


def collapse(stack):
    """[(traceback, None) or (None, words for a run of similar frames)]."""
    keys = [(tb.tb_frame.f_code, line_of(tb)) for tb in stack]
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
    try:
        parts.append(f"{name}: {error}")
    except Exception as other:
        parts.append(f"<class 'str'>: ({type(other)}, {other!r})")
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
