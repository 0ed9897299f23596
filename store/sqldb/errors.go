package sqldb

import (
	"errors"
	"fmt"
	"syscall"
)

// Codes of SQLite's results (sqlite.org/rescode.html) that mean something to a caller.
const (
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26

	extendedReadOnlyRollback = 3<<8 | 8
)

// IsBusy says whether somebody else had the database locked: to try again may help.
func IsBusy(err error) bool {
	r, ok := resultOf(err)
	return ok && (r.code == codeBusy || r.code == codeLocked)
}

// IsFull says whether the disk or a quota on it is full.
func IsFull(err error) bool {
	r, ok := resultOf(err)
	if ok && (r.code == codeFull || isFullErrno(r.errno)) {
		return true
	}
	var errno syscall.Errno
	return errors.As(err, &errno) && isFullErrno(errno)
}

func isFullErrno(errno syscall.Errno) bool { return errno == syscall.ENOSPC || errno == syscall.EDQUOT }

// IsCorrupt says whether the file is damaged, or no database at all.
func IsCorrupt(err error) bool {
	r, ok := resultOf(err)
	return ok && (r.code == codeCorrupt || r.code == codeNotADB)
}

// A result is what SQLite says of a failure.
type result struct {
	code, extended int
	errno          syscall.Errno // 0 where the system had no part in it
}

// isCutOff says whether a reader found the journal of a change that was cut off, which a writer must roll back.
func isCutOff(err error) bool {
	r, ok := resultOf(err)
	return ok && r.extended == extendedReadOnlyRollback
}

// explain says what SQLite's words for a failure to open mean.
func explain(path string, err error) error {
	switch r, _ := resultOf(err); r.code {
	case codeNotADB:
		return fmt.Errorf("%s is not an SQLite database: %w", path, err)
	case codeCorrupt:
		return fmt.Errorf("%s is damaged: %w", path, err)
	case codeCantOpen, codeReadOnly:
		return fmt.Errorf("%s: %w (if it has a write-ahead log, who reads it must be able to write to its directory)", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
