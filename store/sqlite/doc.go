// Package sqlite keeps mail in SQLite databases, durably: one for all mailboxes, or one for each domain, as the path says.
//
// A delivery is rows of a transaction: when Deliver returns nil the transaction was committed and synced (package sqldb sees
// to that), and before it nobody sees anything of the message. Each database has one writer. Who finds it idle makes the commit himself, and
// what waits while one is under way shares the next; each hears its own result, because what could not be committed together
// is tried again one by one. The content is read and hashed before it comes to the writer. What is larger than a megabyte is
// written ahead in parts, between the deliveries of others, as a content without a hash that no reader meets; the
// transaction that makes the copies gives it its hash. A crash may leave such a content; Sweep removes it.
//
// A content is there once for all its copies, found by its hash (BLAKE3, and SHA-256 of those that schema 1 had). There are no reference counts: a copy that is deleted takes
// the content with it if an index says that no other has it. Triggers do that, and keep the counts of each folder; Usage and
// Check add those up, so a quota that ignores other folders needs no other count. They hold too for who changes rows by hand.
//
// The tables and the views for people who read mail with SQL are told in schema.sql and schema2.sql. A database may be read by any program while
// it is written here, and be written by another lmtpd: locks are waited for (package sqldb). Mailboxes and folders
// are values in it, and never text of a statement.
//
// Subject, author (From), date and Message-ID are looked for in the first 64 KiB of a content, and reverse-path and original
// recipient in the trace fields, tolerantly: mail of any form is kept, octet for octet (RFC 5322 §2.2, RFC 2047 §2).
//
// Checkpoints, which bring the log into the file, are made by a goroutine of their own (sqldb.Checkpointer). Under load it never meets
// the end of the log by itself, and a log that is not brought in to its end is not begun anew; so the writer does the last bit.
//
// Before each commit the file and its log are looked for where they were opened: what is committed to a file that was moved or
// removed is gone for whoever reads the one in its place. Such a database is closed, and opened anew if there is one again.
//
// # Full-text search
//
// A database may have an index of the words in its contents (search.sql). Deliveries have no part in it: Index goes through
// the copies in the order of their ids, which is that of their commits, and remembers how far it has come; the ids of contents are no
// such order, because large ones are begun early. Contents are read and their text is got at outside of any transaction. Then the
// writer puts 32 KiB of text in, together with what else waits. The more messages come in, the longer it rests (pace).
// Whether anybody has written to a database is seen by the times of its files, so one that rests costs two looks a second.
//
// It is FTS4, since the driver has FTS5 only when it is built with a tag, and FTS4 always. The text is kept in the index: one without
// it (content="") cannot remove what is deleted, and SQLite 3.40, which distributions still have, reads no kind of FTS5 that can. A
// trigger removes the text with its content, so the index never has what is not there, whoever removes it. Segments are merged in
// small steps as soon as eight are alike, for sixteen SQLite merges at once in whatever transaction comes.
//
// Contents without a word in common, of 10 KB with 1,600 words of 20,000, which is worse than mail: 5 ms in a transaction (p99 9), a
// merge 3 ms (p99 12), one content with 256 KiB of text 30 ms with its commit, some 300 contents/s without a break.
// Deliveries/s of such contents with 1 / 8 / 32 / 100 at once, and the processor's time for each in µs, medians of five runs in turn, on
// a machine that others kept busy, so that single runs differed by a factor of two:
//
//	without an index   1,333 / 4,758 / 5,644 / 5,531   336 / 158 / 127 / 109
//	with one           1,581 / 4,802 / 6,923 / 6,825   326 / 171 / 129 / 118
//
// Not done: homes, owners and paths of single accounts (a database belongs to the operator), keywords beyond what is said
// when a message is kept or its flags are set, ranking of what a search finds, words of languages that do not divide them.
//
// # What was tried
//
// 10 KB to 100 mailboxes at random, 2 cores that others used too, ext4, GOMAXPROCS=16, deliveries/s with 1 / 8 / 32 / 100 at once:
//
//	one placement     2,850 /  7,430 / 11,560 / 15,320
//	ten placements   18,290 / 21,500 / 27,340 / 35,830
//	one of 1 MB         223 /    270 /    280 /    224
//
// All statements of 32 deliveries in a transaction, without the rest: pages of 4 KiB 15,800/s, of 8 KiB 17,800/s, of 16 KiB
// less than half. Incremental vacuum made no difference that could be seen, chunks of 64, 120, 256 and 1024 KiB none that could
// be told from the disk's mood. SHA-256 was 7 % of the processor's time for 10 KB and 40 % for 1 MB, on a processor that has no instructions for
// it (29 µs and some 3 ms; BLAKE3: 8 µs and 0.34 ms), so small messages
// are hashed as well as large ones; a content is put in first, and looked for only if its hash is there. No savepoints: what
// fails is rolled back with its batch, and that is done one by one, so that what works pays nothing. fdatasync in place of
// fsync (built with CGO_CFLAGS="-O2 -g -DHAVE_FDATASYNC=1") was within the noise here.
package sqlite
