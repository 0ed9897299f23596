-- The mail database of lmtpd, schema 1 (schema2.sql tells what came later), for everybody to read: beside a running daemon too, it has a write-ahead log.
--
-- The views at the end (mailboxes, messages, whole) stay as they are when the tables change; build on them. Who changes
-- a table keeps the counts right by that alone: triggers do it, and remove a content with its last copy.

CREATE TABLE mailbox (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  name  TEXT NOT NULL UNIQUE               -- the address, its domain in lower case
) STRICT;

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

-- Folders that a mailbox is subscribed to (RFC 3501 §6.3.6); they need not be there.
CREATE TABLE subscription (
  mailbox  INTEGER NOT NULL REFERENCES mailbox,
  name     TEXT    NOT NULL,
  PRIMARY KEY (mailbox, name)
) STRICT, WITHOUT ROWID;

-- A content is what was received, and is there once however many copies it has.
CREATE TABLE content (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  hash        BLOB    UNIQUE CHECK (length(hash) = 32), -- of its octets (hashed says which); NULL while it is being written
  octets      INTEGER NOT NULL,
  begun       INTEGER,                      -- when that was (seconds since 1970), while it is being written
  subject     TEXT,                         -- fields of its header, decoded, as far as there are such and they can be read
  author      TEXT,                         -- From
  sent        INTEGER,                      -- Date, seconds since 1970
  message_id  TEXT,
  CHECK ((hash IS NULL) = (begun IS NOT NULL))
) STRICT;

CREATE INDEX content_begun ON content (begun) WHERE begun IS NOT NULL;

-- The octets of contents, in order of id: chunk n of content c has the id c * 65536 + n.
CREATE TABLE chunk (
  id    INTEGER PRIMARY KEY,
  data  BLOB NOT NULL
) STRICT;

-- A copy is a message in a folder: trace fields, and then the content.
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

-- Times are in UTC.
CREATE VIEW messages AS
  SELECT c.id, m.name AS mailbox, CASE f.name WHEN '' THEN 'INBOX' ELSE f.name END AS folder, c.uid,
    strftime('%Y-%m-%d %H:%M:%S', c.date / 1000000, 'unixepoch') AS date, c.octets, c.flags,
    c.reverse_path, c.original_recipient, t.subject, t.author, datetime(t.sent, 'unixepoch') AS sent, t.message_id
  FROM copy AS c JOIN folder AS f ON f.id = c.folder JOIN mailbox AS m ON m.id = f.mailbox JOIN content AS t ON t.id = c.content;

-- The whole message with the id of messages, octet for octet.
CREATE VIEW whole AS
  SELECT c.id, CAST(c.trace || coalesce((SELECT group_concat(data, '') FROM
    (SELECT data FROM chunk WHERE chunk.id BETWEEN c.content << 16 AND (c.content << 16) + 65535 ORDER BY chunk.id)), '')
    AS BLOB) AS message
  FROM copy AS c;
