CREATE TABLE Author (Id INTEGER PRIMARY KEY, Name TEXT, Born INT, Land TEXT);
CREATE TABLE Book (Id INTEGER PRIMARY KEY, Author_Id INT, Title TEXT, Pages INT, Price REAL,
    FOREIGN KEY (Author_Id) REFERENCES Author (Id));
CREATE TABLE Loan (Book_Id INT, Reader TEXT, Year INT, Days INT, FOREIGN KEY (Book_Id) REFERENCES Book (Id));
INSERT INTO Author VALUES (1, 'Ana', 1920, 'PT'), (2, 'Ben', 1950, 'UK'), (3, 'Cem', 1950, 'TR'), (4, 'Dee', NULL, 'UK');
INSERT INTO Book VALUES (1, 1, 'Sea', 200, 10.0), (2, 1, 'Sand', 120, 8.5), (3, 2, 'Fog', 200, 10), (4, 3, 'Ash', 90, 5),
    (5, 3, 'sea', 300, NULL);
INSERT INTO Loan VALUES (1, 'Xu', 2001, 7), (1, 'Yi', 2002, 14), (3, 'Xu', 2002, 7), (4, 'Zoe', 2003, 21), (5, 'Xu', 2003, 7);
