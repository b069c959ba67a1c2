# What `python3 -c` of a Python session runs: reads its programs and begins the first, python_driver.py.  Compiling that
# one alone would take a third of the interpreter's own start, so it is done once, and later sessions get the result.
# Nor is os imported, a tenth of that start: posix, which is built in, has all that is wanted.
#
# Kind, eight hexadecimal digits of length, a newline, and that many bytes:
#   T texts, each with a NUL behind it    M what marshal makes of a list of programs, which are marshalled themselves
import marshal
import posix


def read(n):
    got = b""
    while len(got) < n:
        more = posix.read(0, n - len(got))
        if not more:
            posix._exit(0)
        got += more
    return got


compiled, programs = (head := read(10))[:1] == b"M", read(int(head[1:9], 16))
if compiled:
    programs = marshal.loads(programs)
else:
    programs = [marshal.dumps(compile(text, name, "exec"))
                for text, name in zip(programs.split(b"\0"), ("<string>", "<render>", "<shell>"))]
exec(marshal.loads(programs[0]))
