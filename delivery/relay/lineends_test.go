package relay

import (
	"bytes"
	"io"
	"regexp"
	"testing"
	"testing/iotest"
)

var strayCR = regexp.MustCompile(`\r([^\n]|$)`)

// However it is read, nothing but a CR alone is changed.
func FuzzWireReader(f *testing.F) {
	for _, s := range []string{"a\r\nb\r\n", "\r", "\r\r\n\r", "a\n\rb\r\r\r\nc"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, err := io.ReadAll(newWireReader(bytes.NewReader(in)))
		if err != nil || len(whole) != len(in) || strayCR.Match(whole) {
			t.Fatalf("%q becomes %q, %v", in, whole, err)
		}
		for i := range in {
			stray := in[i] == '\r' && (i+1 == len(in) || in[i+1] != '\n')
			if whole[i] != in[i] && !(stray && whole[i] == ' ') {
				t.Fatalf("%q becomes %q", in, whole)
			}
		}
		if pieces, err := io.ReadAll(iotest.OneByteReader(newWireReader(iotest.HalfReader(bytes.NewReader(in))))); err != nil || !bytes.Equal(pieces, whole) {
			t.Errorf("%q becomes %q and, in pieces, %q, %v", in, whole, pieces, err)
		}
	})
}
