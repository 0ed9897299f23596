package account

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

// A file with names that the host cannot tell is not taken, and tried again until it can, though it does not change.
func TestHostTrouble(t *testing.T) {
	down := false
	asked := 0
	find := func(string, string) (int, error) {
		asked++
		if down {
			return 0, fmt.Errorf("%w: LDAP is down", ErrUntold)
		}
		return 41, nil
	}
	b := openWith(t, "ann::vmail\n", find)
	down = true
	b.put("ann::vmail\nbob::vmail\n")
	b.pass(time.Second)
	for range 4 {
		b.has("ann", "!bob", "!carl")
		b.pass(time.Second)
	}
	b.said("LDAP is down", 1)
	if asked != 5 {
		t.Errorf("the host was asked %d times, not once a reading", asked)
	}
	down = false
	b.has("ann", "bob", "-carl")
	b.said("accounts read", 1)

	down = true
	b.pass(time.Second)
	b.write("ann::vmail\nbob::vmail\ncarl::vmail\n") // and within the second in which it could change unseen
	b.has("ann", "?carl")
	down = false
	b.pass(time.Second)
	b.has("carl", "-dave")

	down = true
	_, err := OpenFile(FileConfig{Path: b.path, Now: b.now, Log: slog.New(slog.DiscardHandler), find: find})
	var bad Mistakes
	if !errors.Is(err, ErrUntold) || errors.As(err, &bad) {
		t.Errorf("at the start: %v", err)
	}
}

// What ends the doubt is a file that is taken, or the one that was.
func TestDoubtEnds(t *testing.T) {
	b := open(t, "ann\n")
	before := b.path + ".before"
	if err := os.Link(b.path, before); err != nil {
		t.Fatal(err)
	}
	b.put("ann\ndave\ncarl::0\n")
	b.pass(time.Second)
	b.has("ann", "!dave", "!eve")
	_, err := b.Lookup(t.Context(), "dave")
	if err == nil || !strings.Contains(err.Error(), b.path+":3: uid is impossible") {
		t.Errorf("dave: %v", err)
	}
	if err := os.Rename(before, b.path); err != nil { // the very file, of that time
		t.Fatal(err)
	}
	b.pass(time.Second)
	b.has("ann", "-dave", "-eve")

	b.put("ann\n:\n")
	b.pass(time.Second)
	b.has("!dave")
	b.put("ann\n") // the same text, of another time
	b.pass(time.Second)
	b.has("ann", "-dave")
}

// A file that was refused, vanishes and comes back is refused still.
func TestRefusedComesBack(t *testing.T) {
	b := open(t, "ann\n")
	b.put("ann\nbob\n:\n")
	b.pass(time.Second)
	b.has("ann", "!bob")
	b.said("mistakes=1", 1)
	away := b.path + ".away"
	for _, names := range [][2]string{{b.path, away}, {away, b.path}} {
		if err := os.Rename(names[0], names[1]); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			b.pass(time.Second)
			b.has("ann", "!bob")
		}
	}
	b.said("mistakes=1", 1)
	b.put("ann\nbob\n")
	b.pass(time.Second)
	b.has("ann", "bob", "-carl")
}

func TestKeepsWhenItVanishes(t *testing.T) {
	b := open(t, "ann\n")
	away := b.path + ".away"
	if err := os.Rename(b.path, away); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		b.pass(time.Second)
		b.has("ann", "!bob")
	}
	b.said("accounts stay as they were", 1)
	if err := os.Rename(away, b.path); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Second)
	b.has("ann", "-bob")
	b.said("back", 1)
	if err := os.Remove(b.path); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Second)
	b.has("ann")
	b.said("accounts stay as they were", 1)
	b.put("ann\nbob\n")
	b.pass(time.Second)
	b.has("ann", "bob")
}

func TestKeepsWhenItIsNoFile(t *testing.T) {
	b := open(t, "ann\n")
	if err := errors.Join(os.Remove(b.path), os.Mkdir(b.path, 0o700)); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		b.pass(time.Second)
		b.has("ann", "!bob")
	}
	b.said("is not a regular file", 1)
}
