-- The full-text index of a mail database of lmtpd, version 1. It is not in every database: `search` in the configuration, or
-- `lmtpd mailbox index`, makes it. It is FTS4, which every SQLite of a distribution has.
--
-- Build on search and found; both stay as they are.

CREATE TABLE indexing (
  version  INTEGER NOT NULL,                -- of all that is in this file
  copy     INTEGER NOT NULL                 -- the contents of all copies with this id or a lower one are in the index
) STRICT;

INSERT INTO indexing VALUES (1, 0);

-- The text of each content, whose id is docid. It is kept whole: without it a word could not be taken out of the index again.
CREATE VIRTUAL TABLE search USING fts4 (
  subject,
  author,                                   -- names and addresses of From, Sender and Reply-To
  recipients,                               -- of To, Cc and Bcc
  text,                                     -- of its parts, up to 256 KiB, without tags and attachments
  matchinfo=fts3,                           -- no table of lengths, which only some ranking would need
  tokenize=unicode61 "remove_diacritics=2"
);

CREATE TRIGGER search_removed AFTER DELETE ON content BEGIN
  DELETE FROM search WHERE docid = old.id;
END;

-- The messages that have what query MATCHes. Of the tables search must come first: it is asked once.
CREATE VIEW found AS
  SELECT c.id, m.name AS mailbox, CASE f.name WHEN '' THEN 'INBOX' ELSE f.name END AS folder, c.uid,
    strftime('%Y-%m-%d %H:%M:%S', c.date / 1000000, 'unixepoch') AS date, c.octets, c.flags,
    s.subject, s.author, s.recipients, s.text, s.search AS query
  FROM search AS s CROSS JOIN copy AS c ON c.content = s.docid CROSS JOIN folder AS f ON f.id = c.folder
    CROSS JOIN mailbox AS m ON m.id = f.mailbox;
