package textfile

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCheckLine(t *testing.T) {
	tests := []struct{ name, line, allowed, want string }{
		{"empty", "", "", ""},
		{"text", "ann: jürgen", "", ""},
		{"the longest", strings.Repeat("x", MaxLine), "", ""},
		{"too long", strings.Repeat("x", MaxLine+1), "", "too long"},
		{"not UTF-8", "a\xff", "", "not UTF-8"},
		{"NUL", "a\x00", "\x01", "NUL in column 2"},
		{"control", "a\tb", "", "control character 0x09 in column 2"},
		{"control that is allowed", "a\tb", "\t", ""},
	}
	for _, tt := range tests {
		err := CheckLine(tt.line, tt.allowed)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestCutEnd(t *testing.T) {
	for _, tt := range [][3]string{{"a\n", "a", "\n"}, {"a\r\n", "a", "\r\n"}, {"a", "a", ""}, {"a\r", "a\r", ""}, {"\n", "", "\n"}} {
		if text, end := CutEnd(tt[0]); text != tt[1] || end != tt[2] {
			t.Errorf("%q is cut into %q and %q", tt[0], text, end)
		}
	}
}

// words are the content of files in these tests.
type words []string

func (w words) Len() int { return len(w) }

func TestOpenErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(path, []byte("one two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	parse := func(err error) func(*Reading, string) (words, error) {
		return func(_ *Reading, text string) (words, error) { return strings.Fields(text), err }
	}
	tests := []struct {
		name string
		cfg  Config[words]
		want string
	}{
		{"none", Config[words]{Path: path, Parse: parse(nil)}, ""},
		{"as large as it may be", Config[words]{Path: path, Parse: parse(nil), Max: 8}, ""},
		{"larger", Config[words]{Path: path, Parse: parse(nil), Max: 7}, "read words: " + path + " has 8 octets, more than 7"},
		{"mistakes", Config[words]{Path: path, Parse: parse(Mistakes{{path, 3, "wrong"}})}, path + ":3: wrong"},
		{"what is no mistake", Config[words]{Path: path, Parse: parse(failed)}, "read words: failed"},
		{"no file", Config[words]{Path: path + ".no", Parse: parse(nil)}, "read words: stat " + path + ".no: no such file or directory"},
	}
	for _, tt := range tests {
		tt.cfg.Name, tt.cfg.Now, tt.cfg.Log = "words", time.Now, slog.New(slog.DiscardHandler)
		f, err := Open(tt.cfg)
		if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if err != nil {
			continue
		}
		if got, err := f.Content(t.Context()); err != nil || got.Len() != 2 {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
}
