package smtptest

import (
	"context"
	"errors"
	"strings"

	"lmtpd/store"
)

// Faults makes a store fail for certain mailboxes of example.org, by local-part:
//
//	nobody     there is no such mailbox
//	unsure     at RCPT it cannot be told
//	homeless   as is so of a home that is not there
//	nospace    at RCPT less than what is to stay free is free on its disk
//	quota      at RCPT the size announced is over quota
//	full       over quota, found out at delivery
//	diskfull   so is the disk
//	busy       and so is the mailbox
//	broken     delivery fails in a way that nobody knows
//	late       and delivery is not done in time
//	crash      RCPT panics
//	panic      delivery panics
type Faults struct{ store.Store }

// errUnknown is an error that nobody has heard of. Its text must not reach a client.
var errUnknown = errors.New("secret cause")

// Check fails at RCPT.
func (f Faults) Check(ctx context.Context, mailbox store.Mailbox, more store.Usage) error {
	switch local, _, _ := strings.Cut(mailbox.Name, "@"); local {
	case "nobody":
		return store.ErrNoMailbox
	case "unsure", "homeless":
		return errUnknown
	case "nospace":
		return store.ErrFull
	case "quota":
		if more.Octets > 0 {
			return store.ErrOverQuota
		}
	case "crash":
		panic("crash")
	}
	return f.Store.Check(ctx, mailbox, more)
}

// Deliver fails for some placements and hands on the others.
func (f Faults) Deliver(ctx context.Context, c store.Content, to []store.Placement) []error {
	errs := make([]error, len(to))
	var rest []store.Placement
	var numbers []int
	for i, p := range to {
		if errs[i] = faultOf(p.Mailbox.Name); errs[i] == nil {
			rest, numbers = append(rest, p), append(numbers, i)
		}
	}
	if len(rest) == 0 {
		return errs
	}
	for n, err := range f.Store.Deliver(ctx, c, rest) {
		errs[numbers[n]] = err
	}
	return errs
}

func faultOf(mailbox string) error {
	switch local, _, _ := strings.Cut(mailbox, "@"); local {
	case "full":
		return store.ErrOverQuota
	case "diskfull":
		return store.ErrFull
	case "busy":
		return store.ErrBusy
	case "broken":
		return errUnknown
	case "late":
		return context.DeadlineExceeded
	case "panic":
		panic("panic")
	}
	return nil
}
