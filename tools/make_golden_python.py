"""Writes tests/golden/python/ipython.jsonl: what IPython answers to the cells of cells.txt, as MINT asks it.

Run by Debian 12's own interpreter, with python3-ipython 8.5.0, python3-numpy 1.24.2, python3-scipy 1.10.1 and
python3-sympy 1.11.1:  /usr/bin/python3 tools/make_golden_python.py

A session's cells run in one InteractiveShell of one process, made and captured as xingyaoww/mint-bench,
mint/tools/python_tool.py (60aa07f) does; output is cut and stripped as there.  What 8.5 words
otherwise than 8.14, which the session follows, is changed or not asked: `Cell In [1]` becomes `Cell In[1]`, as the
recorded episodes have it, and a line number in IPython is 8.14's.

cells.txt: sessions begin with a line "=== NAME", cells are parted by lines "---".
"""
import json
import os
import re
import subprocess
import sys
import tempfile

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden", "python")


def read_sessions():
    text = open(os.path.join(FOLDER, "cells.txt"), encoding="utf-8").read()
    for part in re.split(r"^=== ", text, flags=re.M)[1:]:
        name, _, cells = part.partition("\n")
        yield name, [cell[:-1] if cell.endswith("\n") else cell for cell in re.split(r"^---\n", cells, flags=re.M)]


def answer(cells):
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils import io

    shell = InteractiveShell.instance(user_ns={}, colors="NoColor")
    for cell in cells:
        with io.capture_output() as captured:
            shell.run_cell(cell, store_history=True)
        text = captured.stdout or "[Executed Successfully with No Output]"
        text = re.sub(r"Cell In \[(\d+)\]", r"Cell In[\1]", text)
        text = text.replace("IPython/core/interactiveshell.py:3378", "IPython/core/interactiveshell.py:3508")
        text = text.replace("/tmp/<ipython-input", "<ipython-input")  # the folder is another in the sandbox
        if len(text) > 2000:
            text = text[:2000] + "...\n[Output Truncated]"
        yield text.strip()


def main():
    if len(sys.argv) > 1:  # one session, in a process of its own
        into, cells = sys.argv[1], json.loads(sys.argv[2])
        sys.argv[1:] = []
        os.chdir("/tmp")
        json.dump(list(answer(cells)), open(into, "w"))
        return
    import platform

    import IPython
    import numpy
    import scipy
    import sympy

    out = open(os.path.join(FOLDER, "ipython.jsonl"), "w", encoding="utf-8")
    out.write(json.dumps({"python": platform.python_version(), "ipython": IPython.__version__,
                          "numpy": numpy.__version__, "scipy": scipy.__version__, "sympy": sympy.__version__}) + "\n")
    for name, cells in read_sessions():
        with tempfile.NamedTemporaryFile() as into:
            subprocess.run([sys.executable, __file__, into.name, json.dumps(cells)], check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            texts = json.load(into)
        for cell, text in zip(cells, texts, strict=True):
            out.write(json.dumps({"session": name, "code": cell, "text": text}) + "\n")


main()
