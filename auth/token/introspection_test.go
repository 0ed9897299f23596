package token

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lmtpd/auth"
)

const opaque = "2YotnFZFEjr1zCsicMWpAA"

func newIntrospection(t *testing.T, cfg IntrospectionConfig) *Introspection {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = newClock().now
	}
	if cfg.Terms.Member == "" {
		cfg.Terms = terms()
	}
	i, err := NewIntrospection(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// answering is a server that answers always the same, and counts.
func answering(t *testing.T, code int, text string) (url string, count *atomic.Int32) {
	t.Helper()
	count = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/introspect?api=hush", count
}

func active(t *testing.T, changes object) string {
	t.Helper()
	all := claimsOf(changes)
	if _, said := changes["active"]; !said {
		all["active"] = true
	}
	return string(marshal(t, all))
}

// RFC 7662 §2.2, §2.3: what the server says is a fact, unless it is something else than an answer.
func TestIntrospection(t *testing.T) {
	tests := []struct {
		name    string
		code    int
		text    string
		refused string // part of the cause
		untold  string // part of the error that says that it could not be told
	}{
		{"active", 200, active(t, nil), "", ""},
		{"active, without an end", 200, active(t, object{"exp": nil}), "", ""},
		{"active, with nulls", 200, active(t, object{"nbf": json0("null"), "email_verified": true}), "", ""},
		{"not active", 200, `{"active":false}`, "the token is not active", ""},
		{"not active, with what cannot be understood", 200, `{"active":false,"email":1}`, "the token is not active", ""},
		{"expired", 200, active(t, object{"exp": 1}), "the token expired", ""},
		{"not valid yet", 200, active(t, object{"nbf": instant.Add(time.Hour).Unix()}), "not valid before", ""},
		{"without the scope", 200, active(t, object{"scope": ""}), "does not permit the scope mail", ""},
		{"of another issuer", 200, active(t, object{"iss": "x"}), `issued by "x"`, ""},
		{"of an unknown issuer", 200, active(t, object{"iss": nil}), `issued by ""`, ""},
		{"for somebody else", 200, active(t, object{"aud": "web"}), `meant for "web"`, ""},
		{"for a machine", 200, active(t, object{"email": nil}), "no member email", ""},
		{"with an address that is not verified", 200, active(t, object{"email_verified": false}), "has not verified", ""},
		{"with a name of two lines", 200, active(t, object{"email": "ann\nbob"}), "cannot be a name", ""},

		{"active in words", 200, active(t, object{"active": "true"}), "", "member active is malformed"},
		{"active, perhaps", 200, active(t, object{"active": nil}), "", "did not answer whether"},
		{"nothing about active", 200, `{}`, "", "did not answer whether"},
		{"active twice", 200, `{"active":false,"active":true}`, "", "not a JSON object"},
		{"active in capitals", 200, `{"ACTIVE":true}`, "", "did not answer whether"},
		{"an end that is none", 200, active(t, object{"exp": "x"}), "", "member exp is malformed"},
		{"a name that is none", 200, active(t, object{"email": 7}), "", "member email is malformed"},
		{"nothing", 200, "", "", "not a JSON object"},
		{"a page", 200, "<html>" + opaque, "", "not a JSON object"},
		{"half an answer", 200, `{"active":true,`, "", "not a JSON object"},
		{"a large answer", 200, active(t, object{"x": strings.Repeat("x", maxAnswer)}), "", "answered more than 65536 octets"},
		{"we are not let ask", 401, `{"active":true}`, "", "answered 401 Unauthorized"},
		{"we may not ask", 403, `{"active":true}`, "", "answered 403 Forbidden"},
		{"it is not there", 404, "", "", "answered 404 Not Found"},
		{"too many questions", 429, "", "", "answered 429"},
		{"trouble", 500, `{"active":false}`, "", "answered 500"},
		{"out of service", 503, "", "", "answered 503"},
		{"another 2xx", 202, active(t, nil), "", "answered 202"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, _ := answering(t, tt.code, tt.text)
			i := newIntrospection(t, IntrospectionConfig{URL: url, ClientID: "lmtpd", ClientSecret: "hush hush"})
			if tt.untold == "" {
				check(t, i, opaque, "ann@example.org", tt.refused)
				return
			}
			name, err := i.Token(t.Context(), opaque)
			if name != "" || err == nil || errors.Is(err, auth.ErrCredentials) || !strings.Contains(err.Error(), tt.untold) {
				t.Errorf("the name is %q, %v, want %q", name, err, tt.untold)
			}
			if err != nil && (strings.Contains(err.Error(), opaque) || strings.Contains(err.Error(), "hush")) {
				t.Errorf("the error has a secret in it: %v", err)
			}
		})
	}
}

// RFC 7662 §2.1, RFC 6749 §2.3.1.
func TestQuestion(t *testing.T) {
	got := make(chan *http.Request, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got <- r
		_, _ = io.WriteString(w, active(t, nil))
	}))
	defer s.Close()
	tests := []struct {
		name, want string
		cfg        IntrospectionConfig
	}{
		{"a client", "Basic bG10cGQlM0FtYWlsOmElMkJiJTNBYytk", IntrospectionConfig{ClientID: "lmtpd:mail", ClientSecret: "a+b:c d"}},
		{"a bearer token", "Bearer 23410913-abewfq.123483", IntrospectionConfig{Bearer: "23410913-abewfq.123483"}},
		{"whoever", "", IntrospectionConfig{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.URL = s.URL + "/introspect?tenant=1"
			check(t, newIntrospection(t, tt.cfg), "a+b/c|==", "ann@example.org", "")
			r := <-got
			if r.Method != "POST" || r.URL.String() != "/introspect?tenant=1" || r.Header.Get("Authorization") != tt.want {
				t.Errorf("%s %s, Authorization %q, want %q", r.Method, r.URL, r.Header.Get("Authorization"), tt.want)
			}
			if form := r.PostForm.Encode(); form != "token=a%2Bb%2Fc%7C%3D%3D&token_type_hint=access_token" {
				t.Errorf("asked with %q", form)
			}
			if typ, accept := r.Header.Get("Content-Type"), r.Header.Get("Accept"); typ != "application/x-www-form-urlencoded" || accept != "application/json" {
				t.Errorf("Content-Type %q, Accept %q", typ, accept)
			}
		})
	}
}

// What cannot be a token is not asked about.
func TestNotAsked(t *testing.T) {
	url, count := answering(t, 200, active(t, nil))
	i := newIntrospection(t, IntrospectionConfig{URL: url})
	check(t, i, "", "", "an empty token")
	check(t, i, "a b", "", "not the syntax")
	check(t, i, "a\tb", "", "not the syntax")
	check(t, i, "\u00e4", "", "not the syntax")
	check(t, i, strings.Repeat("a", maxToken+1), "", "a token of 12289 octets")
	if n := count.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
	check(t, i, strings.Repeat("a", maxToken), "ann@example.org", "")
}

// Only what is good is remembered, and no longer than it is.
func TestRemembered(t *testing.T) {
	tests := []struct {
		name     string
		text     string
		wait     time.Duration
		asked    int32
		refused  string
		refused2 string
	}{
		{"just now", active(t, nil), 59 * time.Second, 1, "", ""},
		{"a minute", active(t, nil), time.Minute, 2, "", ""},
		{"not beyond its end", active(t, object{"exp": instant.Add(10 * time.Second).Unix()}), 10 * time.Second, 2, "", ""},
		{"nor by leeway", active(t, object{"exp": instant.Add(-10 * time.Second).Unix()}), 0, 2, "", ""},
		{"before its end", active(t, object{"exp": instant.Add(10 * time.Second).Unix()}), 9 * time.Second, 1, "", ""},
		{"a refusal", `{"active":false}`, 0, 2, "not active", "not active"},
		{"a clock that was set back", active(t, object{"iat": nil}), -time.Hour, 2, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, count := answering(t, 200, tt.text)
			c := newClock()
			i := newIntrospection(t, IntrospectionConfig{URL: url, Now: c.now})
			check(t, i, opaque, "ann@example.org", tt.refused)
			c.pass(tt.wait)
			check(t, i, opaque, "ann@example.org", tt.refused2)
			if n := count.Load(); n != tt.asked {
				t.Errorf("asked %d times, want %d", n, tt.asked)
			}
			check(t, i, opaque+"x", "ann@example.org", tt.refused)
			if n := count.Load(); n != tt.asked+1 {
				t.Errorf("another token: asked %d times, want %d", n, tt.asked+1)
			}
		})
	}
}

// A redirect is not followed: the token would go with it.
func TestRedirect(t *testing.T) {
	elsewhere, count := answering(t, 200, active(t, nil))
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.RedirectHandler(elsewhere, code))
		i := newIntrospection(t, IntrospectionConfig{URL: s.URL})
		if _, err := i.Token(t.Context(), opaque); err == nil || !strings.Contains(err.Error(), fmt.Sprint("answered ", code)) {
			t.Errorf("%d: %v", code, err)
		}
		s.Close()
	}
	if n := count.Load(); n != 0 {
		t.Errorf("followed %d times", n)
	}
}

func TestNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String() + "/introspect?api=hush"
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = newIntrospection(t, IntrospectionConfig{URL: url}).Token(t.Context(), opaque)
	if err == nil || errors.Is(err, auth.ErrCredentials) || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v, want that it could not be told", err)
	}
}

func TestUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "token") // t.TempDir's may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	path := make(chan string, 1)
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path <- r.URL.String()
		_, _ = io.WriteString(w, active(t, nil))
	})}}
	s.Start()
	defer s.Close()
	check(t, newIntrospection(t, IntrospectionConfig{URL: "http://unix:" + socket + ":/in/spect?x=1"}), opaque, "ann@example.org", "")
	if got := <-path; got != "/in/spect?x=1" {
		t.Errorf("asked for %s", got)
	}
}

// With a certificate that is not trusted nothing is told.
func TestCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, active(t, nil))
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	cfg := IntrospectionConfig{URL: s.URL, ClientID: "lmtpd"}
	_, err := newIntrospection(t, cfg).Token(t.Context(), opaque)
	if err == nil || errors.Is(err, auth.ErrCredentials) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v, want that the certificate is not trusted", err)
	}
	cfg.Transport = s.Client().Transport
	check(t, newIntrospection(t, cfg), opaque, "ann@example.org", "")
}

func TestNewIntrospection(t *testing.T) {
	tests := []struct {
		name, want string
		cfg        IntrospectionConfig
	}{
		{"https", "", IntrospectionConfig{URL: "https://id.example.org/x", ClientID: "a", ClientSecret: "b"}},
		{"a bearer token", "", IntrospectionConfig{URL: "https://id.example.org/x", Bearer: "b"}},
		{"http on this host", "", IntrospectionConfig{URL: "http://127.0.0.53:8080/x"}},
		{"http on this host, by name", "", IntrospectionConfig{URL: "http://localhost/x"}},
		{"http on this host, IPv6", "", IntrospectionConfig{URL: "http://[::1]:80/x"}},
		{"a unix socket", "", IntrospectionConfig{URL: "http://unix:/run/id.sock:/x"}},
		{"http", "not https", IntrospectionConfig{URL: "http://id.example.org/x", ClientID: "a"}},
		{"http where localhost is only a part", "not https", IntrospectionConfig{URL: "http://localhost.example.org/x", ClientID: "a"}},
		{"http on any host", "not https", IntrospectionConfig{URL: "http://0.0.0.0/x", ClientID: "a"}},
		{"another scheme", "not https", IntrospectionConfig{URL: "ftp://localhost/x", ClientID: "a"}},
		{"a user", "no user", IntrospectionConfig{URL: "https://a:hush@id.example.org/x", ClientID: "a"}},
		{"a fragment", "no fragment", IntrospectionConfig{URL: "https://id.example.org/x#y", ClientID: "a"}},
		{"no host", "needs a host", IntrospectionConfig{URL: "https:///x", ClientID: "a"}},
		{"a path", "needs a host", IntrospectionConfig{URL: "/x", ClientID: "a"}},
		{"no URL", "not a URL", IntrospectionConfig{URL: "https://hush\x7f/", ClientID: "a"}},
		{"nobody asks", "no client", IntrospectionConfig{URL: "https://id.example.org/x"}},
		{"two ask", "a client and a bearer token", IntrospectionConfig{URL: "https://id.example.org/x", ClientID: "a", Bearer: "b"}},
		{"a secret of nobody", "no client", IntrospectionConfig{URL: "http://localhost/x", ClientSecret: "b"}},
	}
	for _, tt := range tests {
		tt.cfg.Terms, tt.cfg.Now = Terms{Member: "username"}, newClock().now
		_, err := NewIntrospection(tt.cfg)
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := NewIntrospection(IntrospectionConfig{URL: "http://localhost/x"}); err == nil {
		t.Error("no member has the name, and that is no error")
	}
}

func TestCache(t *testing.T) {
	c := newCache(3)
	key := func(n byte) digest { return digest{n} }
	now := instant
	for n := range byte(5) {
		c.put(key(n), answer{fmt.Sprint(n), now.Add(time.Minute)})
		c.put(key(n), answer{fmt.Sprint(n, n), now.Add(time.Minute)})
	}
	for n, want := range []string{"", "", "2 2", "3 3", "4 4"} {
		if got, ok := c.get(key(byte(n)), now); got != want || ok != (want != "") {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for n := range 100 {
		c.put(key(byte(n)), answer{"", now})
	}
	if len(c.answers) != 3 || len(c.order) != 3 {
		t.Errorf("%d answers, %d in order, want 3", len(c.answers), len(c.order))
	}
}
