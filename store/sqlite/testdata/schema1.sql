-- A database of schema 1, as sqlite3's .dump has it, with mail of all kinds; see TestEarlierSchemas.
PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = 1819112525; PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE mailbox (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  name  TEXT NOT NULL UNIQUE               -- the address, its domain in lower case
) STRICT;
INSERT INTO mailbox VALUES(1,'ann@example.org');
INSERT INTO mailbox VALUES(2,'bob@example.org');
CREATE TABLE folder (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  mailbox       INTEGER NOT NULL REFERENCES mailbox,
  name          TEXT    NOT NULL,           -- '' is INBOX; levels are divided by /
  uid_validity  INTEGER NOT NULL,           -- RFC 3501 §2.3.1.1
  uid_next      INTEGER NOT NULL DEFAULT 1, -- no message of the folder ever had this UID or a higher one
  messages      INTEGER NOT NULL DEFAULT 0, -- in it; kept by triggers
  octets        INTEGER NOT NULL DEFAULT 0, -- sum of their octets; kept by triggers
  UNIQUE (mailbox, name)
) STRICT;
INSERT INTO folder VALUES(1,1,'',1795168804,3,1,207);
INSERT INTO folder VALUES(3,2,'',1795168805,3,2,237);
INSERT INTO folder VALUES(6,1,'Archive/Größe',1795168809,2,1,8);
CREATE TABLE subscription (
  mailbox  INTEGER NOT NULL REFERENCES mailbox,
  name     TEXT    NOT NULL,
  PRIMARY KEY (mailbox, name)
) STRICT, WITHOUT ROWID;
INSERT INTO subscription VALUES(1,'Archive/Größe');
INSERT INTO subscription VALUES(1,'not there');
CREATE TABLE content (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  hash        BLOB    UNIQUE CHECK (length(hash) = 32), -- SHA-256 of its octets; NULL while it is being written
  octets      INTEGER NOT NULL,
  begun       INTEGER,                      -- when that was (seconds since 1970), while it is being written
  subject     TEXT,                         -- fields of its header, decoded, as far as there are such and they can be read
  author      TEXT,                         -- From
  sent        INTEGER,                      -- Date, seconds since 1970
  message_id  TEXT,
  CHECK ((hash IS NULL) = (begun IS NOT NULL))
) STRICT;
INSERT INTO content VALUES(1,X'b2b6df3d7d3b3db2040ac978596a844589543ea623905bfe0dc9c95a8ba576a8',144,NULL,'Grüße','Bob <bob@example.net>',1795168800,'<1@example.net>');
INSERT INTO content VALUES(2,X'37b3eb22cd7722d9a009f7def5765a4f4caddbc7373ed999842bf84a55bcddd5',8,NULL,NULL,NULL,NULL,NULL);
INSERT INTO content VALUES(4,X'22b430d2681eac1ab42f661ae049f39ca801efdccaafb77628419c89268bf7fb',30,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE chunk (
  id    INTEGER PRIMARY KEY,
  data  BLOB NOT NULL
) STRICT;
INSERT INTO chunk VALUES(65536,X'46726f6d3a20426f62203c626f62406578616d706c652e6e65743e0d0a5375626a6563743a203d3f7574662d383f713f47723d43333d42433d43333d3946653f3d0d0a446174653a204672692c203230204e6f7620323032362031303a30303a3030202b303030300d0a4d6573736167652d49443a203c31406578616d706c652e6e65743e0d0a0d0a68656c6c6f0d0a');
INSERT INTO chunk VALUES(131072,X'7365636f6e640d0a');
INSERT INTO chunk VALUES(262144,X'00ff206e6f206865616465722c202771756f746564273b206e6f20656e64');
CREATE TABLE copy (
  id                  INTEGER PRIMARY KEY AUTOINCREMENT,
  folder              INTEGER NOT NULL REFERENCES folder,
  uid                 INTEGER NOT NULL,
  content             INTEGER NOT NULL REFERENCES content,
  octets              INTEGER NOT NULL,     -- trace fields and content
  date                INTEGER NOT NULL,     -- when it was delivered, microseconds since 1970
  flags               TEXT    NOT NULL DEFAULT '', -- divided by blanks, as \Seen \Flagged
  reverse_path        TEXT,                 -- '' is the null reverse-path
  original_recipient  TEXT,                 -- as the sender wrote it, as far as that is known
  trace               BLOB    NOT NULL,     -- fields that were put before the content
  UNIQUE (folder, uid)
) STRICT;
INSERT INTO copy VALUES(1,1,1,1,207,1795168801000000,'\Seen $Label1','bob@example.net','ann@example.org',X'52657475726e2d506174683a203c626f62406578616d706c652e6e65743e0d0a44656c6976657265642d546f3a20616e6e406578616d706c652e6f72670d0a');
INSERT INTO copy VALUES(2,3,1,1,207,1795168801000000,'','bob@example.net','bob@example.org',X'52657475726e2d506174683a203c626f62406578616d706c652e6e65743e0d0a44656c6976657265642d546f3a20626f62406578616d706c652e6f72670d0a');
INSERT INTO copy VALUES(3,6,1,2,8,915148800123456,'\Flagged',NULL,NULL,X'');
INSERT INTO copy VALUES(5,3,2,4,30,1795168813000000,'',NULL,NULL,X'');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('mailbox',3);
INSERT INTO sqlite_sequence VALUES('folder',6);
INSERT INTO sqlite_sequence VALUES('content',4);
INSERT INTO sqlite_sequence VALUES('copy',5);
CREATE INDEX content_begun ON content (begun) WHERE begun IS NOT NULL;
CREATE INDEX copy_content ON copy (content);
CREATE TRIGGER copy_inserted AFTER INSERT ON copy BEGIN
  UPDATE folder SET uid_next = max(uid_next, new.uid + 1), messages = messages + 1, octets = octets + new.octets
    WHERE id = new.folder;
END;
CREATE TRIGGER copy_moved AFTER UPDATE OF folder, uid, octets ON copy BEGIN
  UPDATE folder SET messages = messages - 1, octets = octets - old.octets WHERE id = old.folder;
  UPDATE folder SET uid_next = max(uid_next, new.uid + 1), messages = messages + 1, octets = octets + new.octets
    WHERE id = new.folder;
END;
CREATE TRIGGER copy_deleted AFTER DELETE ON copy BEGIN
  UPDATE folder SET messages = messages - 1, octets = octets - old.octets WHERE id = old.folder;
  DELETE FROM content WHERE id = old.content AND NOT EXISTS (SELECT 1 FROM copy WHERE content = old.content);
END;
CREATE TRIGGER content_deleted AFTER DELETE ON content BEGIN
  DELETE FROM chunk WHERE id BETWEEN old.id << 16 AND (old.id << 16) + 65535;
END;
CREATE VIEW mailboxes AS
  SELECT m.name, count(f.id) AS folders, coalesce(sum(f.messages), 0) AS messages, coalesce(sum(f.octets), 0) AS octets
  FROM mailbox AS m LEFT JOIN folder AS f ON f.mailbox = m.id GROUP BY m.id;
CREATE VIEW messages AS
  SELECT c.id, m.name AS mailbox, CASE f.name WHEN '' THEN 'INBOX' ELSE f.name END AS folder, c.uid,
    strftime('%Y-%m-%d %H:%M:%S', c.date / 1000000, 'unixepoch') AS date, c.octets, c.flags,
    c.reverse_path, c.original_recipient, t.subject, t.author, datetime(t.sent, 'unixepoch') AS sent, t.message_id
  FROM copy AS c JOIN folder AS f ON f.id = c.folder JOIN mailbox AS m ON m.id = f.mailbox JOIN content AS t ON t.id = c.content;
CREATE VIEW whole AS
  SELECT c.id, CAST(c.trace || coalesce((SELECT group_concat(data, '') FROM
    (SELECT data FROM chunk WHERE chunk.id BETWEEN c.content << 16 AND (c.content << 16) + 65535 ORDER BY chunk.id)), '')
    AS BLOB) AS message
  FROM copy AS c;
COMMIT;
