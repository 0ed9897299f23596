package delivery

import (
	"lmtpd/store"
)

// A box is a mailbox in its store. Addresses whose mailbox lies in the same directory are one box: those of a user of the
// host in several domains, or of a template without %d.
type box struct {
	store store.Store
	name  string
}

// A place is a folder of a mailbox. Of a message it gets one copy, whoever that is for.
type place struct {
	box    box
	folder string
}

// boxOf finds out which mailbox a name is, where it may have several.
func boxOf(s store.Store, m store.Mailbox) box {
	if i, can := s.(store.Identifier); can {
		if id, err := i.Identity(m); err == nil {
			return box{s, id}
		}
	}
	return box{s, m.Name}
}

func (t *target) place() place { return place{t.box, t.folder} }
