package store

import (
	"context"
	"iter"
)

// What not every store can do has an interface of its own, which a Store may implement besides. Whoever needs it asks with
// a type assertion, and does without it or says that this store cannot.

// A Sweeper is a Store that crashes can leave something behind in.
type Sweeper interface {
	// Sweep removes what deliveries that were cut off have left, once it is old enough to be nobody's, and
	// says how much that was. It goes on after an error and returns the first.
	Sweep(ctx context.Context) (removed int, err error)
}

// A Locator is a Store that can tell people where it keeps a mailbox.
type Locator interface {
	// Where returns a path, which may be that of others, too. The mailbox need not be there.
	Where(mailbox Mailbox) (string, error)
}

// An Identifier is a Store in which a mailbox may have several names.
type Identifier interface {
	// Identity returns what all names of a mailbox have in common, and no other mailbox has. It need not be there.
	Identity(mailbox Mailbox) (string, error)
}

// A Subscriber is a Store that keeps which folders a mailbox is subscribed to (RFC 3501 §6.3.6). A folder that Deliver or
// MakeFolder makes is subscribed to.
type Subscriber interface {
	// Subscriptions lists the folders, sorted and without INBOX. Some may not be there.
	Subscriptions(ctx context.Context, mailbox Mailbox) ([]string, error)

	// SetSubscriptions replaces the list. A name that no folder may have is ErrNoFolder, and nothing is changed.
	SetSubscriptions(ctx context.Context, mailbox Mailbox, folders []string) error
}

// A Checker is a Store that can find damage which its other methods do not show: counts that are kept, parts that belong
// to nothing, content that is not what it was.
type Checker interface {
	// Inspect yields the damage in a mailbox, or in the whole store if mailbox is nil, what belongs to no mailbox included.
	// An error says that something could not be looked at; it goes on with the rest if it can. Deliveries go on meanwhile,
	// and wait for no longer than one short transaction.
	Inspect(ctx context.Context, mailbox *Mailbox, repair Repair) iter.Seq2[Damage, error]
}

// Repair says what becomes of damage that is found.
type Repair int

const (
	OnlyTell Repair = iota
	PutRight        // as far as it can be without losing a message
)

// Damage is something wrong in a store.
type Damage struct {
	Mailbox  string // "": of no certain mailbox
	Folder   string // "" is INBOX, or of no certain folder
	ID       string // of a message; "": of no certain message
	What     string // a phrase without a period at its end
	PutRight bool
}

// A Vacuumer is a Store that does not give back to the disk by itself what removed messages took.
type Vacuumer interface {
	// Vacuum gives it back and says how many octets that was. Deliveries go on meanwhile, and wait for no longer than one
	// short transaction. It may be interrupted and called again.
	Vacuum(ctx context.Context) (octets int64, err error)
}

// A Backuper is a Store that can be copied whole while mail comes in.
type Backuper interface {
	// Backup writes the store as it is at one moment to a new file at path, or, if it consists of several files, to files in
	// a new directory there, and syncs it. What is there already is an error wrapping fs.ErrExist and stays. After any other
	// error nothing is left.
	Backup(ctx context.Context, path string) error
}
