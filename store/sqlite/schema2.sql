-- Schema 2 adds what a hash is. Contents that schema 1 has kept stay as they are, and are shared with none that came later; an
-- lmtpd that knows schema 1 alone and has the database open yet goes on as it did.

ALTER TABLE content ADD COLUMN hashed INTEGER NOT NULL DEFAULT 1; -- how hash was made: 1 is SHA-256, 2 BLAKE3 (of 256 bits)
