package system

import (
	"context"
	"errors"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth/account"
)

// asking is a Source that has its users from find.
func asking(find func(string) (account.Account, error)) *Source {
	s := New()
	s.find = find
	return s
}

// Root is there on every host, by whatever address, and so is who runs this.
func TestLookupHost(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"root": "0", "ROOT@example.org": "0", me.Username + "@host.example": me.Uid} {
		a, err := New().Lookup(t.Context(), name)
		if err != nil || strconv.Itoa(a.UID) != want || a.Home == "" || a.Groups == nil || a.Disabled != (account.Disabled{}) {
			t.Errorf("%s is %+v, %v", name, a, err)
		}
	}
	if _, err := New().Lookup(t.Context(), "nobody-is-called-so@example.org"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("an unknown user: %v", err)
	}
}

// What id(1) says of a user is what is found.
func TestLookupLikeID(t *testing.T) {
	for _, name := range []string{"root", "daemon"} {
		out, err := exec.Command("id", "-G", name).Output()
		if err != nil {
			t.Skipf("id(1) does not tell of %s: %v", name, err)
		}
		a, err := New().Lookup(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for text := range strings.FieldsSeq(string(out)) {
			id, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, id)
		}
		got := slices.Clone(a.Groups)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || !slices.Contains(want, a.GID) {
			t.Errorf("%s has groups %v, want %v", name, got, want)
		}
	}
}

// Names that no user can have are not asked for.
func TestNames(t *testing.T) {
	var asked string
	s := asking(func(name string) (account.Account, error) {
		asked = name
		return account.Account{Name: name}, nil
	})
	for name, want := range map[string]string{
		"ann": "ann", "Ann@Example.org": "ann", "1000": "1000", "a.b": "a.b", "a-b": "a-b", "a$": "a$", "zoé": "zoé",
		`dom\ann`: `dom\ann`, "": "", "@example.org": "", "-ann": "", "+": "", "+@example.org": "", "~ann": "", ".": "", "..": "", "...@x": "",
		"a/b": "", "../etc/passwd": "", "a:b": "", "a b": "", "a\x00b": "", "a\nb": "", "\xff": "", "a@b@c": "", `"a@b"@c`: "",
		`"ann"@c`: "", "a,b": "", "a\u200bb": "", strings.Repeat("a", 256): "", strings.Repeat("a", 255): strings.Repeat("a", 255),
	} {
		asked = ""
		_, err := s.Lookup(t.Context(), name)
		if asked != want || (want == "") != errors.Is(err, account.ErrNotFound) {
			t.Errorf("%q asks for %q, %v; want %q", name, asked, err, want)
		}
	}
}

// FuzzLookup: no name brings anything to the host that has a meaning in its files.
func FuzzLookup(f *testing.F) {
	for _, name := range []string{"ann", "a:b", "-x@y", "\"@\"@x", "a\n", "..", "\xff"} {
		f.Add(name)
	}
	s := asking(func(name string) (account.Account, error) {
		if name == "" || strings.ContainsAny(name, "/:,@\"\x00\n\r\t ") || strings.ContainsAny(name[:1], "+-~") {
			panic(name)
		}
		return account.Account{Name: name}, nil
	})
	f.Fuzz(func(t *testing.T, name string) {
		if _, err := s.Lookup(t.Context(), name); err != nil && !errors.Is(err, account.ErrNotFound) {
			t.Fatalf("%q: %v", name, err)
		}
	})
}

// Trouble is doubt.
func TestTrouble(t *testing.T) {
	s := asking(func(string) (account.Account, error) { return account.Account{}, errors.New("LDAP is down") })
	if _, err := s.Lookup(t.Context(), "ann"); err == nil || errors.Is(err, account.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hung := make(chan struct{})
	defer close(hung)
	s = asking(func(string) (account.Account, error) { <-hung; return account.Account{}, account.ErrNotFound })
	if _, err := s.Lookup(ctx, "ann"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A host that does not answer is given up, at most so many goroutines wait for it, and when it answers again so do we.
func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		called := make(chan struct{}, 2*maxLookups)
		s := asking(func(name string) (account.Account, error) {
			called <- struct{}{}
			<-hang
			return account.Account{Name: name}, nil
		})
		for range maxLookups + 3 {
			start := time.Now()
			_, err := s.Lookup(t.Context(), "ann")
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, account.ErrNotFound) || time.Since(start) != patience {
				t.Fatalf("after %v: %v", time.Since(start), err)
			}
		}
		if n := len(called); n != maxLookups {
			t.Errorf("%d ask at once, want %d", n, maxLookups)
		}
		close(hang)
		if a, err := s.Lookup(t.Context(), "ann"); err != nil || a.Name != "ann" {
			t.Errorf("later: %+v, %v", a, err)
		}
		synctest.Wait()
	})
}

func BenchmarkLookup(b *testing.B) {
	s := New()
	for b.Loop() {
		if _, err := s.Lookup(b.Context(), "root@example.org"); err != nil {
			b.Fatal(err)
		}
	}
}
