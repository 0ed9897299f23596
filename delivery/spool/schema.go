package spool

import (
	_ "embed"
	"fmt"

	"lmtpd/store/sqldb"
)

// The steps from one schema to the next.

//go:embed schema.sql
var schema1 string

// applicationID is "lmtS" in octets.
const applicationID = 0x6c6d7453

// pageSize is good for messages of some kilobytes: fewer pages to write for each, and little waste.
const pageSize = 8192

func kind() sqldb.Kind {
	return sqldb.Kind{
		Name:          "spool",
		ApplicationID: applicationID,
		Journal:       sqldb.WAL,
		Layout:        fmt.Sprintf("PRAGMA page_size = %d; PRAGMA auto_vacuum = INCREMENTAL", pageSize),
		LogPages:      sqldb.LogOctets / pageSize,
		Steps:         []string{schema1},
	}
}

// A State is that of an entry, or of a recipient with it.
type State int

const (
	Trying  State = iota // it is being attempted, or about to be
	Waiting              // for its time
	Held                 // until it is released
)

// String is a word for it.
func (s State) String() string {
	switch s {
	case Trying:
		return "trying"
	case Waiting:
		return "waiting"
	}
	return "held"
}

// A mark is what is to become of a message.
type mark int

const (
	unmarked mark = iota
	hold          // its entries are held when they are not being attempted
	remove        // its entries go when they are not being attempted
)

const (
	insertMessage = "INSERT INTO message (id, arrived, account, local, domain, body, utf8, ret, envid, octets, begun) " +
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	selectDue             = "SELECT message, number, sender FROM entry INDEXED BY entry_due WHERE state = 1 AND destination = ? AND next <= ? ORDER BY next LIMIT ?"
	selectNextDue         = "SELECT min(next) FROM entry INDEXED BY entry_due WHERE state = 1 AND destination = ? AND next > ?"
	selectNextSender      = "SELECT sender FROM entry INDEXED BY entry_turn WHERE state = 1 AND destination = ? AND sender > ? ORDER BY sender LIMIT 1"
	selectOfSender        = "SELECT message, number, sender FROM entry INDEXED BY entry_turn WHERE state = 1 AND destination = ? AND sender = ? AND next <= ? ORDER BY next LIMIT ?"
	selectNextDestination = "SELECT destination, next FROM entry INDEXED BY entry_due WHERE state = 1 AND destination > ? ORDER BY destination, next LIMIT 1"
	selectRests           = "SELECT name FROM destination"
	deleteRests           = "DELETE FROM destination"
	selectExpired         = "SELECT message, number FROM entry INDEXED BY entry_age WHERE state = 1 AND warned = ? AND arrived <= ? " +
		"AND (next > ? OR destination IN (SELECT name FROM destination)) ORDER BY arrived LIMIT ?"
	selectLate   = "SELECT message, number FROM entry INDEXED BY entry_age WHERE state = 1 AND warned = 0 AND arrived <= ? ORDER BY arrived LIMIT ?"
	selectTrying = "SELECT message, number FROM entry INDEXED BY entry_trying WHERE state = 0 ORDER BY message LIMIT ?"
	selectWays   = "SELECT r.message, r.entry, r.number, m.local, m.domain, r.local, r.domain, e.destination FROM recipient AS r " +
		"JOIN message AS m ON m.seq = r.message JOIN entry AS e ON e.message = r.message AND e.number = r.entry " +
		"WHERE (r.message, r.entry, r.number) > (?, ?, ?) ORDER BY r.message, r.entry, r.number LIMIT ?"
	selectLastEntry = "SELECT max(number) FROM entry WHERE message = ?"
	splitEntry      = "INSERT INTO entry (message, number, destination, sender, arrived, state, next, attempts, warned, doubt) " +
		"SELECT message, ?, ?, sender, arrived, ?, ?, 0, warned, doubt FROM entry WHERE message = ? AND number = ?"
	moveRecipient = "UPDATE recipient SET entry = ? WHERE message = ? AND entry = ? AND number = ?"

	insertChunk     = "INSERT INTO chunk (id, data) VALUES (?, ?)"
	insertEntry     = "INSERT INTO entry (message, number, destination, sender, arrived, state, next, attempts, warned) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	insertRecipient = "INSERT INTO recipient (message, entry, number, local, domain, notify, orcpt_type, orcpt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
	finishContent   = "UPDATE message SET begun = NULL WHERE seq = ? AND begun IS NOT NULL"
	discardContent  = "DELETE FROM message WHERE seq = ? AND begun IS NOT NULL"
	sweepContents   = "DELETE FROM message WHERE begun < ?"

	selectMessage    = "SELECT id, arrived, account, local, domain, body, utf8, ret, envid, octets FROM message WHERE seq = ?"
	selectMark       = "SELECT mark FROM message WHERE seq = ?"
	selectEntry      = "SELECT destination, sender, next, attempts, warned, doubt FROM entry WHERE message = ? AND number = ?"
	selectRecipients = "SELECT number, local, domain, notify, orcpt_type, orcpt, code, status, reply, server, tried, cause FROM recipient " +
		"WHERE message = ? AND entry = ? ORDER BY number"
	selectChunk = "SELECT data FROM chunk WHERE id = ?"

	claimEntry      = "UPDATE entry SET state = 0 WHERE message = ? AND number = ? AND state = 1 AND next <= ?"
	deferEntry      = "UPDATE entry SET state = ?, next = ?, attempts = attempts + ? WHERE message = ? AND number = ?"
	claimOld        = "UPDATE entry SET state = 0 WHERE message = ? AND number = ? AND state = 1"
	doubtEntry      = "UPDATE entry SET doubt = 1 WHERE message = ? AND number = ?"
	warnEntry       = "UPDATE entry SET warned = 1 WHERE message = ? AND number = ? AND state = 1 AND warned = 0"
	deleteEntry     = "DELETE FROM entry WHERE message = ? AND number = ?"
	deleteRecipient = "DELETE FROM recipient WHERE message = ? AND entry = ? AND number = ?"
	updateRecipient = "UPDATE recipient SET code = ?, status = ?, reply = ?, server = ?, tried = ?, cause = ? WHERE message = ? AND entry = ? AND number = ?"
)
