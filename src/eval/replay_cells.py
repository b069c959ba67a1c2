# Can a recorded cell be compared with what it prints here?  replay_programs.c defines this in a session of its
# own and asks by comparable(code): "" where it can, else the name of what stands against it.
import ast
import sys

CHANGING = {"random", "time", "datetime", "secrets", "uuid", "os", "subprocess", "threading", "sys"}


def comparable(code):
    """Not IPython's own syntax, nothing beyond the standard library, and the same output whenever it runs."""
    if any(line.lstrip().startswith(("!", "%")) or line.rstrip().endswith("?") for line in code.splitlines()):
        return "IPython"
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return ""
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for top in (name.split(".")[0] for name in names):
            if top not in sys.stdlib_module_names or top in CHANGING:
                return top
        if isinstance(node, ast.Name) and node.id in ("wikipedia_search", "input", "exit", "quit"):
            return node.id
    return ""
