BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE entries (
	number INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	run TEXT NOT NULL, 
	created TEXT NOT NULL, 
	body TEXT NOT NULL, 
	previous TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "entries" VALUES(1,'run','20260101-a','2026-11-25T01:33:38Z','{"agents":{"rag":{"cases":2,"metrics":[{"after":30.5,"before":20.0,"metric_id":"m","n":2,"name":"chrf"}]}},"keys":{"￿":1,"😀":2},"large":1e+21,"project":"시범","rate":1.0,"seed":18446744073709551616,"small":1e-07}','','5f919438922741fef3f410da18cd0b73df21d2d0e69784816ff47ba76650d386');
INSERT INTO "entries" VALUES(2,'train','20260102-b','2026-11-25T01:33:38Z','{"empty":{},"text":"탭\t과 , 따옴표 \"","zero":-0.0}','5f919438922741fef3f410da18cd0b73df21d2d0e69784816ff47ba76650d386','e822e7fc3df216c3f34a30b0f946a19df7b70a04d66967ccb5614baae127be96');
INSERT INTO "entries" VALUES(3,'evaluate','20260103-c','2026-11-25T01:33:38Z','{"rate":0.1,"whole":3}','e822e7fc3df216c3f34a30b0f946a19df7b70a04d66967ccb5614baae127be96','66579c0c7ddc2d28c9eb559dfe1bd61a687c3c4528f05b3d3d8380fdaa75184c');
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries 
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries 
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_no_replace BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries WHERE number >= NEW.number)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
COMMIT;
