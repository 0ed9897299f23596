package srs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery/srs"
	"lmtpd/protocol/smtp"
)

// A clock stands still until it is set.
type clock struct{ now time.Time }

func newRewriter(t testing.TB, c *clock, domain string, secrets ...string) *srs.Rewriter {
	t.Helper()
	r, err := srs.New(srs.Config{Domain: domain, Secrets: secrets, Now: func() time.Time { return c.now }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func path(t testing.TB, s string) smtp.Path {
	t.Helper()
	p, _, err := smtp.ParsePath("<"+s+">", smtp.UTF8)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return p
}

func start() *clock { return &clock{time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)} }

func TestForward(t *testing.T) {
	r := newRewriter(t, start(), "forwarder.example", "tops3cret")
	long := strings.Repeat("l", 880) + "@example.org"
	for in, want := range map[string]string{
		// As postsrsd 1.10 rewrote them on that day.
		"ann@example.org":                   "SRS0=gMPl=JR=example.org=ann@forwarder.example",
		"Ann=B@Example.ORG":                 "SRS0=14cn=JR=Example.ORG=Ann=B@forwarder.example",
		"SRS0=x=y=z=ann@first.example":      "SRS1=I/EB=first.example==x=y=z=ann@forwarder.example",
		"srs0+x=y=z=ann@first.example":      "SRS1=dMgx=first.example=+x=y=z=ann@forwarder.example",
		"SRS1=x=first.example==h=t=z=a@two": "SRS1=FOI0=first.example==h=t=z=a@forwarder.example",
		// It has no quoted local-parts, and refuses what only looks rewritten.
		`"a b"@example.org`:   `"SRS0=kDls=JR=example.org=a b"@forwarder.example`,
		"SRS1=x=first@two":    "SRS0=7W6g=JR=two=SRS1=x=first@forwarder.example",
		"SRS0ann@example.org": "SRS0=+LGd=JR=example.org=SRS0ann@forwarder.example",
		// These stay.
		"ann@Forwarder.Example": "ann@Forwarder.Example",
		"":                      "",
		"postmaster":            "postmaster",
		long:                    long,
	} {
		if got := r.Forward(path(t, in)).String(); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}

func TestReverse(t *testing.T) {
	c := start()
	r := newRewriter(t, c, "forwarder.example", "tops3cret")
	for _, in := range []string{"ann@example.org", `"a@b \" c"@example.org`, "a=b=@[127.0.0.1]", "Ünï@exämple.org", `""@x`, "SRS0@x", "SRS0=a=b=c=d@first"} {
		p := path(t, in)
		for _, change := range []func(string) string{strings.Clone, asciiLower, asciiUpper} {
			q := r.Forward(p)
			q.Local, q.Domain = change(q.Local), change(q.Domain)
			got, err := r.Reverse(q)
			if err != nil || asciiLower(got.String()) != asciiLower(in) {
				t.Errorf("%s, rewritten as %v, is %v, %v", in, q, got, err)
			}
		}
	}
}

// Who calls himself rewritten may say anything of the host that was the first, and has it signed. It is no path for all that.
func TestReverseOfNoPath(t *testing.T) {
	r := newRewriter(t, start(), "forwarder.example", "tops3cret")
	for _, in := range []string{`"SRS1=x=first> SMTPUTF8==a=b=c=d"@second`, `"SRS1=x=a@b==a=b=c=d"@second`, "SRS1=x=!==a=b=c=d@second"} {
		q := r.Forward(path(t, in))
		if got, err := r.Reverse(q); err != nil || got != path(t, in) || !strings.HasPrefix(strings.Trim(q.Local, `"`), "SRS0=") {
			t.Errorf("%s, rewritten as %v, is %v, %v", in, q, got, err)
		}
	}
	q := r.Forward(path(t, `"> x"@second`))
	q.Local = strings.Replace(q.Local, "second=> x", "second> =x", 1)
	if got, err := r.Reverse(q); !errors.Is(err, srs.ErrNotRewritten) || !got.IsNull() {
		t.Errorf("%v is %v, %v", q, got, err)
	}
}

// Mail may change the case of ASCII letters on the way.
func asciiUpper(s string) string { return smtp.Upper(s) }

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

func TestReverseRefuses(t *testing.T) {
	c := start()
	r := newRewriter(t, c, "forwarder.example", "tops3cret")
	good := r.Forward(path(t, "ann@example.org"))
	again := r.Forward(path(t, "SRS0=a=b=c=d@first"))
	other := newRewriter(t, c, "forwarder.example", "other").Forward(path(t, "ann@example.org"))
	for in, want := range map[string]error{
		"ann@forwarder.example":         srs.ErrNotRewritten,
		good.Local + "@example.org":     srs.ErrNotRewritten,
		"SRS0@forwarder.example":        srs.ErrNotRewritten,
		"SRS0=@forwarder.example":       srs.ErrNotRewritten,
		"SRS0=a=b=c@forwarder.example":  srs.ErrNotRewritten,
		"SRS0=a=b==c@forwarder.example": srs.ErrNotRewritten,
		"SRS1=a@forwarder.example":      srs.ErrNotRewritten,
		"SRS1=a==c@forwarder.example":   srs.ErrNotRewritten,
		"SRS1=a=b=c@forwarder.example":  srs.ErrNotRewritten,
		"SRS1=a=b=@forwarder.example":   srs.ErrNotRewritten,
		"":                              srs.ErrNotRewritten,
		other.String():                  srs.ErrForged,
		strings.Replace(good.String(), "example.org", "example.com", 1): srs.ErrForged,
		strings.Replace(good.String(), "ann", "bob", 1):                 srs.ErrForged,
		"SRS0==VE=example.org=ann@forwarder.example":                    srs.ErrForged,
		"SRS1==first==a=b=c=d@forwarder.example":                        srs.ErrForged,
		strings.Replace(again.String(), "first", "second", 1):           srs.ErrForged,
		"SRS0=AAAA=ıı=example.org=ann@forwarder.example":                srs.ErrForged,
	} {
		if got, err := r.Reverse(path(t, in)); !errors.Is(err, want) || !got.IsNull() {
			t.Errorf("%s: %v, %v; want %v", in, got, err, want)
		}
	}
}

// An address is good for three weeks, and not again when the dates start anew.
func TestExpiry(t *testing.T) {
	c := start()
	r := newRewriter(t, c, "forwarder.example", "tops3cret")
	q, again := r.Forward(path(t, "ann@example.org")), r.Forward(path(t, "SRS0=a=b=c=d@first"))
	for days, want := range map[int]error{
		-1: srs.ErrExpired, 0: nil, 1: nil, 21: nil, 22: srs.ErrExpired, 500: srs.ErrExpired, 1023: srs.ErrExpired,
	} {
		c.now = start().now.AddDate(0, 0, days)
		if _, err := r.Reverse(q); !errors.Is(err, want) {
			t.Errorf("after %d days: %v, want %v", days, err, want)
		}
		if _, err := r.Reverse(again); err != nil {
			t.Errorf("SRS1 after %d days: %v", days, err)
		}
	}
}

// A secret is changed without losing the mail that is on its way.
func TestSecrets(t *testing.T) {
	c := start()
	older := newRewriter(t, c, "forwarder.example", "old")
	newer := newRewriter(t, c, "forwarder.example", "new", "old")
	p := path(t, "ann@example.org")
	if _, err := newer.Reverse(older.Forward(p)); err != nil {
		t.Errorf("of the old secret: %v", err)
	}
	if _, err := newer.Reverse(newer.Forward(p)); err != nil {
		t.Errorf("of the new secret: %v", err)
	}
	if _, err := older.Reverse(newer.Forward(p)); !errors.Is(err, srs.ErrForged) {
		t.Errorf("of a secret that is not known: %v", err)
	}
}

func TestNew(t *testing.T) {
	for _, cfg := range []srs.Config{
		{Domain: "", Secrets: []string{"x"}}, {Domain: "a=b", Secrets: []string{"x"}},
		{Domain: "x"}, {Domain: "x", Secrets: []string{"x", ""}},
	} {
		if _, err := srs.New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
}
