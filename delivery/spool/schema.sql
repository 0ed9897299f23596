-- The spool of lmtpd: mail that was submitted and is not yet where it is meant to be. Everybody may read it beside a running daemon,
-- it has a write-ahead log; who changes it uses lmtpd queue.

CREATE TABLE message (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT, -- never that of another, even of one that is gone
  id        TEXT    NOT NULL UNIQUE,  -- of the transaction that brought it
  arrived   INTEGER NOT NULL,         -- microseconds since 1970
  account   TEXT    NOT NULL,         -- who submitted it; '' is nobody
  local     TEXT    NOT NULL,         -- the reverse-path: its local-part, without quotes,
  domain    TEXT    NOT NULL,         -- and its domain; both '' is the null reverse-path
  body      TEXT    NOT NULL,         -- BODY=
  utf8      INTEGER NOT NULL,         -- 1: SMTPUTF8
  ret       TEXT    NOT NULL,         -- RET=
  envid     TEXT    NOT NULL,         -- ENVID=, decoded
  octets    INTEGER NOT NULL,         -- of the content, with the trace fields that were put before it
  mark      INTEGER NOT NULL DEFAULT 0, -- 1: held; 2: it goes once nobody is carrying it
  begun     INTEGER                   -- when its content was begun to be written; NULL: it is there
) STRICT;

CREATE INDEX message_begun ON message (begun) WHERE begun IS NOT NULL;

-- The octets of contents, in order of id: chunk n of message m has the id m * 65536 + n.
CREATE TABLE chunk (
  id    INTEGER PRIMARY KEY,
  data  BLOB NOT NULL
) STRICT;

-- An entry is the recipients of one message that have one destination: what an attempt is for.
CREATE TABLE entry (
  message      INTEGER NOT NULL,
  number       INTEGER NOT NULL,
  destination  TEXT    NOT NULL,
  sender       TEXT    NOT NULL,           -- whose turn it is: the account, else the reverse-path
  arrived      INTEGER NOT NULL,           -- as the message has it
  state        INTEGER NOT NULL,           -- 0: being attempted; 1: waiting; 2: held
  next         INTEGER NOT NULL,           -- when it is due (microseconds since 1970)
  attempts     INTEGER NOT NULL DEFAULT 0, -- that the destination was there for
  warned       INTEGER NOT NULL DEFAULT 0, -- 1: the sender has been told of the delay
  PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;

-- What is delivered at once is in the first of these alone.
CREATE INDEX entry_trying ON entry (message) WHERE state = 0;
CREATE INDEX entry_due ON entry (destination, next) WHERE state = 1;
CREATE INDEX entry_turn ON entry (destination, sender, next) WHERE state = 1;
CREATE INDEX entry_age ON entry (warned, arrived) WHERE state = 1;

CREATE TABLE recipient (
  message     INTEGER NOT NULL,
  entry       INTEGER NOT NULL,
  number      INTEGER NOT NULL,            -- in the envelope
  local       TEXT    NOT NULL,            -- as that of a message
  domain      TEXT    NOT NULL,
  notify      INTEGER NOT NULL,            -- NOTIFY=: 1 NEVER, 2 SUCCESS, 4 FAILURE, 8 DELAY; 0: nothing was said
  orcpt_type  TEXT    NOT NULL,            -- ORCPT=, decoded
  orcpt       TEXT    NOT NULL,
  code        INTEGER NOT NULL DEFAULT 0,  -- the reply that was heard last; 0: none
  status      TEXT    NOT NULL DEFAULT '', -- subject and detail of its enhanced status
  reply       TEXT    NOT NULL DEFAULT '', -- its text
  server      TEXT    NOT NULL DEFAULT '', -- who gave it; '' is this host
  tried       INTEGER NOT NULL DEFAULT 0,  -- when that was; 0: never
  cause       TEXT    NOT NULL DEFAULT '', -- of the failure, where there is no reply, or it does not tell all
  PRIMARY KEY (message, entry, number)
) STRICT, WITHOUT ROWID;

-- A destination that cannot be used.
CREATE TABLE destination (
  name      TEXT    PRIMARY KEY,
  failures  INTEGER NOT NULL,  -- since it was last there
  since     INTEGER NOT NULL,  -- when the first of them was
  until     INTEGER NOT NULL,  -- when it is tried again
  cause     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER entry_deleted AFTER DELETE ON entry BEGIN
  DELETE FROM recipient WHERE message = old.message AND entry = old.number;
  DELETE FROM message WHERE seq = old.message AND NOT EXISTS (SELECT 1 FROM entry WHERE message = old.message);
END;

CREATE TRIGGER message_deleted AFTER DELETE ON message BEGIN
  DELETE FROM entry WHERE message = old.seq;
  DELETE FROM chunk WHERE id BETWEEN old.seq << 16 AND (old.seq << 16) + 65535;
END;
