package token

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"lmtpd/auth"
)

// An issuer publishes keys, or does not.
type issuer struct {
	mu    sync.Mutex
	code  int
	text  []byte
	asked int
	gate  chan struct{} // nil: it answers at once
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	i.asked++
	code, text, gate := i.code, i.text, i.gate
	i.mu.Unlock()
	if gate != nil {
		<-gate
	}
	w.WriteHeader(code)
	_, _ = w.Write(text)
}

func (i *issuer) publish(code int, text []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.code, i.text = code, text
}

// A book is a log to look at.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) count(what string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), what)
}

// A remote is a JWT with an issuer at a URL.
type remote struct {
	*JWT
	*issuer
	*clock
	book book
}

func newRemote(t *testing.T) *remote {
	t.Helper()
	r := &remote{issuer: &issuer{code: 200, text: jwks(t, jwk(t, "1", signers()[jose.ES256], nil))}, clock: newClock()}
	s := httptest.NewServer(r.issuer)
	t.Cleanup(s.Close)
	tm := terms()
	tm.Member = "sub"
	j, err := NewJWT(JWTConfig{URL: s.URL + "/jwks?api=hush", Terms: tm, Now: r.now, Log: slog.New(slog.NewTextHandler(&r.book, nil))})
	if err != nil {
		t.Fatal(err)
	}
	r.JWT = j
	return r
}

// sent makes a token with a key and its ID that is good for a day.
func sent(t *testing.T, k crypto.Signer, id string) string {
	t.Helper()
	head := object{"kid": id}
	if id == "" {
		head = nil
	}
	return signWith(t, jose.ES256, k, head, marshal(t, claimsOf(object{"exp": instant.Add(24 * time.Hour).Unix()})))
}

func (r *remote) expect(t *testing.T, asked int) {
	t.Helper()
	r.issuer.mu.Lock()
	defer r.issuer.mu.Unlock()
	if r.asked != asked {
		t.Errorf("asked %d times, want %d", r.asked, asked)
	}
}

func checkUntold(t *testing.T, tokens auth.Tokens, token string) {
	t.Helper()
	name, err := tokens.Token(t.Context(), token)
	if name != "" || err == nil || errors.Is(err, auth.ErrCredentials) {
		t.Errorf("the name is %q, %v, want that it could not be told", name, err)
	}
	if err != nil && strings.Contains(err.Error(), "hush") {
		t.Errorf("the error has a secret in it: %v", err)
	}
	checkSecret(t, err, token)
}

// settle waits for the look that is under way.
func (k *keyring) settle() {
	k.mu.Lock()
	l := k.look
	k.mu.Unlock()
	if l != nil {
		<-l.done
	}
}

const sub = "248289761001"

// Keys that come anew are looked for when a token is signed with one, once a minute.
func TestRotation(t *testing.T) {
	r, first, second := newRemote(t), signers()[jose.ES256], otherES256()
	r.expect(t, 0)
	check(t, r, sent(t, first, "1"), sub, "")
	check(t, r, sent(t, first, "1"), sub, "")
	check(t, r, sent(t, second, "1"), "", "the signature does not fit")
	r.expect(t, 1)

	r.publish(200, jwks(t, jwk(t, "1", first, nil), jwk(t, "2", second, nil)))
	r.pass(59 * time.Second)
	check(t, r, sent(t, second, "2"), "", `not the issuer's: "2"`)
	r.expect(t, 1)
	r.pass(time.Second)
	check(t, r, sent(t, second, "2"), sub, "")
	check(t, r, sent(t, first, "1"), sub, "")
	check(t, r, sent(t, second, "3"), "", `not the issuer's: "3"`)
	r.expect(t, 2)
	if n := r.book.count("token keys read"); n != 2 {
		t.Errorf("told %d times that keys were read", n)
	}
}

// Where tokens do not name their keys, too.
func TestRotationWithoutNames(t *testing.T) {
	r, first, second := newRemote(t), signers()[jose.ES256], otherES256()
	check(t, r, sent(t, first, ""), sub, "")
	r.publish(200, jwks(t, jwk(t, "2", second, nil)))
	check(t, r, sent(t, second, ""), "", "the signature does not fit")
	r.pass(time.Minute)
	check(t, r, sent(t, second, ""), sub, "")
	check(t, r, sent(t, first, ""), "", "the signature does not fit")
	r.expect(t, 2)
}

// A key that is no longer published is taken for an hour at most; nobody waits for the look that finds it out.
func TestWithdrawn(t *testing.T) {
	r, first, second := newRemote(t), signers()[jose.ES256], otherES256()
	check(t, r, sent(t, first, "1"), sub, "")
	r.publish(200, jwks(t, jwk(t, "2", second, nil)))
	gate := make(chan struct{})
	r.gate = gate
	r.pass(time.Hour)
	check(t, r, sent(t, first, "1"), sub, "")
	close(gate)
	r.keys.settle()
	r.expect(t, 2)
	check(t, r, sent(t, first, "1"), "", `not the issuer's: "1"`)
	check(t, r, sent(t, second, "2"), sub, "")
	r.expect(t, 2)
}

// As long as the issuer has no keys for us, those that are known are kept, and of others it cannot be told.
func TestUnreachable(t *testing.T) {
	first, second := signers()[jose.ES256], otherES256()
	answers := []struct {
		name, text string
		code       int
	}{
		{"trouble", "", 500},
		{"a page", "<html>", 200},
		{"no keys", `{"keys":[]}`, 200},
		{"no keys that can be used", `{"keys":[{"kty":"oct","k":"AAAA"}]}`, 200},
		{"too much", `{"keys":[],"x":"` + strings.Repeat("x", maxKeySet) + `"}`, 200},
	}
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			r := newRemote(t)
			r.publish(a.code, []byte(a.text))
			checkUntold(t, r, sent(t, first, "1"))
			checkUntold(t, r, sent(t, first, "1"))
			r.expect(t, 1)
			r.pass(5 * time.Second)
			checkUntold(t, r, sent(t, first, "1"))
			r.expect(t, 2)

			r.publish(200, jwks(t, jwk(t, "1", first, nil)))
			r.pass(5 * time.Second)
			check(t, r, sent(t, first, "1"), sub, "")
			r.publish(a.code, []byte(a.text))
			r.pass(time.Hour)
			check(t, r, sent(t, first, "1"), sub, "")
			r.keys.settle()
			checkUntold(t, r, sent(t, second, "2"))
			checkUntold(t, r, sent(t, second, ""))
			check(t, r, sent(t, second, "1"), "", "the signature does not fit")
			r.expect(t, 4)
			if n := r.book.count("token keys cannot be had"); n != 2 {
				t.Errorf("told %d times that keys cannot be had, want once each time", n)
			}
			if r.book.count("hush") != 0 {
				t.Error("the log has a secret in it")
			}

			r.publish(200, jwks(t, jwk(t, "1", first, nil)))
			r.pass(5 * time.Second)
			check(t, r, sent(t, second, "2"), "", `not the issuer's: "2"`)
			if n := r.book.count("token keys are back"); n != 1 {
				t.Errorf("told %d times that keys are back", n)
			}
		})
	}
}

// Many who come at once wait for one look.
func TestOneLook(t *testing.T) {
	r, token := newRemote(t), sent(t, signers()[jose.ES256], "1")
	gate := make(chan struct{})
	r.gate = gate
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { check(t, r, token, sub, "") })
	}
	close(gate)
	wg.Wait()
	r.expect(t, 1)
}

// A source that panics is one that cannot be read.
func TestPanic(t *testing.T) {
	r := newRemote(t)
	r.keys.from = broken{}
	checkUntold(t, r, sent(t, signers()[jose.ES256], "1"))
	if n := r.book.count("panic"); n == 0 {
		t.Error("the log does not tell of it")
	}
}

type broken struct{ keyURL }

func (broken) String() string { return "broken" }

func (broken) load(context.Context, *keySet) (*keySet, error) { panic("broken") }

// A local is a JWT with the keys in a file.
type local struct {
	*JWT
	*clock
	path string
	book book
}

func newLocal(t *testing.T) *local {
	t.Helper()
	l := &local{clock: newClock(), path: filepath.Join(t.TempDir(), "jwks.json")}
	l.write(t, jwks(t, jwk(t, "1", signers()[jose.ES256], nil)))
	tm := terms()
	tm.Member = "sub"
	j, err := NewJWT(JWTConfig{File: l.path, Terms: tm, Now: l.now, Log: slog.New(slog.NewTextHandler(&l.book, nil))})
	if err != nil {
		t.Fatal(err)
	}
	l.JWT = j
	return l
}

// write changes the file, at the time that the clock has.
func (l *local) write(t *testing.T, text []byte) {
	t.Helper()
	if err := os.WriteFile(l.path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(l.path, l.now(), l.now()); err != nil {
		t.Fatal(err)
	}
}

// A file is looked at once a second, and whoever comes then has what it says.
func TestFile(t *testing.T) {
	l, first, second := newLocal(t), signers()[jose.ES256], otherES256()
	check(t, l, sent(t, first, "1"), sub, "")
	check(t, l, sent(t, second, "2"), "", `not the issuer's: "2"`)
	l.write(t, jwks(t, jwk(t, "2", second, nil)))
	check(t, l, sent(t, first, "1"), sub, "")
	l.pass(time.Second)
	check(t, l, sent(t, first, "1"), "", `not the issuer's: "1"`)
	check(t, l, sent(t, second, "2"), sub, "")
}

// A change that leaves size and time as they were is seen, if it comes just after the one before.
func TestYoungFile(t *testing.T) {
	l, first, second := newLocal(t), signers()[jose.ES256], otherES256()
	changed := instant
	l.write(t, jwks(t, jwk(t, "2", second, nil)))
	if err := os.Chtimes(l.path, changed, changed); err != nil {
		t.Fatal(err)
	}
	l.pass(time.Second)
	check(t, l, sent(t, second, "2"), sub, "")
	check(t, l, sent(t, first, "1"), "", "not the issuer's")
}

// A file that is again what it was is taken again.
func TestFileComesBack(t *testing.T) {
	l, first, second := newLocal(t), signers()[jose.ES256], otherES256()
	before := jwks(t, jwk(t, "1", first, nil))
	l.pass(time.Hour) // what was written an hour ago need not be read again
	check(t, l, sent(t, first, "1"), sub, "")
	l.pass(time.Hour)
	l.write(t, jwks(t, jwk(t, "2", second, nil)))
	check(t, l, sent(t, second, "2"), sub, "")
	l.write(t, before)
	if err := os.Chtimes(l.path, instant, instant); err != nil {
		t.Fatal(err)
	}
	l.pass(time.Second)
	check(t, l, sent(t, first, "1"), sub, "")
	check(t, l, sent(t, second, "2"), "", "not the issuer's")
}

// What is not a set of keys does not take the place of one.
func TestBrokenFile(t *testing.T) {
	l, first, second := newLocal(t), signers()[jose.ES256], otherES256()
	whole := jwks(t, jwk(t, "1", first, nil), jwk(t, "2", second, nil))
	breaks := []struct {
		name string
		told int // times that keys cannot be had, so far: once for each cause
		do   func()
	}{
		{"half of one", 1, func() { l.write(t, whole[:len(whole)/2]) }},
		{"empty", 1, func() { l.write(t, nil) }},
		{"too large", 2, func() { l.write(t, append(bytes.Repeat([]byte(" "), maxKeySet), whole...)) }},
		{"gone", 3, func() { _ = os.Remove(l.path) }},
		{"a directory", 4, func() { _ = os.Mkdir(l.path, 0o700) }},
	}
	for _, b := range breaks {
		b.do()
		for range 3 {
			l.pass(time.Second)
			check(t, l, sent(t, first, "1"), sub, "")
			checkUntold(t, l, sent(t, second, "2"))
		}
		if got := l.book.count("token keys cannot be had"); got != b.told {
			t.Errorf("%s: told %d times that keys cannot be had, want %d", b.name, got, b.told)
		}
	}
	if err := os.Remove(l.path); err != nil {
		t.Fatal(err)
	}
	l.write(t, whole)
	l.pass(time.Second)
	check(t, l, sent(t, second, "2"), sub, "")
	for range 5 {
		l.pass(time.Hour)
		if _, err := l.keys.current(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if n := l.book.count("token keys read"); n != 1 {
		t.Errorf("told %d times that keys were read", n)
	}
}
