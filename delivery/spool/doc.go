// Package spool keeps submitted mail until it is where it is meant to be: delivered, relayed, or returned to its sender (RFC 5321
// §4.5.4.1, RFC 3461 §5).
//
// Everything is in one SQLite database (schema.sql; package sqldb says what is promised of it). Put commits a message, with a content
// for all of its recipients, and that commit is what a 250 stands for. The recipients of a message that have one destination are an
// entry, and an attempt is for one entry. What an attempt has come to is one transaction: the recipients that are done leave, a message
// without recipients leaves with its content, and the notifications that are owed are put in. So a notification is never sent twice
// and never lost. Changes of many callers share commits (writer.go).
//
// An entry is in one of three states. Trying: it is being attempted, or in memory and about to be. Waiting: until its time has come and
// its destination can take it. Held: until somebody releases it. New mail is committed as trying where it can be attempted at once,
// so that a message that is delivered at once costs two commits that it shares with others. An entry that is found trying at the start
// is the one case that cannot be known: it is attempted again, and logged.
//
// Nothing is in memory but what is attempted and what comes next (turns.go, refill.go): a bounded number of entries for each destination,
// taken from an index by time and by sender. Senders have turns, so that nobody's single message waits behind another's hundred
// thousand. A destination that cannot be used is left alone as a whole, and tried with one entry at a time after longer and longer
// pauses (backoff.go); its entries are not touched meanwhile, but those whose time is over (age.go).
//
// What an attempt has come to is kept in memory where it cannot be committed, on a full disk say, and the recipients are not attempted
// before it is (debt.go). What waits is looked through after a start, bit by bit, for what the configuration sends another way now
// (reroute.go).
//
// Other processes change the database too, as lmtpd queue does (Queue). They are noticed within a second.
//
// What it does not do: it knows no connection, routes nothing and writes no notification (Config has the functions that do).
package spool
