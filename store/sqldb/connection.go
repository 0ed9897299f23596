package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/mattn/go-sqlite3"
)

// A connector makes connections, each of them with its settings.
type connector struct {
	path   string
	kind   Kind
	access access
}

// Driver is asked for by database/sql.
func (c *connector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

// Connect opens a connection. What it belongs to is found out before anything is set: another program's database
// stays as it is.
func (c *connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(fileURI(c.path, c.access))
	if err != nil {
		return nil, err
	}
	err = c.identify(conn)
	if err == nil {
		err = c.configure(conn)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// identify refuses what is not of the connector's kind. A database without anything in it may become so.
func (c *connector) identify(conn driver.Conn) error {
	id, err := ask(conn, "PRAGMA application_id")
	if err != nil || id == int64(c.kind.ApplicationID) {
		return err
	}
	objects, err := ask(conn, "SELECT count(*) FROM sqlite_schema")
	if err == nil && objects != int64(0) { // somebody may have made it one meanwhile
		if id, err = ask(conn, "PRAGMA application_id"); id == int64(c.kind.ApplicationID) {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case id != int64(0) || objects != int64(0):
		return fmt.Errorf("it is another program's database, or one of another kind: its application_id is %#08x, not %#08x",
			id, c.kind.ApplicationID)
	case c.access == forReading:
		return errors.New("it is empty")
	case c.access == forWriting && c.kind.Layout != "":
		_, err = conn.(driver.ExecerContext).ExecContext(context.Background(), c.kind.Layout, nil)
	}
	return err
}

// configure sets what a connection needs and reads it back.
func (c *connector) configure(conn driver.Conn) error {
	size, err := ask(conn, "PRAGMA page_size")
	if err != nil {
		return fmt.Errorf("read page_size: %w", err)
	}
	octets, _ := size.(int64)
	for _, s := range settings(c.kind, c.access, octets) {
		if s.set != "" {
			if _, err := ask(conn, "PRAGMA "+s.name+" = "+s.set); err != nil {
				return fmt.Errorf("set %s: %w", s.name, err)
			}
		}
		got, err := ask(conn, "PRAGMA "+s.name)
		if err != nil {
			return fmt.Errorf("read %s back: %w", s.name, err)
		}
		if got != s.want {
			return fmt.Errorf("%s is %v, and SQLite does not let it be %v", s.name, got, s.want)
		}
	}
	return nil
}

// A setting is a pragma, how it is set ("": elsewhere) and how it then reads.
type setting struct {
	name, set string
	want      any
}

func settings(k Kind, a access, pageSize int64) []setting {
	list := []setting{
		{"busy_timeout", "", busyTimeout.Milliseconds()},
		{"foreign_keys", "ON", int64(1)},
		{"trusted_schema", "OFF", int64(0)},
	}
	if a != forWriting && a != forUpkeep {
		return append(list, setting{"query_only", "ON", int64(1)})
	}
	list = append(list, setting{"fullfsync", "ON", int64(1)}) // of macOS, whose fsync leaves data in the disk's cache
	if k.Journal == Rollback {
		return append(list, setting{"synchronous", "EXTRA", int64(3)}) // and sync the directory when the journal goes
	}
	if a == forWriting && k.LogPages > 0 {
		limit := int64(k.LogPages) * pageSize // to which a log is cut that somebody kept growing by reading for long
		list = append(list, setting{"wal_autocheckpoint", strconv.Itoa(k.LogPages), int64(k.LogPages)},
			setting{"journal_size_limit", strconv.FormatInt(limit, 10), limit})
	}
	return append(list, setting{"journal_mode", "WAL", "wal"}, setting{"synchronous", "FULL", int64(2)})
}

// ask runs a query that has one value, or none.
func ask(conn driver.Conn, query string) (any, error) {
	rows, err := conn.(driver.QueryerContext).QueryContext(context.Background(), query, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	switch err := rows.Next(row); {
	case errors.Is(err, io.EOF), err == nil && len(row) == 0:
		return nil, nil
	case err != nil:
		return nil, err
	}
	if b, ok := row[0].([]byte); ok {
		return string(b), nil
	}
	return row[0], nil
}
