package sqldb

import (
	"context"
	"database/sql"
	"fmt"
)

// migrate brings the schema up to date, in one transaction.
func (db *DB) migrate(ctx context.Context) error {
	conn, err := db.connect(ctx, db.writer)
	if err != nil {
		return err
	}
	defer conn.Close()
	version, err := db.kind.version(ctx, conn)
	if err == nil && version < len(db.kind.Steps) {
		return db.transact(ctx, conn, db.kind.climb)
	}
	return err
}

// climb takes the steps that a database has still before it. Somebody else may have taken some meanwhile.
func (k Kind) climb(ctx context.Context, conn *sql.Conn) error {
	version, err := k.version(ctx, conn)
	if err != nil {
		return err
	}
	for ; version < len(k.Steps); version++ {
		if _, err := conn.ExecContext(ctx, k.Steps[version]); err != nil {
			return fmt.Errorf("make schema %d: %w", version+1, err)
		}
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", k.ApplicationID, version))
	return err
}

// version returns the number of the schema, if it is one that is known.
func (k Kind) version(ctx context.Context, conn *sql.Conn) (version int, err error) {
	err = conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	if err == nil && (version < 0 || version > len(k.Steps)) {
		err = fmt.Errorf("its schema %d is newer than %d, the newest that this lmtpd knows", version, len(k.Steps))
	}
	return version, err
}
