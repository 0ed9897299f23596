package relay

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestASCIIHeader(t *testing.T) {
	long := strings.Repeat("X: "+strings.Repeat("y", 70)+"\r\n", 200)
	for text, want := range map[string]bool{
		"":                                      true,
		"Subject: hi\r\n":                       true,
		"Subject: hi\r\n\r\né":                  true,
		"Subject: hi\n\né":                      true,
		"\r\né":                                 true,
		"Subject: é\r\n\r\n":                    false,
		"Subject: \xff\r\n\r\n":                 false,
		"é":                                     false,
		long + "\r\né":                          true,
		long + "X: é\r\n\r\n":                   false,
		strings.Repeat("x", 4095) + "\r\n\r\né": true,
		strings.Repeat("x", 4094) + "\r\n\r\né": true,
		strings.Repeat("x", 4093) + "\r\n\r\né": true,
		strings.Repeat("x", 4092) + "\r\n\r\né": true,
		strings.Repeat("x", 4095) + "\r\né\r\n\r\n": false,
	} {
		if got, err := asciiHeader(content(text)); got != want || err != nil {
			t.Errorf("%.40q, %d octets: %v, %v", text, len(text), got, err)
		}
	}
}

var errDisk = errors.New("disk on fire")

// A broken content cannot be read.
type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errDisk }
func (broken) Size() int64                       { return 9 }

func TestASCIIHeaderFails(t *testing.T) {
	if _, err := asciiHeader(broken{}); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}

// The header is what stands before the first empty line.
func FuzzASCIIHeader(f *testing.F) {
	f.Add("a: b\r\n\r\né")
	f.Add("a\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		want := true
		for line := range strings.Lines(text) {
			if line == "\r\n" || line == "\n" {
				break
			}
			want = want && !strings.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf })
		}
		if got, err := asciiHeader(content(text)); got != want || err != nil {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	})
}
