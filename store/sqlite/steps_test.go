//go:build cgo

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"lmtpd/store"
)

// faults are what can be wrong with a step, and whether that is a full disk.
var faults = []struct {
	error
	full bool
}{
	{errFault, false},
	{sqlite3.Error{Code: sqlite3.ErrBusy}, false},
	{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EIO}, false},
	{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.ENOSPC}, true},
	{sqlite3.Error{Code: sqlite3.ErrFull}, true},
	{sqlite3.Error{Code: sqlite3.ErrCorrupt}, false},
	{context.DeadlineExceeded, false},
}

// A step that fails once fails nobody: what could not be done together is done one by one. One that goes on failing fails its
// own delivery, leaves nothing of it, and the next works.
func TestFaults(t *testing.T) {
	steps := map[string]bool{}
	s := openTemp(t)
	s.fault = func(step string) error { steps[step] = true; return nil }
	large := strings.Repeat("0123456789abcdef", 2*maxWhole/16+1)
	deliver := func(n int, text string) []error {
		return s.Deliver(t.Context(), strings.NewReader(fmt.Sprint(n, text)), []store.Placement{
			{Mailbox: store.Mailbox{Name: fmt.Sprintf("a%d@example.org", n)}, Folder: "Work"},
			{Mailbox: store.Mailbox{Name: fmt.Sprintf("b%d@example.org", n)}},
		})
	}
	for _, text := range []string{"x", large} {
		if err := errors.Join(deliver(0, text)...); err != nil {
			t.Fatal(err)
		}
	}
	setFault := func(fault func(step string) error) {
		writerOf(t, s).Wait() // what was written ahead for nothing goes after the reply
		s.fault = fault
	}
	n := 0
	for step := range steps {
		for _, text := range []string{"x", large} {
			n++
			times := 0
			setFault(func(now string) error {
				if now == step {
					times++
				}
				if now == step && times == 1 {
					return errFault
				}
				return nil
			})
			errs := deliver(n, text)
			if text == "x" && errors.Join(errs...) != nil {
				t.Errorf("%s fails once: %v", step, errs)
			}
			for _, fault := range faults {
				n++
				setFault(func(now string) error {
					if now == step {
						return fault.error
					}
					return nil
				})
				errs = deliver(n, text)
				setFault(nil)
				for i, box := range []string{"a%d@example.org", "b%d@example.org"} {
					m := store.Mailbox{Name: fmt.Sprintf(box, n)}
					held := len(texts(t, s, m, []string{"Work", ""}[i]))
					if (errs[i] == nil) != (held == 1) || errs[i] != nil && !errors.Is(errs[i], fault.error) {
						t.Errorf("%s: %v, and %d messages are there", step, errs[i], held)
					}
					if errs[i] != nil && (errors.Is(errs[i], store.ErrFull) != fault.full || isAnswer(errs[i])) {
						t.Errorf("%s: %v is taken for something else", step, errs[i])
					}
				}
				if len(text) > 1 {
					break // and the other faults with what is short
				}
			}
			sound(t, s)
		}
	}
	if n < 20 {
		t.Errorf("only %d deliveries: %v", n, steps)
	}
	if err := errors.Join(deliver(n+1, "x")...); err != nil {
		t.Errorf("after all: %v", err)
	}
}
