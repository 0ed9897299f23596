package delivery_test

import (
	"strings"
	"testing"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// A message that is sent again is known again although what was added to it is different each time.
func TestPartlyDeliveredWithAdditions(t *testing.T) {
	h := newHost(t)
	fault := store.ErrFull
	h.store.Fault = func(op storetest.Op, mailbox string) error {
		if op == storetest.OpDeliver && mailbox == "bob@example.org" {
			return fault
		}
		return nil
	}
	const head, tail = "Subject: x\r\n", "\r\nHello.\r\n"
	for i, added := range []string{"Message-ID: <1@x>\r\n", "Message-ID: <22@x>\r\n", "Message-ID: <333@x>\r\n"} {
		if i == 2 {
			fault = nil
		}
		env := envelope("ann@example.org", "bob@example.org")
		env.Answers = smtp.OneForAll
		env.Added = smtp.Span{At: int64(len(head)), Octets: int64(len(added))}
		h.deliver(env, strings.NewReader(head+added+tail))
	}
	for _, mailbox := range []string{"ann@example.org", "bob@example.org"} {
		if n := len(h.store.All(mailbox, "")); n != 1 {
			t.Errorf("%s has %d copies", mailbox, n)
		}
	}
}
