package sqlite

import (
	_ "embed"
	"fmt"

	"lmtpd/store/sqldb"
)

// The steps from one schema to the next.

//go:embed schema.sql
var schema1 string

//go:embed schema2.sql
var schema2 string

// applicationID is "lmtM" in octets.
const applicationID = 0x6c6d744d

// pageSize is good for messages of some kilobytes: fewer pages to write for each, and little waste.
const pageSize = 8192

func kind() sqldb.Kind {
	return sqldb.Kind{
		Name:          "mailboxes",
		ApplicationID: applicationID,
		Journal:       sqldb.WAL,
		Layout:        fmt.Sprintf("PRAGMA page_size = %d; PRAGMA auto_vacuum = INCREMENTAL", pageSize),
		LogPages:      sqldb.LogOctets / pageSize,
		Steps:         []string{schema1, schema2},
	}
}

const (
	insertMailbox = "INSERT INTO mailbox (name) VALUES (?) ON CONFLICT DO NOTHING"
	insertFolder  = "INSERT INTO folder (mailbox, name, uid_validity) SELECT id, ?, ? FROM mailbox WHERE name = ? ON CONFLICT DO NOTHING"
	subscribe     = "INSERT INTO subscription (mailbox, name) SELECT id, ? FROM mailbox WHERE name = ? ON CONFLICT DO NOTHING"
	insertContent = "INSERT INTO content (hash, hashed, octets, begun, subject, author, sent, message_id) VALUES (?, 2, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	insertChunk   = "INSERT INTO chunk (id, data) VALUES (?, ?)"
	insertCopy    = "INSERT INTO copy (folder, uid, content, octets, date, flags, reverse_path, original_recipient, trace) " +
		"VALUES (?1, (SELECT uid_next FROM folder WHERE id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)"

	finishContent  = "UPDATE content SET hash = ?, begun = NULL WHERE id = ? AND hash IS NULL"
	discardContent = "DELETE FROM content WHERE id = ? AND hash IS NULL"
	sweepContent   = "DELETE FROM content WHERE id IN (SELECT id FROM content WHERE begun < ? LIMIT 1)"

	selectMailbox  = "SELECT id FROM mailbox WHERE name = ?"
	selectFolder   = "SELECT f.id FROM mailbox AS m JOIN folder AS f ON f.mailbox = m.id WHERE m.name = ? AND f.name = ?"
	lookFolder     = "SELECT f.id FROM mailbox AS m LEFT JOIN folder AS f ON f.mailbox = m.id AND f.name = ? WHERE m.name = ?"
	selectContent  = "SELECT id FROM content WHERE hash = ?"
	selectFolders  = "SELECT name FROM folder WHERE mailbox = ? AND name <> '' ORDER BY name"
	selectListed   = "SELECT name FROM subscription WHERE mailbox = ? ORDER BY name"
	selectNames    = "SELECT name FROM mailbox WHERE name > ? ORDER BY name LIMIT 1000"
	selectMessages = "SELECT id, octets, date, flags FROM copy WHERE folder = ? ORDER BY date, uid"
	selectCopy     = "SELECT content, octets, trace FROM copy WHERE id = ? AND folder = ?"
	selectID       = "SELECT id FROM copy WHERE id = ? AND folder = ?"
	selectChunk    = "SELECT data FROM chunk WHERE id = ? AND EXISTS (SELECT 1 FROM copy WHERE id = ? AND content = ?)"
	selectCounts   = "SELECT id, name, messages, octets FROM folder WHERE mailbox = ?"
	countFolder    = "SELECT count(*), coalesce(sum(octets), 0) FROM copy WHERE folder = ?"

	updateFlags = "UPDATE copy SET flags = ? WHERE id = ? AND folder = ?"
	moveCopy    = "UPDATE copy SET folder = ?2, uid = (SELECT uid_next FROM folder WHERE id = ?2) WHERE id = ?1 AND folder = ?3"
	unsubscribe = "DELETE FROM subscription WHERE mailbox = ?"
	deleteCopy  = "DELETE FROM copy WHERE id = ? AND folder = ?"
	takeBack    = "DELETE FROM copy WHERE id = ?"
	correct     = "UPDATE folder SET messages = messages + ?, octets = octets + ? WHERE id = ?"
)
