# A cell that is no Python as it stands: what IPython 8's core/inputtransformer2.py makes of it.  python_driver.py loads
# this, python_shell.py and python_magics.py, as one text, when a cell asks for them, and sets `driver` (its globals).
import io
import re
import tokenize

driver = None

ESCAPED = re.compile(r"(\s*)(!!|!|%%|%|\?\?|\?|[,;/])(.*)", re.S)
ASSIGNED = re.compile(r"(\s*[\w.,\[\]()'\"* ]*[\w\])'\" ]=\s*)([!%])(?!=)(.+)", re.S)
HELP = re.compile(r"(%{0,2}(?!\d)[\w*]+(?:\.(?!\d)[\w*]+|\[\d+\])*)(\?\??)$")


def call(function, *arguments):
    return f"get_ipython().{function}(" + ", ".join(map(repr, arguments)) + ")"


def magic_call(text):
    name, _, rest = text.strip().partition(" ")
    return call("run_line_magic", name, rest.strip() if name else "")


def escaped(mark, text):
    """The Python of a line that begins with a mark."""
    text = text.strip()
    name, _, rest = text.partition(" ")
    if mark == "!":
        return call("system", text)
    if mark == "!!":
        return call("getoutput", text)
    if mark in ("%", "%%"):
        return magic_call(text)
    if mark in ("?", "??"):
        return call("run_line_magic", "pinfo2" if mark == "??" else "pinfo", text) if text else call("show_usage")
    if mark == "/":
        return f"{name}({', '.join(rest.split())})"
    return f'{name}("{rest}")' if mark == ";" else name + "(" + ", ".join(f'"{word}"' for word in rest.split()) + ")"


def is_inside(before):
    """Whether a line after these lies in brackets or in a text."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO(before).readline):
            pass
    except tokenize.TokenError:
        return True
    except SyntaxError:
        pass
    return False


def asks_for_help(line):
    """Ends in a question mark that is no text's and no comment's."""
    last = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(line).readline):
            if token.type not in (tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER, tokenize.DEDENT):
                last = token.string
    except (tokenize.TokenError, SyntaxError):
        pass
    return last == "?"


def line_changed(line):
    """The Python of a line, or None where it is no line of IPython's."""
    body = line.rstrip("\n")
    if asks_for_help(line):
        found = HELP.search(body.rstrip())
        if found:
            indent = body[: len(body) - len(body.lstrip())]
            words = found[1]
            return indent + call("run_line_magic", "pinfo2" if found[2] == "??" else "pinfo", words) + "\n"
    escape = ESCAPED.fullmatch(body)
    if escape:
        indent, mark, text = escape.groups()
        if mark in ("%", "%%") and not text.lstrip()[:1].isalpha() or mark in ",;/" and not text[:1].isalpha():
            return None
        return indent + escaped(mark, text) + "\n"
    assigned = ASSIGNED.fullmatch(body)
    if assigned:
        left, mark, text = assigned.groups()
        return left + (call("getoutput", text.strip()) if mark == "!" else magic_call(text)) + "\n"
    return None


def changed(code):
    """The cell as Python, or None where nothing of it is IPython's."""
    lines = code.splitlines(keepends=True)
    if lines and lines[0].startswith("%%"):
        name, _, rest = lines[0][2:].strip().partition(" ")
        return call("run_cell_magic", name, rest.strip(), "".join(lines[1:])) + "\n"
    found, done, i = False, [], 0
    while i < len(lines):
        line, taken = lines[i], 1
        while line.endswith("\\\n") and i + taken < len(lines) and ESCAPED.match(line):
            line = line[:-2] + " " + lines[i + taken].lstrip()
            taken += 1
        new = line_changed(line)
        if new is not None and not is_inside("".join(done)):
            done.append(new)
            found = True
        else:
            done.append(lines[i])
            taken = 1
        i += taken
    return "".join(done) if found else None


def automagic(code):
    """A cell of one line whose first word is a magic's name, and no name of the cell's."""
    line = code.strip()
    word = re.match(r"[A-Za-z_]\w*", line)
    if "\n" in line or not word or not shell().has_magic(word[0]):
        return None
    rest = line[word.end() :]
    if rest[:1] not in ("", " ") or re.match(r"\s*(=(?!=)|[-+*/%&|^@]=|:|\()", rest):
        return None
    space, builtins = driver["Session"].ns, driver["Session"].ns["__builtins__"]
    if word[0] in space or hasattr(builtins, word[0]):
        return None
    return magic_call(line) + "\n"
