// Package store is the contract between the delivery agent and whatever keeps mail.
//
// It holds the interface, its errors and the prose; store/maildir and store/sqlite implement it, and
// store/storetest is the suite that each of them passes. It knows no SMTP: mailboxes are names, a message is
// octets with CRLF line ends, and a failure is one of the errors below or anything else, which means "it could
// not be told, try again".
package store

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Errors that are answers. Any other error of a Store means that it is not known whether the operation worked.
var (
	// ErrNoMailbox says that there is no such mailbox and that none may be made under this name.
	ErrNoMailbox = errors.New("no such mailbox")
	// ErrNoFolder says that the mailbox has no such folder, or that none may be made under this name.
	ErrNoFolder = errors.New("no such folder")
	// ErrNoMessage says that the mailbox has no such message (any more).
	ErrNoMessage = errors.New("no such message")
	// ErrOverQuota says that the message would bring the mailbox over its quota.
	ErrOverQuota = errors.New("mailbox over quota")
	// ErrFull says that the disk, its inodes or the store as a whole is full, or below the minimum that is
	// kept free: nobody's fault in particular and likely to pass.
	ErrFull = errors.New("store full")
	// ErrBusy says that too much is going on in this mailbox at once.
	ErrBusy = errors.New("mailbox busy")
)

// Content is the content of a message as it was received: the octets on the wire after dot-unstuffing, CRLF
// line ends kept. It is immutable and may be read by many goroutines at once.
type Content interface {
	io.ReaderAt
	Size() int64
}

// A Mailbox is where an account's mail is, and on what terms it is kept. Only the name is needed; the rest is what the
// account says about itself, and a store may have no use for it.
type Mailbox struct {
	Name  string // the store's name for it: an address
	Path  string // its directory, if the account has one of its own; "": where the store keeps it
	Home  string // home directory of its owner
	Owner *Owner // whose rights it is touched with; nil: those of the process
	Quota Quota
}

// String gives the name.
func (m Mailbox) String() string { return m.Name }

// An Owner is a user of the host.
type Owner struct {
	UID, GID int
	Groups   []int // supplementary groups
}

// Quota is what a mailbox may hold.
type Quota struct {
	Usage           // 0: no limit
	Ignore []string // folders that do not count, without what is below them; "" cannot be one
}

// A Placement is one mailbox's copy of a message.
type Placement struct {
	Mailbox Mailbox
	Folder  string    // "" is INBOX; levels divided by "/", UTF-8
	Missing Missing   // what to do if the folder is not there
	Flags   []Flag    // \Seen, \Flagged … as the filter set them
	Trace   []byte    // fields put before the content, for this copy alone; CRLF line ends
	Date    time.Time // internal date, of which at least the second is kept; zero: now
}

// Missing says what becomes of a message for a folder that is not there.
type Missing int

const (
	MakeFolder  Missing = iota // the folder is made and subscribed to; a name that none may have is ErrNoFolder
	MakeOrInbox                // the same, but then the message goes to INBOX
	UseInbox                   // the message goes to INBOX
)

// A Store keeps mail. Its methods may be called from many goroutines at once.
type Store interface {
	// Check says whether a mailbox would take so much more now (zero: any message at all). ErrNoMailbox and
	// ErrOverQuota are answers; any other error means it could not be told. It makes nothing.
	Check(ctx context.Context, mailbox Mailbox, more Usage) error

	// Deliver keeps the message in every placement, and returns one error for each, in that order.
	// nil: it is there even if the power fails now. Otherwise it may or may not be there: send again.
	// A mailbox or folder that is allowed but not there yet is made, unless Missing sends the message to INBOX, which
	// Folder then says. Quota is not looked at.
	//
	// When ctx ends, it returns without waiting for what hangs, unless there is one placement alone, whose recipient is
	// the only one to wait; what hangs may read c for as long as it does, and the message is taken back if it comes about.
	Deliver(ctx context.Context, c Content, to []Placement) []error

	// Mailboxes yields the names of all mailboxes that hold something, in no certain order.
	Mailboxes(ctx context.Context) iter.Seq2[string, error]

	// Folders lists the folders of mailbox but for INBOX, sorted.
	Folders(ctx context.Context, mailbox Mailbox) ([]string, error)

	// Messages lists what is in a folder ("" is INBOX), oldest first by internal date.
	Messages(ctx context.Context, mailbox Mailbox, folder string) ([]Message, error)

	// Open opens a message. It reads with CRLF line ends, trace fields first. The caller closes it.
	Open(ctx context.Context, mailbox Mailbox, folder, id string) (io.ReadCloser, error)

	// SetFlags replaces the flags of a message.
	SetFlags(ctx context.Context, mailbox Mailbox, folder, id string, flags []Flag) error

	// MakeFolder makes a folder as Deliver would, and the mailbox too if it is not there; for INBOX only that. One that is
	// there stays as it is.
	MakeFolder(ctx context.Context, mailbox Mailbox, folder string) error

	// Move puts a message into another folder of its mailbox, which is made if it is not there. ID, date, flags and octets
	// stay. A crash may leave the message in both folders, and then doing it again puts that right.
	Move(ctx context.Context, mailbox Mailbox, folder, id, to string) error

	// Remove deletes a message for good.
	Remove(ctx context.Context, mailbox Mailbox, folder, id string) error

	// Usage says what a mailbox holds, all folders together but those that its quota ignores. With a quota it is what
	// the store has kept count of.
	Usage(ctx context.Context, mailbox Mailbox) (Usage, error)

	// Recount is Usage counted anew, which is then what the store goes on from.
	Recount(ctx context.Context, mailbox Mailbox) (Usage, error)

	// Close waits for what is under way and gives everything back. No method may be called after it.
	Close() error
}

// A Message describes one kept message.
type Message struct {
	ID     string    // the store's name for it, unique in its mailbox, unchanged by SetFlags and Move
	Folder string    // "" is INBOX
	Size   int64     // octets with CRLF line ends, trace fields included (RFC 3501 §2.3.4)
	Date   time.Time // internal date (RFC 3501 §2.3.3): when it was delivered
	Flags  []Flag
}

// Usage is what a mailbox holds, or may hold.
type Usage struct {
	Messages int64
	Octets   int64 // sum of Message.Size
}

// A Flag is a system flag or a keyword in the spelling of RFC 3501 §2.3.2.
type Flag string

// The system flags that a delivered message may carry, and the two keywords of Maildir that have a letter.
const (
	FlagSeen     Flag = `\Seen`
	FlagAnswered Flag = `\Answered`
	FlagFlagged  Flag = `\Flagged`
	FlagDeleted  Flag = `\Deleted`
	FlagDraft    Flag = `\Draft`
	FlagPassed   Flag = `$Forwarded`
)
