package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/account"
)

// newAccounts makes a database with accounts of these names and returns its path.
func newAccounts(t testing.TB, names ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.db")
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	change(t, path, func(d *Draft) (err error) {
		for _, name := range names {
			err = errors.Join(err, d.Add(bare(name)))
		}
		return err
	})
	return path
}

// bare is an account of which nothing but the name is said.
func bare(name string) account.Account { return account.Account{Name: name, UID: -1, GID: -1} }

func change(t testing.TB, path string, with func(*Draft) error) {
	t.Helper()
	if err := Edit(path, with); err != nil {
		t.Fatal(err)
	}
}

func same(a, b account.Account) bool { return reflect.DeepEqual(a, b) }

func list1(t *testing.T, path string, want ...account.Account) {
	t.Helper()
	got, err := List(path)
	if err != nil || !slices.EqualFunc(got, want, same) {
		t.Errorf("listed %+v, %v; want %+v", got, err, want)
	}
}

// What is added reads back whole, by name.
func TestEdit(t *testing.T) {
	full := account.Account{
		Name: "Ann@Example.org", Password: "{PLAIN}a:b c", UID: 1000, GID: 4294967294, Home: "/home/ann x",
		Mail: "maildir:~/Maildir", Quota: account.Quota{Octets: 1 << 40, Messages: 7},
		Disabled: account.Disabled{Login: true, Delivery: true},
	}
	path := newAccounts(t, "zoe", "bob")
	change(t, path, func(d *Draft) error {
		if err := d.Add(full); err != nil {
			return err
		}
		got, err := d.Account("ANN@example.org")
		full.Name = "ann@example.org"
		if !same(got, full) {
			t.Errorf("in the draft: %+v", got)
		}
		return err
	})
	list1(t, path, full, bare("bob"), bare("zoe"))
	change(t, path, func(d *Draft) error {
		return errors.Join(d.SetPassword("BOB", "{PLAIN}x"), d.SetDisabled("ann@example.org", account.Disabled{}), d.Remove("zoe"))
	})
	bob := bare("bob")
	bob.Password, full.Disabled = "{PLAIN}x", account.Disabled{}
	list1(t, path, full, bob)
}

// An error of a change leaves everything as it was, and comes back.
func TestEditFails(t *testing.T) {
	path := newAccounts(t, "ann")
	wrong := errors.New("wrong")
	if err := Edit(path, func(d *Draft) error { return errors.Join(d.Remove("ann"), d.Add(bare("bob")), wrong) }); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	list1(t, path, bare("ann"))
}

func TestDraftErrors(t *testing.T) {
	path := newAccounts(t, "ann")
	with := func(edit func(*account.Account)) account.Account {
		a := bare("new")
		edit(&a)
		return a
	}
	for name, tt := range map[string]struct {
		do   func(*Draft) error
		want string
	}{
		"twice":          {func(d *Draft) error { return d.Add(bare("ANN")) }, account.ErrExists.Error()},
		"no account":     {func(d *Draft) error { _, err := d.Account("bob"); return err }, account.ErrNotFound.Error()},
		"password of":    {func(d *Draft) error { return d.SetPassword("bob", "x") }, account.ErrNotFound.Error()},
		"disable":        {func(d *Draft) error { return d.SetDisabled("bob", account.Disabled{}) }, account.ErrNotFound.Error()},
		"remove":         {func(d *Draft) error { return d.Remove("bob") }, account.ErrNotFound.Error()},
		"no local-part":  {func(d *Draft) error { return d.Remove("ann@example.org") }, account.ErrNotFound.Error()},
		"no name":        {func(d *Draft) error { return d.Add(bare("")) }, "no name"},
		"blank":          {func(d *Draft) error { return d.Add(bare("a b")) }, "blank in name"},
		"colon":          {func(d *Draft) error { return d.Add(bare("a:b")) }, "colon in name"},
		"not UTF-8":      {func(d *Draft) error { return d.Add(bare("a\xff")) }, "UTF-8"},
		"root":           {func(d *Draft) error { return d.Add(with(func(a *account.Account) { a.UID = 0 })) }, "impossible"},
		"gid":            {func(d *Draft) error { return d.Add(with(func(a *account.Account) { a.GID = -2 })) }, "impossible"},
		"quota":          {func(d *Draft) error { return d.Add(with(func(a *account.Account) { a.Quota.Octets = -2 })) }, "negative"},
		"groups":         {func(d *Draft) error { return d.Add(with(func(a *account.Account) { a.Groups = []int{1} })) }, "no place for groups"},
		"NUL":            {func(d *Draft) error { return d.Add(with(func(a *account.Account) { a.Home = "/a\x00" })) }, "NUL"},
		"bad password":   {func(d *Draft) error { return d.SetPassword("ann", "a\nb") }, "control character"},
		"name of 9000 o": {func(d *Draft) error { return d.Add(bare(strings.Repeat("a", 9000))) }, "too long"},
	} {
		if err := Edit(path, tt.do); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	list1(t, path, bare("ann"))
}

func TestCreateAndMissing(t *testing.T) {
	path := newAccounts(t, "ann")
	if err := Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
	list1(t, path, bare("ann"))
	missing := filepath.Join(t.TempDir(), "none")
	_, err := List(missing)
	_, err2 := Open(t.Context(), missing)
	for _, err := range []error{err, err2, Edit(missing, func(*Draft) error { return nil })} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without a file: %v", err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(missing), "*")); len(left) > 0 {
		t.Errorf("made %q", left)
	}
}

// Who comes second waits, and is told that somebody else is at it if that lasts.
func TestEditLocked(t *testing.T) {
	path := newAccounts(t, "ann")
	change(t, path, func(*Draft) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := edit(ctx, path, func(d *Draft) error { return d.Remove("ann") })
		if !errors.Is(err, account.ErrLocked) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("two at once: %v", err)
		}
		return nil
	})
	list1(t, path, bare("ann"))
}
