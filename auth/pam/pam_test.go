package pam

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
)

// asked is a Service that does not ask PAM.
func asked(cfg Config, ask func(user, password string) error) *Service {
	s := New(cfg)
	s.ask = func(_ *Service, user, password string) error { return ask(user, password) }
	return s
}

// What no user is called, and what is no password, does not get to a module.
func TestVerifyNames(t *testing.T) {
	var users []string
	s := asked(Config{}, func(user, _ string) error {
		users = append(users, user)
		return nil
	})
	good := []string{"ann", "Ann", "a.n-n_1", "host$", "..a", "1000", strings.Repeat("x", maxUser)}
	for _, user := range good {
		if err := s.Verify(t.Context(), user, "secret"); err != nil {
			t.Errorf("%q: %v", user, err)
		}
	}
	if strings.Join(users, " ") != strings.Join(good, " ") {
		t.Errorf("asked about %q", users)
	}
	for user, password := range map[string]string{
		"": "x", "-rf": "x", ".": "x", "..": "x", "a/b": "x", "a b": "x", "a:b": "x", "a\nb": "x", "a\x00": "x", "ä": "x", "a@b": "x", "%u": "x",
		strings.Repeat("x", maxUser+1): "x", "ann": "", "bob": "a\x00b",
	} {
		if err := s.Verify(t.Context(), user, password); !errors.Is(err, auth.ErrCredentials) {
			t.Errorf("%q with %q: %v", user, password, err)
		}
	}
	if len(users) != len(good) {
		t.Errorf("asked about %q", users[len(good):])
	}
}

// What a module says is passed on.
func TestVerifyAnswers(t *testing.T) {
	down := errors.New("not now")
	s := asked(Config{}, func(user, password string) error {
		if user == "ann" && password == "secret" {
			return nil
		}
		return map[string]error{"ann": auth.ErrCredentials, "bob": down}[user]
	})
	for user, want := range map[string]error{"ann": auth.ErrCredentials, "bob": down} {
		if err := s.Verify(t.Context(), user, "wrong"); !errors.Is(err, want) {
			t.Errorf("%s: %v", user, err)
		}
	}
}

// A module that hangs is given up, and keeps its slot until it ends; that all hang is not a refusal.
func TestVerifyHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finish := make(chan error)
		s := asked(Config{Max: 2, Patience: time.Minute}, func(string, string) error { return <-finish })
		for i, want := range []error{nil, nil, ErrBusy, ErrBusy} {
			begun := time.Now()
			err := s.Verify(context.Background(), "ann", "secret")
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, auth.ErrCredentials) || errors.Is(err, ErrBusy) != (want != nil) {
				t.Errorf("%d: %v", i, err)
			}
			if waited := time.Since(begun); waited != time.Minute {
				t.Errorf("%d: waited %s", i, waited)
			}
		}
		finish <- nil
		synctest.Wait()
		answer := make(chan error)
		go func() { answer <- s.Verify(context.Background(), "ann", "secret") }()
		synctest.Wait()
		finish <- nil // one of the two, whichever it is
		finish <- nil
		if err := <-answer; err != nil {
			t.Errorf("with a slot that is free again: %v", err)
		}
	})
}

// Whoever hangs up does not wait.
func TestVerifyCancelled(t *testing.T) {
	finish := make(chan error)
	defer close(finish)
	s := asked(Config{Max: 1}, func(string, string) error { return <-finish })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Verify(ctx, "ann", "secret"); !errors.Is(err, context.Canceled) || errors.Is(err, auth.ErrCredentials) {
		t.Errorf("%v", err)
	}
}
