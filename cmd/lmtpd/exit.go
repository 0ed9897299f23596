package main

import (
	"errors"
	"io/fs"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/delivery/spool"
	"lmtpd/store"
)

// Exit codes, as in sysexits.h, so that an MTA that runs a command knows what to do with its mail.
const (
	exOK          = 0
	exUsage       = 64 // the command line was wrong
	exDataErr     = 65 // the data named or given is wrong: no such message, a malformed address
	exNoUser      = 67 // no such mailbox or account
	exUnavailable = 69 // refused for good
	exCantCreate  = 73 // a file cannot be made
	exIOErr       = 74 // reading or writing failed
	exTempFail    = 75 // did not work now; try again
	exNoPerm      = 77 // the system denies it, or the password is wrong
	exConfig      = 78 // the configuration is wrong
)

// exitCode turns an error into an exit code. It is the only place that does; a command that knows better
// returns cli.Exit(err, code).
func exitCode(err error) int {
	var coder cli.ExitCoder
	var bad account.Mistakes
	switch {
	case err == nil:
		return exOK
	case errors.As(err, &coder):
		return libraryCode(coder.ExitCode())
	case errors.Is(err, store.ErrNoMailbox), errors.Is(err, account.ErrNotFound):
		return exNoUser
	case errors.Is(err, store.ErrNoFolder), errors.Is(err, store.ErrNoMessage), errors.Is(err, spool.ErrNoMessage), errors.Is(err, store.ErrQuery):
		return exDataErr
	case errors.Is(err, store.ErrNoIndex):
		return exUnavailable
	case errors.Is(err, account.ErrUnsayable):
		return exDataErr
	case errors.Is(err, account.ErrExists):
		return exCantCreate
	case errors.As(err, &bad):
		return exConfig
	case errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrFull), errors.Is(err, account.ErrLocked), errors.Is(err, account.ErrUntold):
		return exTempFail
	case errors.Is(err, fs.ErrPermission):
		return exNoPerm
	}
	return exIOErr
}

// libraryCode maps the codes that cli chooses by itself (3: no help topic) to the one that means usage.
func libraryCode(code int) int {
	if 0 < code && code < exUsage {
		return exUsage
	}
	return code
}
