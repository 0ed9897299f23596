//go:build !pam || !cgo

package pam

import (
	"errors"
	"testing"

	"lmtpd/auth"
)

// Without PAM nobody is refused and nobody is let in, and the error says what is missing.
func TestAbsent(t *testing.T) {
	err := New(Config{}).Verify(t.Context(), "ann", "secret")
	if Built || !errors.Is(err, ErrAbsent) || errors.Is(err, auth.ErrCredentials) {
		t.Errorf("built with it: %v, and %v", Built, err)
	}
}
