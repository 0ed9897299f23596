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
		if ok && check(password) == nil && !isLocked(stored) && Verify(stored, password) != nil {
			t.Errorf("%q matches, and does not", stored)
		}
	})
}
