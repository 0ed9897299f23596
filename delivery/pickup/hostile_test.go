package pickup_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/delivery/pickup"
	"lmtpd/protocol/smtp"
)

const (
	envelope = `{"from":"me@x","recipients":[{"to":"ann@x"}]}` + "\n"
	good     = "lmtpd-drop 1 46 4\n" + envelope + "hi\r\n"
)

// What is planted in the directory holds nothing up and is not looked at for ever; a message beside it is taken.
func TestPlanted(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	for _, test := range []struct {
		name           string
		plant          func(path string) error
		dropped, aside int // of what was planted
		kept           int // besides the one
	}{
		{"a message", write(good), 0, 0, 1},
		{"FIFO", func(path string) error { return unix.Mkfifo(path, 0o666) }, 0, 0, 0},
		{"symbolic link", func(path string) error { return os.Symlink(secret, path) }, 0, 0, 0},
		{"hard link", func(path string) error { return os.Link(secret, path) }, 0, 0, 0},
		{"socket", plantSocket, 0, 0, 0},
		{"empty directory", func(path string) error { return os.Mkdir(path, 0o700) }, 0, 0, 0},
		{"directory", func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) }, 1, 0, 0},
		{"empty file", write(""), 0, 1, 0},
		{"half a line", write("lmtpd-drop"), 0, 1, 0},
		{"another version", write(strings.Replace(good, "1", "2", 1)), 0, 1, 0},
		{"cut off", write(good[:len(good)-1]), 0, 1, 0},
		{"more than there should be", write(good + "x"), 0, 1, 0},
		{"negative", write("lmtpd-drop 1 -1 4\n"), 0, 1, 0},
		{"huge envelope", write("lmtpd-drop 1 2000000000 4\n"), 0, 1, 0},
		{"huge content", write("lmtpd-drop 1 1 99999999999999999999\n"), 0, 1, 0},
		{"sum that wraps", write("lmtpd-drop 1 46 4611686018427387903\n" + envelope), 0, 1, 0},
		{"no JSON", write("lmtpd-drop 1 2 0\n{\n"), 0, 1, 0},
		{"two envelopes", write(fmt.Sprintf("lmtpd-drop 1 %d 0\n%s%s", 2*len(envelope), envelope, envelope)), 0, 1, 0},
		{"no recipients", write("lmtpd-drop 1 3 0\n{}\n"), 0, 1, 0},
		{"sparse file", func(path string) error { return os.Truncate(path, 1<<40) }, 0, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t)
			path := filepath.Join(p.cfg.Dir, "x")
			if test.name == "sparse file" {
				if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := test.plant(path); err != nil {
				t.Skip(err) // the file system has no such thing
			}
			p.drop(t, to("bob"), letter)
			for range 3 {
				p.round(t)
			}
			dropped, aside := p.left(t)
			if dropped != test.dropped || aside != test.aside || len(p.kept) != 1+test.kept {
				t.Errorf("kept %q, left %d, aside %d\n%s", p.kept, dropped, aside, p.log.String())
			}
			if n := strings.Count(p.log.String(), "file=x "); n > 1 {
				t.Errorf("looked at %d times\n%s", n, p.log.String())
			}
		})
	}
}

// plantSocket binds in the directory, since the whole path may be too long for a socket.
func plantSocket(path string) error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	return l.Close()
}

// What sendmail was killed over is let alone until it is old.
func TestUnfinished(t *testing.T) {
	p := newPlace(t)
	path := filepath.Join(p.cfg.Dir, ".begun")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	p.round(t)
	if dropped, _ := p.left(t); dropped != 1 || len(p.kept) != 0 {
		t.Errorf("left %d, kept %q", dropped, p.kept)
	}
	p.now = p.now.Add(49 * time.Hour)
	p.round(t)
	if dropped, aside := p.left(t); dropped+aside != 0 || len(p.kept) != 0 {
		t.Errorf("left %d, aside %d, kept %q", dropped, aside, p.kept)
	}
}

// Thousands of messages are all taken, by a round that remembers few of their names.
func TestMany(t *testing.T) {
	p := newPlace(t)
	for i := range 2000 {
		if err := os.WriteFile(filepath.Join(p.cfg.Dir, fmt.Sprint(i)), []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.round(t)
	if dropped, aside := p.left(t); dropped+aside != 0 || len(p.kept) != 2000 {
		t.Errorf("left %d, aside %d, kept %d", dropped, aside, len(p.kept))
	}
}

// A directory that somebody else may have prepared is not trusted.
func TestOpenRefuses(t *testing.T) {
	p := newPlace(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(p.cfg.Dir, link); err != nil {
		t.Fatal(err)
	}
	cfg := p.cfg
	cfg.Dir = link
	if _, err := pickup.Open(cfg); err == nil {
		t.Error("a symbolic link was opened")
	}
	cfg.Dir = filepath.Join(link, "..", "none", "drop")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Dir = file
	if _, err := pickup.Open(cfg); err == nil {
		t.Error("a file was opened")
	}
}

// What cannot be dropped leaves nothing behind, and does not make the directory.
func TestDropRefuses(t *testing.T) {
	p := newPlace(t)
	if err := pickup.Drop(filepath.Join(p.cfg.Dir, "none"), to("ann"), strings.NewReader(letter)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	for name, env := range map[string]*smtp.Envelope{
		"no recipients": to(),
		"a local part":  to("a\nb"),
		"an address":    {Recipients: []smtp.Recipient{{To: smtp.Path{Local: "ünn", Domain: "x"}}}},
	} {
		if err := pickup.Drop(p.cfg.Dir, env, strings.NewReader(letter)); err == nil {
			t.Errorf("%s: dropped", name)
		}
	}
	if dropped, _ := p.left(t); dropped != 0 {
		t.Errorf("%d files", dropped)
	}
}

// FuzzFile takes any file: nothing panics, and only whole messages are handed on.
func FuzzFile(f *testing.F) {
	for _, s := range []string{good, "", "lmtpd-drop 1 3 0\n{}\n", "lmtpd-drop 1 46 6\n" + envelope + "a\nb\r\n", strings.Replace(good, "ann@x", "450@x", 1)} {
		f.Add([]byte(s))
	}
	p := newPlace(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p.kept = nil
		if err := os.WriteFile(filepath.Join(p.cfg.Dir, "x"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		p.round(t)
		for _, text := range p.kept {
			if !strings.HasSuffix(string(b), text) {
				t.Errorf("%q of %q", text, b)
			}
		}
		p.now = p.now.Add(6 * 24 * time.Hour) // what is deferred is given back
		p.round(t)
		if dropped, _ := p.left(t); dropped != 0 {
			t.Errorf("%q stays: %s", b, p.log.String())
		}
		p.log.Reset()
		os.RemoveAll(filepath.Join(p.cfg.Aside, "x"))
	})
}
