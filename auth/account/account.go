// Package account is where accounts are looked up: who has a mailbox here, with which password hash, rights, home
// and quota.
//
// A Source answers one question, and tells "there is none" (ErrNotFound, a fact) from "it could not be told" (any
// other error): the first bounces mail, the second keeps it with the client (RFC 5321 §4.2.1). The sources are Any,
// where every name has an account, File, and those of the packages sqlite and system.
//
// A File is a passwd-file as Dovecot 2.3 reads it, so that one file serves both:
//
//	name:password:uid:gid:gecos:home:shell:extra fields
//
// What is kept of it. Fields at the end may be missing. Empty lines, and lines that begin with #, say nothing; lines
// end in LF or CRLF. There is no escaping: a backslash is a backslash, a colon always ends its field, and only the
// extra fields, which are the last, may have colons of their own. They are divided by blanks. In the old form the
// eighth field is empty, and what follows is the place of mail. The password is kept as it is stored, with {SCHEME}
// or bare. A uid or gid is a decimal number or a name that the host knows; 0 is impossible, as is 4294967295. A name that
// the host does not know is a mistake; if it could not tell (ErrUntold), the file is not taken yet. Of the extra fields
// these are kept:
//
//	userdb_mail                the place of mail, %-variables and all
//	userdb_uid, _gid, _home    instead of the fields of that name
//	userdb_quota_rule          and userdb_quota_rule2 …: the limits of the whole mailbox, *: and ?:
//	userdb_quota_storage_size  and userdb_quota_message_count, as Dovecot 2.4 calls them
//	nologin                    no login; mail is delivered all the same
//	nodelivery                 no mail is delivered; ours, and Dovecot lets it be (also userdb_nodelivery)
//
// The flags hold whatever value they have, as Dovecot has it: nologin=no is no login.
//
// What is not kept: gecos, shell, quota rules for single folders, every other extra field, such as user= and
// allow_nets=, and the expansion of %-variables, which is for those who use the fields.
//
// What is stricter than with Dovecot: a line that is no account, a name that is there twice, an impossible uid or
// quota, control characters, octets that are not UTF-8 and a line of more than 8 KiB are mistakes, and a file with
// mistakes is not taken. Dovecot logs such a line and goes on without its user, whose mail would then bounce. Here the
// accounts stay what they were, and whoever is not among them is neither there nor not: who was added together with a
// mistake has mail wait until the file is mended.
//
// QUIRK: letters A to Z in the names of a file are folded to lower case as those in the name looked up are (Dovecot:
// %Lu); Dovecot folds only the latter, and never finds a user who has a capital in the file.
package account

import (
	"context"
	"errors"
)

// ErrNotFound says that there is no such account. Any other error of a Source says that it could not be told.
var ErrNotFound = errors.New("no such account")

// ErrUnsure says that there is no such account among those that are known, and that the file has changed since they were
// read and is not taken yet. It is doubt about this name alone: whoever is found is there.
var ErrUnsure = errors.New("no such account is known yet")

// An Account is a login and its mailbox.
type Account struct {
	Name     string // as the source has it, letters A to Z in lower case; it may lack a domain
	Password string // hash as it is stored, with {SCHEME} or bare; "" is none
	UID, GID int    // of the mailbox's files; -1 is not said
	Groups   []int  // supplementary ones; nil is not said
	Home     string
	Mail     string // where mail is, as in "maildir:~/Maildir"; "" is not said
	Quota    Quota
	Disabled Disabled
}

// Quota is what a mailbox may hold; 0 is not said.
type Quota struct {
	Octets   int64
	Messages int64
}

// Unlimited is a limit of an account that is to have none, whatever others have.
const Unlimited = -1

// Disabled says what an account is barred from.
type Disabled struct {
	Login    bool // nologin: nobody logs in
	Delivery bool // nodelivery: no mail is taken
}

// A Source looks accounts up. Its methods may be called from many goroutines at once.
type Source interface {
	// Lookup returns the account of a name: an address, or a local-part where there are no domains. ErrNotFound
	// says that there is none; any other error, that it could not be told.
	Lookup(ctx context.Context, name string) (Account, error)
}

// Any is a Source in which every name has an account.
type Any struct{}

// Lookup returns an account of that name about which nothing else is known.
func (Any) Lookup(_ context.Context, name string) (Account, error) {
	return Account{Name: Fold(name), UID: -1, GID: -1}, nil
}
