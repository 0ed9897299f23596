package delivery_test

import (
	"errors"
	"reflect"
	"testing"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/store"
)

func TestMailboxOf(t *testing.T) {
	limits := store.Quota{Usage: store.Usage{Messages: 10, Octets: 100}, Ignore: []string{"Trash"}}
	for _, test := range []struct {
		acct account.Account
		want store.Mailbox
		bad  bool
	}{
		{account.Account{UID: -1, GID: -1}, store.Mailbox{Quota: limits}, false},
		{
			account.Account{UID: 5, GID: 6, Groups: []int{7}, Home: "/home/ann", Quota: account.Quota{Octets: 7}},
			store.Mailbox{
				Home: "/home/ann", Owner: &store.Owner{UID: 5, GID: 6, Groups: []int{7}},
				Quota: store.Quota{Usage: store.Usage{Messages: 10, Octets: 7}, Ignore: []string{"Trash"}},
			}, false,
		},
		{account.Account{UID: 5, GID: -1}, store.Mailbox{}, true},
		{account.Account{UID: -1, GID: 6}, store.Mailbox{}, true},
		{account.Account{UID: -1, GID: -1, Home: "/h%n", Mail: "maildir:~/Maildir"}, store.Mailbox{Home: "/h%n", Path: "/h%n/Maildir", Quota: limits}, false},
		{account.Account{UID: -1, GID: -1, Home: "/h", Mail: "maildir:~"}, store.Mailbox{Home: "/h", Path: "/h", Quota: limits}, false},
		{account.Account{UID: -1, GID: -1, Home: "/h", Mail: "maildir:%h/mail/%d/%n:INDEX=/var/index/%u"}, store.Mailbox{Home: "/h", Path: "/h/mail/example.org/ann", Quota: limits}, false},
		{account.Account{UID: -1, GID: -1, Mail: "maildir:/var/mail//./ann/"}, store.Mailbox{Path: "/var/mail/ann", Quota: limits}, false},
		{account.Account{UID: -1, GID: -1, Mail: "maildir:/var/mail/../etc"}, store.Mailbox{}, true},
		{account.Account{UID: -1, GID: -1, Home: "/home/ann", Mail: "maildir:~/../ben/Maildir"}, store.Mailbox{}, true},
		{
			account.Account{UID: -1, GID: -1, Quota: account.Quota{Octets: account.Unlimited}},
			store.Mailbox{Quota: store.Quota{Usage: store.Usage{Messages: 10}, Ignore: []string{"Trash"}}}, false,
		},
		{account.Account{UID: -1, GID: -1, Mail: "maildir:/var/%u"}, store.Mailbox{Path: "/var/ann@example.org", Quota: limits}, false},
		{account.Account{UID: -1, GID: -1, Mail: "maildir:~/Maildir"}, store.Mailbox{}, true},
		{account.Account{UID: -1, GID: -1, Mail: "maildir:Maildir"}, store.Mailbox{}, true},
		{account.Account{UID: -1, GID: -1, Mail: "maildir:/m:LAYOUT=fs"}, store.Mailbox{}, true},
		{account.Account{UID: -1, GID: -1, Mail: "maildir:/m/%{user}"}, store.Mailbox{}, true},
		{account.Account{UID: -1, GID: -1, Mail: "mbox:~/mail"}, store.Mailbox{}, true},
		{account.Account{UID: -1, GID: -1, Mail: "maildir:~root/x", Home: "/h"}, store.Mailbox{}, true},
	} {
		got, err := delivery.MailboxOf(test.acct, "ann@example.org", limits)
		if test.bad {
			if err == nil || errors.Is(err, store.ErrNoMailbox) {
				t.Errorf("%+v: %+v, want an error", test.acct, got)
			}
			continue
		}
		test.want.Name = "ann@example.org"
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%+v:\n%+v, %v, want\n%+v", test.acct, got, err, test.want)
		}
	}
}

// A name that can be no path is no answer to whether there is such an account.
func TestMailboxOfNoPath(t *testing.T) {
	_, err := delivery.MailboxOf(account.Account{UID: -1, GID: -1, Mail: "maildir:/var/%n"}, ".ann@example.org", store.Quota{})
	if err == nil || errors.Is(err, store.ErrNoMailbox) {
		t.Errorf("got %v", err)
	}
}
