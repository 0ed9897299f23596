package sqlite

import (
	"database/sql"
	"errors"
	"fmt"

	"lmtpd/auth/account"
	"lmtpd/store/sqldb"
)

// schema1 refuses what a name, an id, a limit or a flag cannot be; package account knows of more.
const schema1 = `
CREATE TABLE accounts (
  name           TEXT    PRIMARY KEY NOT NULL
                         CHECK (name <> '' AND name = lower(name) AND name NOT GLOB '*[ :]*'),
  password       TEXT    NOT NULL DEFAULT '',
  uid            INTEGER CHECK (uid BETWEEN 1 AND 4294967294),
  gid            INTEGER CHECK (gid BETWEEN 1 AND 4294967294),
  home           TEXT    NOT NULL DEFAULT '',
  mail           TEXT    NOT NULL DEFAULT '',
  quota_octets   INTEGER NOT NULL DEFAULT 0 CHECK (quota_octets >= -1),
  quota_messages INTEGER NOT NULL DEFAULT 0 CHECK (quota_messages >= -1),
  nologin        INTEGER NOT NULL DEFAULT 0 CHECK (nologin IN (0, 1)),
  nodelivery     INTEGER NOT NULL DEFAULT 0 CHECK (nodelivery IN (0, 1))
) STRICT, WITHOUT ROWID;
`

// applicationID is "lmtA" in octets.
const applicationID = 0x6c6d7441

func kind() sqldb.Kind {
	return sqldb.Kind{
		Name:          "accounts",
		ApplicationID: applicationID,
		Journal:       sqldb.Rollback,
		Steps:         []string{schema1},
	}
}

const (
	columns = "name, password, uid, gid, home, mail, quota_octets, quota_messages, nologin, nodelivery"

	selectAll    = "SELECT " + columns + " FROM accounts ORDER BY name"
	selectOne    = "SELECT " + columns + " FROM accounts WHERE name = ?"
	selectEither = "SELECT " + columns + " FROM accounts WHERE name IN (?, ?) ORDER BY length(name) DESC LIMIT 1"

	insertOne = "INSERT INTO accounts (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	updateOne = "UPDATE accounts SET password = ?, nologin = ?, nodelivery = ? WHERE name = ?"
	deleteOne = "DELETE FROM accounts WHERE name = ?"
)

// scan makes an account of a row, or ErrNotFound of none.
func scan(row interface{ Scan(...any) error }) (account.Account, error) {
	var a account.Account
	var uid, gid sql.Null[int64]
	err := row.Scan(&a.Name, &a.Password, &uid, &gid, &a.Home, &a.Mail,
		&a.Quota.Octets, &a.Quota.Messages, &a.Disabled.Login, &a.Disabled.Delivery)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Account{}, account.ErrNotFound
	}
	if err != nil {
		return account.Account{}, err
	}
	a.UID, a.GID = idOf(uid), idOf(gid)
	if err := a.Check(); err != nil {
		return account.Account{}, fmt.Errorf("account %q: %w", a.Name, err)
	}
	return a, nil
}

func idOf(n sql.Null[int64]) int {
	if !n.Valid {
		return -1
	}
	return int(n.V)
}

// valueOf is the inverse of idOf.
func valueOf(id int) sql.Null[int64] { return sql.Null[int64]{V: int64(id), Valid: id != -1} }
