package relay

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
	"lmtpd/delivery/spool"
	"lmtpd/protocol/client"
)

// What keeps a server from being used, and so the next one is.
var useless = []struct {
	name   string
	server *fake // nil: it does not answer at all
	login  Login
}{
	{"silent", nil, Login{}},
	{"silent before the greeting", &fake{greeting: hang}, Login{}},
	{"gone before the greeting", &fake{greeting: hangUp}, Login{}},
	{"a greeting of garbage", &fake{greeting: "HTTP/1.1 400 Bad Request"}, Login{}},
	{"a greeting 421", &fake{greeting: "421 4.3.2 too busy"}, Login{}},
	{"a greeting 554", &fake{greeting: "554 5.7.1 not you"}, Login{}},
	{"silent after EHLO", &fake{answer: answers("EHLO", hang)}, Login{}},
	{"EHLO refused", &fake{answer: answers("EHLO", "550 5.7.1 not you", "HELO", "550 5.7.1 not you")}, Login{}},
	{"EHLO refused for now", &fake{answer: answers("EHLO", "451 4.3.0 later")}, Login{}},
	{"no AUTH", &fake{}, me},
	{"AUTH that hangs", &fake{offers: []string{"AUTH CRAM-MD5"}, answer: answers("AUTH", hang)}, me},
	{"AUTH refused", &fake{offers: []string{"AUTH CRAM-MD5"}, answer: answers("AUTH", "535 5.7.8 wrong")}, me},
	{"AUTH refused for now", &fake{offers: []string{"AUTH CRAM-MD5"}, answer: answers("AUTH", "454 4.7.0 later")}, me},
	{"AUTH of plaintext alone", &fake{offers: []string{"AUTH PLAIN LOGIN"}}, me},
	{"no password", &fake{offers: []string{"AUTH CRAM-MD5"}}, Login{Name: "me", Credentials: noPassword}},
	{"authentication is required", &fake{answer: answers("MAIL", "530 5.7.0 Authentication required")}, Login{}},
	{"authentication is required for each", &fake{answer: answers("RCPT", "530 5.7.0 Authentication required")}, Login{}},
}

// me logs in; the servers of these tests want CRAM-MD5, which needs no secured connection.
var me = Login{Name: "me", Credentials: func() (auth.Credentials, error) {
	return auth.Credentials{Name: "me", Password: "secret"}, nil
}}

var errNoFile = errors.New("no such file")

func noPassword() (auth.Credentials, error) { return auth.Credentials{}, errNoFile }

// challenging makes a fake take any CRAM-MD5.
func challenging() *fake {
	f := &fake{offers: []string{"AUTH CRAM-MD5"}}
	f.answer = func(line string) string {
		switch {
		case strings.HasPrefix(line, "AUTH"):
			return "334 PDFAeD4="
		case !strings.Contains(line, " ") && len(line) > 20:
			return "235 2.7.0 welcome"
		}
		return ""
	}
	return f
}

// Each of these makes the next server take the message, and, where there is no other, the destination unusable: nothing bounces.
func TestUseless(t *testing.T) {
	for _, tt := range useless {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				good := challenging()
				r := open(t, Config{
					Routes: []Route{
						{Servers: []client.Address{at("a")}, Login: tt.login, Security: client.Security{}},
						{Servers: []client.Address{at("a"), at("b")}, Login: tt.login, Security: client.Security{}},
					},
					Dial: network{"a:25": tt.server, "b:25": good}.dial(t),
					Log:  slog.New(slog.NewTextHandler(&log, nil)),
				})
				if outcomes, err := r.Attempt(t.Context(), r.routes[0].destination, letter("ann", "bob")); outcomes != nil || err == nil {
					t.Errorf("alone: %q, %v", told(outcomes), err)
				}
				if !strings.Contains(log.String(), "server=smtp://a:25") {
					t.Errorf("log:\n%s", log.String())
				}
				want := slices.Repeat([]string{"relayed: 250 2.0.0 queued"}, 2)
				if tt.login.Credentials != nil && tt.name == "no password" {
					want = nil
				}
				outcomes, err := r.Attempt(t.Context(), r.routes[1].destination, letter("ann", "bob"))
				if got := told(outcomes); !slices.Equal(got, want) || (err == nil) != (want != nil) {
					t.Errorf("with another: %q, %v", got, err)
				}
			})
		})
	}
}

// A server that could not be used comes after the others for a minute.
func TestTroubleRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &fake{greeting: "421 4.3.2 too busy"}, &fake{}
		r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a"), at("b")}, Security: client.Security{}}}, Dial: network{"a:25": a, "b:25": b}.dial(t)})
		attempt := func(asked, taken int) {
			t.Helper()
			if outcomes, err := r.Attempt(t.Context(), r.routes[0].destination, letter("ann")); err != nil || outcomes[0].Fate != spool.Relayed {
				t.Errorf("%q, %v", told(outcomes), err)
			}
			if a.sessions != asked || len(b.content) != taken {
				t.Errorf("the first was asked %d times, the second has taken %d; want %d and %d", a.sessions, len(b.content), asked, taken)
			}
		}
		attempt(1, 1)
		attempt(1, 2)
		a.greeting = ""
		time.Sleep(troubleRest)
		attempt(2, 2)
		if len(a.content) != 1 {
			t.Errorf("the first has taken %d", len(a.content))
		}
	})
}

// A context that ends is not the server's trouble: the next one is not asked.
func TestContextEnds(t *testing.T) {
	for _, where := range []string{"EHLO", "MAIL", "RCPT", "DATA"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := &fake{answer: answers(where, hang)}, &fake{}
				r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a"), at("b")}, Security: client.Security{}}}, Dial: network{"a:25": a, "b:25": b}.dial(t)})
				ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
				defer cancel()
				start := time.Now()
				outcomes, err := r.Attempt(ctx, r.routes[0].destination, letter("ann"))
				if waited := time.Since(start); waited != 7*time.Second || b.sessions != 0 || r.routes[0].servers[0].troubled() != 0 {
					t.Errorf("%v after %v; the second was asked %d times", err, waited, b.sessions)
				}
				if where == "EHLO" && !errors.Is(err, context.DeadlineExceeded) || where != "EHLO" && !slices.Equal(told(outcomes), []string{"deferred"}) {
					t.Errorf("%q, %v", told(outcomes), err)
				}
			})
		})
	}
}

// A message that was taken for some stays taken when the server can no longer be used for the rest.
func TestUselessForTheRest(t *testing.T) {
	one := atMost(1, "452 4.5.3 too many")
	sessions := 0
	f := &fake{}
	f.answer = func(line string) string {
		switch {
		case strings.HasPrefix(line, "EHLO"):
			sessions++
			if sessions > 1 {
				return "451 4.3.0 later"
			}
		case line == "content":
			return "250 2.0.0 first"
		case strings.HasPrefix(line, "MAIL") && len(f.content) > 0:
			return "421 4.3.2 bye"
		}
		return one(line)
	}
	r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a")}, Security: client.Security{}}}, Dial: network{"a:25": f}.dial(t)})
	outcomes, err := r.Attempt(t.Context(), "smtp://a:25", letter("ann", "bob"))
	if got := told(outcomes); err != nil || got[0] != "relayed: 250 2.0.0 first" || outcomes[1].Fate != spool.Deferred {
		t.Errorf("%q, %v", got, err)
	}
}

// A server that takes fewer connections than it might is used with as many as it takes, and is not given up.
func TestFewerConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{most: 2}
		f.answer = func(line string) string {
			if line == "content" {
				time.Sleep(time.Second)
			}
			return ""
		}
		r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a")}, Security: client.Security{}}}, Dial: network{"a:25": f}.dial(t)})
		start := time.Now()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				outcomes, err := r.Attempt(t.Context(), "smtp://a:25", letter("ann"))
				if got := told(outcomes); err != nil || got[0] != "relayed: 250 2.0.0 queued" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("8 messages over 2 connections took %v", took)
		}
	})
}

func TestUnknownDestination(t *testing.T) {
	r := open(t, Config{})
	if outcomes, err := r.Attempt(t.Context(), "smtp://gone:25", letter("ann")); outcomes != nil || !errors.Is(err, ErrNoRoute) {
		t.Errorf("%q, %v", told(outcomes), err)
	}
}
