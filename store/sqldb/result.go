//go:build cgo

package sqldb

import (
	"errors"

	"github.com/mattn/go-sqlite3"
)

// resultOf finds what SQLite has said in an error.
func resultOf(err error) (result, bool) {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return result{}, false
	}
	return result{int(e.Code), int(e.ExtendedCode), e.SystemErrno}, true
}
