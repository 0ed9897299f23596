package passdb

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
	"lmtpd/auth/password"
)

// As many hashes are computed at once as may be, of accounts and of names without one.
func TestMax(t *testing.T) {
	all := accounts(map[string]string{"ann": costly})
	synctest.Test(t, func(t *testing.T) {
		db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}, Max: 2, Wait: time.Hour})
		running, finish := make(chan string, 10), make(chan error)
		db.verify = func(stored, _ string) error {
			running <- stored
			return <-finish
		}
		done := make(chan error, 5)
		for i := range 5 {
			go func() {
				_, err := db.Verify(context.Background(), []string{"ann", "nobody"}[i%2], "x")
				done <- err
			}()
		}
		for left := 5; left > 0; left-- {
			synctest.Wait()
			if got, want := len(running), min(left, 2); got != want {
				t.Fatalf("%d are computed at once with %d to go, want %d", got, left, want)
			}
			<-running
			finish <- password.ErrMismatch
			if err := <-done; !errors.Is(err, auth.ErrCredentials) {
				t.Errorf("%v", err)
			}
		}
	})
}

// Whoever waits too long is told that it could not be told, and whoever gives up waits no longer.
func TestBusy(t *testing.T) {
	all := accounts(map[string]string{"ann": costly, "pat": "{PLAIN}secret"})
	synctest.Test(t, func(t *testing.T) {
		db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}, Max: 1, Wait: 10 * time.Second})
		finish := make(chan error)
		db.verify = func(string, string) error { return <-finish }
		first := make(chan error)
		go func() {
			_, err := db.Verify(context.Background(), "ann", "x")
			first <- err
		}()
		synctest.Wait()
		begun := time.Now()
		for _, name := range []string{"ann", "nobody"} {
			_, err := db.Verify(context.Background(), name, "x")
			if !errors.Is(err, ErrBusy) || errors.Is(err, auth.ErrCredentials) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if waited := time.Since(begun); waited != 20*time.Second {
			t.Errorf("waited %s", waited)
		}
		for _, name := range []string{"pat", "nobody"} { // a key that is derived is work, too
			if _, err := db.Key(context.Background(), name, "SCRAM-SHA-1"); !errors.Is(err, ErrBusy) {
				t.Errorf("key of %s: %v", name, err)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := db.Verify(ctx, "ann", "x"); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrBusy) {
			t.Errorf("given up: %v", err)
		}
		finish <- nil
		if err := <-first; err != nil {
			t.Errorf("the first: %v", err)
		}
	})
}
