package password

import (
	"strings"
	"testing"
)

// FuzzVerify does the work only of what is cheap: of what is costly it reads the demands, which must be bounded.
func FuzzVerify(f *testing.F) {
	for _, s := range stored {
		f.Add(s, secret)
	}
	f.Fuzz(func(t *testing.T, stored, password string) {
		s, text, err := parse(stored)
		if err != nil {
			return
		}
		if strings.ContainsAny(text, "$,") {
			parseCrypt(text, password)
			parseSCRAM(text, 20)
			return
		}
		ok, err := s.match(text, password)
		if ok && err != nil {
			t.Errorf("%q matches with %v", stored, err)
		}
		if ok && check(password) == nil && !Locked(stored) && Verify(stored, password) != nil {
			t.Errorf("%q matches, and does not", stored)
		}
	})
}

// FuzzKeys reads what is stored without a password at hand: for its cost, and for the keys of mechanisms.
func FuzzKeys(f *testing.F) {
	for _, s := range stored {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		if c, err := CostOf(stored); err == nil && (c.Way == "" || Locked(stored)) {
			t.Errorf("%q costs %v", stored, c)
		}
		scheme := Scheme(stored)
		if outer, inner, err := CRAMKey(stored); err == nil && (!Permits("CRAM-MD5", scheme) || len(outer) != len(inner)) {
			t.Errorf("%q has a key for CRAM-MD5", stored)
		}
		for _, mechanism := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
			if k, err := SCRAMKey(mechanism, stored); err == nil && (!Permits(mechanism, scheme) || k.Rounds < 1 || len(k.Salt) == 0) {
				t.Errorf("%q has a key for %s: %v", stored, mechanism, k)
			}
		}
		if plain, err := Plain(stored); err == nil && Verify(stored, plain) != nil {
			t.Errorf("%q is stored as it is, and does not match itself", stored)
		}
	})
}
