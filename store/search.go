package store

import (
	"context"
	"errors"
)

// Errors of a search that are answers.
var (
	// ErrNoIndex says that the store keeps no index of the mailbox's words.
	ErrNoIndex = errors.New("no full-text index")
	// ErrQuery says that nobody can tell what a query means.
	ErrQuery = errors.New("malformed query")
)

// A Text is what can be looked for in a message: UTF-8 without control characters but line feeds.
type Text struct {
	Subject    string
	Author     string // names and addresses of From, Sender and Reply-To (RFC 5322 §3.6.2)
	Recipients string // those of To, Cc and Bcc (RFC 5322 §3.6.3)
	Body       string
}

// A Searcher is a Store that can keep an index of the words in its messages. It is kept up by Index alone, so that no delivery
// pays for it, and is behind by what came since. What is removed from the store is removed from the index in the same moment.
type Searcher interface {
	// Index makes the index, if there is none, and brings it up to date. Deliveries go on meanwhile, and wait for no
	// longer than one short transaction; while they do, it takes its time. It may be interrupted and called again, and goes
	// on where it was. It returns how many contents were put in; it goes on after an error and returns the first.
	Index(ctx context.Context) (contents int, err error)

	// Search lists the messages of a mailbox, of all its folders, that have what query asks for, oldest first, and says how
	// many messages of the whole store are not in the index yet. ErrNoIndex and ErrQuery are answers.
	Search(ctx context.Context, mailbox Mailbox, query string) (found []Message, behind int64, err error)

	// Unindex removes the index with all its text, in short transactions.
	Unindex(ctx context.Context) error
}
