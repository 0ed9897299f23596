package passdb

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

func TestRemember(t *testing.T) {
	all := accounts(map[string]string{"ann": costly, "bob": cheap})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	computes := func(what string, want int) {
		t.Helper()
		if got := db.did(); len(got) != want {
			t.Errorf("%s: %d computed, want %d", what, len(got), want)
		}
	}
	for range 3 {
		login(t, db, "ann", "right", "ann@example.org")
	}
	computes("three times within a minute", 1)
	login(t, db, "ANN@example.org", "right", "ann@example.org")
	computes("under another name", 0)
	refused(t, db, "ann", "wrong")
	refused(t, db, "ann", "wrong")
	computes("wrong ones are not remembered", 2)
	db.now = db.now.Add(defaultRemember)
	login(t, db, "ann", "right", "ann@example.org")
	computes("after a minute", 1)
	for range 2 {
		login(t, db, "bob", "right", "bob@example.org")
	}
	computes("what costs nothing", 2)
}

// Who has waited for a connection with the same password does not compute it again.
func TestRememberWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := accounts(map[string]string{"ann": costly})
		db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}, Max: 1})
		finish := make(chan error)
		db.verify = func(string, string) error { return <-finish }
		done := make(chan error)
		for range 3 {
			go func() {
				_, err := db.Verify(context.Background(), "ann", "right")
				done <- err
			}()
		}
		synctest.Wait()
		finish <- nil // once
		for range 3 {
			if err := <-done; err != nil {
				t.Errorf("%v", err)
			}
		}
	})
}

// What has changed with the account counts at once, whatever is remembered.
func TestRememberChanged(t *testing.T) {
	all := accounts(map[string]string{"ann": costly})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	again := func() {
		t.Helper()
		all.set("ann", costly)
		login(t, db, "ann", "right", "ann@example.org")
		db.did()
	}
	again()
	all.put(account.Account{Name: "ann", Password: costly, Disabled: account.Disabled{Login: true}})
	refused(t, db, "ann", "right")
	again()
	all.set("ann", "!"+costly) // and costly is what it is compared with now
	refused(t, db, "ann", "right")
	if got := db.did(); len(got) != 1 {
		t.Errorf("compared with %q", got)
	}
	again()
	delete(all.all, "ann")
	refused(t, db, "ann", "right")
	again()
	all.set("ann", strings.Replace(costly, "KQA8", "KQA9", 1))
	db.verify = func(string, string) error { return password.ErrMismatch }
	refused(t, db, "ann", "right")
}

func TestRememberNothing(t *testing.T) {
	all := accounts(map[string]string{"ann": costly})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}, Remember: -1})
	for range 2 {
		login(t, db, "ann", "right", "ann@example.org")
	}
	if got := db.did(); len(got) != 2 {
		t.Errorf("%d computed", len(got))
	}
}

// However many log in, what is remembered is bounded, and the last ones are.
func TestRememberBounded(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	r := newRecent(time.Minute, func() time.Time { return now })
	name := func(i int) proof { return r.proof(fmt.Sprint(i), "x", "y") }
	for i := range 3 * maxRecent {
		r.add(name(i))
		r.add(name(i))
	}
	if len(r.until) != maxRecent || len(r.order) != maxRecent {
		t.Errorf("%d are remembered, in an order of %d", len(r.until), len(r.order))
	}
	for i := range 3 * maxRecent {
		if got, want := r.has(name(i)), i >= 2*maxRecent; got != want {
			t.Fatalf("the %dth is remembered: %v", i, got)
		}
	}
	told := newTold()
	for i := range 2 * maxRecent {
		if got, want := told.add(name(i)), i < maxRecent; got != want {
			t.Fatalf("the %dth is told: %v", i, got)
		}
	}
}

// A digest of texts is that of no others.
func TestDigest(t *testing.T) {
	seen := map[string]string{}
	for _, texts := range [][]string{{"a", "bc"}, {"ab", "c"}, {"abc"}, {"abc", ""}, {"", "abc"}, {}} {
		sum := string(digest([]byte("key"), texts...))
		if was, twice := seen[sum]; twice {
			t.Errorf("%q is as %s", texts, was)
		}
		seen[sum] = fmt.Sprintf("%q", texts)
	}
}
