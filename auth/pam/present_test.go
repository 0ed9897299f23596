//go:build pam && cgo

package pam

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msteinert/pam/v2"

	"lmtpd/auth"
)

// service makes a service of these lines, in a directory of its own.
func service(t *testing.T, lines ...string) *Service {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lmtpd"), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return New(Config{Dir: dir})
}

// script makes a program for pam_exec(8).
func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// A password gets to the modules as it is, and they decide.
func TestPassword(t *testing.T) {
	check := script(t, `[ "$PAM_USER" = ann ] && [ "$PAM_SERVICE" = lmtpd ] && [ "$(tr -d '\000')" = "secret pä: \"\$x" ]`)
	s := service(t, "auth required pam_exec.so quiet expose_authtok "+check, "account required pam_permit.so")
	if err := s.Verify(t.Context(), "ann", `secret pä: "$x`); err != nil {
		t.Errorf("the password of ann: %v", err)
	}
	for user, password := range map[string]string{"ann": "secret", "bob": `secret pä: "$x`} {
		if err := s.Verify(t.Context(), user, password); err == nil {
			t.Errorf("%s with %s is let in", user, password)
		}
	}
}

// What modules say is a refusal where it is about the user, and doubt where something else is wrong.
func TestOutcomes(t *testing.T) {
	const auths, accounts = "auth required pam_debug.so auth=%s", "account required pam_debug.so acct=%s"
	for _, tt := range []struct {
		auth, account string
		refused       bool
	}{
		{"auth_err", "success", true},
		{"user_unknown", "success", true},
		{"maxtries", "success", true},
		{"perm_denied", "success", true},
		{"success", "acct_expired", true},
		{"success", "new_authtok_reqd", true},
		{"success", "perm_denied", true},
		{"success", "auth_err", true},
		{"authinfo_unavail", "success", false},
		{"cred_insufficient", "success", false},
		{"system_err", "success", false},
		{"buf_err", "success", false},
		{"success", "system_err", false},
		{"success", "service_err", false},
	} {
		s := service(t, fmt.Sprintf(auths, tt.auth), fmt.Sprintf(accounts, tt.account))
		if err := s.Verify(t.Context(), "ann", "secret"); err == nil || errors.Is(err, auth.ErrCredentials) != tt.refused {
			t.Errorf("%s, %s: %v", tt.auth, tt.account, err)
		}
	}
	s := service(t, fmt.Sprintf(auths, "success"), fmt.Sprintf(accounts, "success"))
	if err := s.Verify(t.Context(), "ann", "secret"); err != nil {
		t.Errorf("success: %v", err)
	}
}

// A service that is not there, or whose modules are not, lets nobody in.
func TestNoService(t *testing.T) {
	for name, s := range map[string]*Service{
		"no file":   New(Config{Dir: t.TempDir()}),
		"no module": service(t, "auth required pam_not_there.so", "account required pam_permit.so"),
		"empty":     service(t, ""),
		"deny":      service(t, "auth required pam_deny.so", "account required pam_permit.so"),
		"no account": service(t, "auth required pam_permit.so",
			"account required pam_deny.so"),
	} {
		if err := s.Verify(t.Context(), "ann", "secret"); err == nil {
			t.Errorf("%s: ann is let in", name)
		} else if name == "deny" && !errors.Is(err, auth.ErrCredentials) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The password is given once, and a second prompt gets nothing.
func TestAnswers(t *testing.T) {
	h := answers("secret")
	const echoOff, echoOn, errorMsg, textInfo = 1, 2, 3, 4 // pam_appl.h
	for i, tt := range []struct {
		style  int
		answer string
		err    error
	}{
		{textInfo, "", nil}, {errorMsg, "", nil}, {echoOn, "", errConversation}, {echoOff, "secret", nil}, {echoOff, "", errConversation},
	} {
		if got, err := h(pam.Style(tt.style), "?"); got != tt.answer || err != tt.err {
			t.Errorf("%d: %q, %v", i, got, err)
		}
	}
	wants := service(t, "auth required pam_exec.so quiet expose_authtok "+script(t, "true"), "account required pam_permit.so")
	if err := wants.Verify(t.Context(), "ann", "secret"); err != nil {
		t.Errorf("one prompt: %v", err)
	}
}

// A real module that hangs is given up, and its slot is free when it ends.
func TestHangs(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s := service(t, "auth required pam_exec.so quiet "+script(t, "cat "+fifo), "account required pam_permit.so")
	s.patience = 100 * time.Millisecond
	if err := s.Verify(t.Context(), "ann", "secret"); err == nil || errors.Is(err, auth.ErrCredentials) {
		t.Errorf("a module that hangs: %v", err)
	}
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0) // which waits for cat
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	for range cap(s.slots) { // all of them can be had
		s.slots <- struct{}{}
	}
}
