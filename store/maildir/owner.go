package maildir

import (
	"errors"

	"lmtpd/store"
	"lmtpd/store/rights"
)

// errNobodys says that mail would go to a place that is somebody's with the rights of root, which every symlink there could
// use.
var errNobodys = errors.New("its account tells where the mailbox is and not whose it is: as root, that takes its uid and gid")

// Reach says whether r are rights by which a mailbox can be touched: if not, why. A place that its account tells, a home
// above all, is somebody's, and root goes there as that user or not at all; what lies in the template's root is the operator's.
func Reach(r *rights.Rights, t store.Template, m store.Mailbox) error {
	if m.Owner != nil || !r.AreRoots() || m.Path == "" && !t.InHome() {
		return r.Check(m.Owner)
	}
	at, err := t.Locate(m)
	if err == nil && (t.InHome() || at.Base != t.Root()) {
		err = errNobodys
	}
	return err
}

// as does something in a mailbox with the rights of its owner.
func (s *Store) as(m store.Mailbox, do func() error) error {
	if err := Reach(s.rights, s.template, m); err != nil {
		return err
	}
	return s.rights.As(m.Owner, do)
}
