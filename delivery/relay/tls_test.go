package relay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
	"lmtpd/protocol/client"
)

// certified returns a certificate for a host that has signed itself.
func certified(t *testing.T, host string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// Who the server is, and that nobody listens, is made sure of before a message or a password is sent, as it is configured.
func TestTLS(t *testing.T) {
	cert, roots := certified(t, "a")
	other, _ := certified(t, "other.example")
	trusting := &tls.Config{RootCAs: roots}
	plainly := Login{Name: "me", Mechanism: "PLAIN", Credentials: me.Credentials}
	var unknown x509.UnknownAuthorityError
	for _, tt := range []struct {
		name     string
		offers   []string
		refuse   string // what STARTTLS hears
		cert     tls.Certificate
		security client.Security
		login    Login
		want     error // nil: relayed
		as       any   // a type of error
	}{
		{"required", []string{"STARTTLS"}, "", cert, client.Security{Start: client.Required, Config: trusting}, Login{}, nil, nil},
		{"required, and PLAIN", []string{"STARTTLS", "AUTH PLAIN"}, "", cert, client.Security{Start: client.Required, Config: trusting}, plainly, nil, nil},
		{"required and not offered", nil, "", cert, client.Security{Start: client.Required, Config: trusting}, Login{}, client.ErrNoTLS, nil},
		{"required and refused", []string{"STARTTLS"}, "454 4.7.0 not now", cert, client.Security{Start: client.Required, Config: trusting}, Login{}, errAny, nil},
		{"by nobody we know", []string{"STARTTLS"}, "", cert, client.Security{Start: client.Required, Config: &tls.Config{RootCAs: x509.NewCertPool()}}, Login{}, errAny, &unknown},
		{"by its fingerprint", []string{"STARTTLS"}, "", other, client.Security{Start: client.Required, Fingerprint: sha256.Sum256(other.Certificate[0])}, Login{}, nil, nil},
		{"another fingerprint", []string{"STARTTLS"}, "", cert, client.Security{Start: client.Required, Fingerprint: sha256.Sum256(other.Certificate[0])}, Login{}, client.ErrFingerprint, nil},
		{"opportunistic, with whoever it is", []string{"STARTTLS", "AUTH PLAIN"}, "", other, client.Security{Start: client.Opportunistic}, plainly, nil, nil},
		{"opportunistic and not offered", nil, "", cert, client.Security{Start: client.Opportunistic}, Login{}, nil, nil},
		{"opportunistic, not offered, and PLAIN", []string{"AUTH PLAIN"}, "", cert, client.Security{Start: client.Opportunistic}, plainly, ErrPlaintext, nil},
		{"none, and PLAIN", []string{"AUTH PLAIN"}, "", cert, client.Security{}, plainly, nil, nil},
		{"none, and the strongest", []string{"AUTH PLAIN"}, "", cert, client.Security{}, me, client.ErrNoMechanism, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{offers: tt.offers, tls: &tls.Config{Certificates: []tls.Certificate{tt.cert}}}
			if tt.refuse != "" {
				f.answer = answers("STARTTLS", tt.refuse)
			}
			r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a")}, Security: tt.security, Login: tt.login}}, Dial: network{"a:25": f}.dial(t)})
			outcomes, err := r.Attempt(t.Context(), r.routes[0].destination, letter("ann"))
			switch {
			case tt.want == nil && (err != nil || !slices.Equal(told(outcomes), []string{"relayed: 250 2.0.0 queued"})):
				t.Errorf("%q, %v", told(outcomes), err)
			case tt.want == errAny && err == nil, tt.want != nil && tt.want != errAny && !errors.Is(err, tt.want):
				t.Errorf("%q, %v; want %v", told(outcomes), err, tt.want)
			case tt.as != nil && !errors.As(err, tt.as):
				t.Errorf("%v", err)
			}
			if said := f.heard("AUTH", "MAIL"); err != nil && len(said) != 0 {
				t.Errorf("said %q", said)
			}
		})
	}
}

var errAny = errors.New("any error")

// A certificate for another name is not believed.
func TestOtherName(t *testing.T) {
	cert, roots := certified(t, "other.example")
	f := &fake{offers: []string{"STARTTLS"}, tls: &tls.Config{Certificates: []tls.Certificate{cert}}}
	r := open(t, Config{
		Routes: []Route{{Servers: []client.Address{at("a")}, Security: client.Security{Start: client.Required, Config: &tls.Config{RootCAs: roots}}}},
		Dial:   network{"a:25": f}.dial(t),
	})
	var name x509.HostnameError
	if outcomes, err := r.Attempt(t.Context(), "smtp://a:25", letter("ann")); !errors.As(err, &name) {
		t.Errorf("%q, %v", told(outcomes), err)
	}
}

// A password that was changed is the one of the next login.
func TestCredentialsAreAskedAnew(t *testing.T) {
	asked := 0
	f := &fake{offers: []string{"AUTH PLAIN"}}
	r := open(t, Config{
		Routes: []Route{{Servers: []client.Address{at("a")}, Login: Login{Name: "me", Mechanism: "PLAIN", Credentials: func() (auth.Credentials, error) {
			asked++
			return auth.Credentials{Name: "me", Password: strings.Repeat("x", asked)}, nil
		}}}},
		Dial: network{"a:25": f}.dial(t),
	})
	f.answer = func(line string) string {
		if strings.HasPrefix(line, "AUTH") && asked == 1 {
			return "535 5.7.8 wrong"
		}
		return ""
	}
	destination := "smtp://a:25 as me"
	if _, err := r.Attempt(t.Context(), destination, letter("ann")); !errors.Is(err, ErrLogin) || strings.Contains(err.Error(), "xx") {
		t.Error(err)
	}
	for range 2 {
		if outcomes, err := r.Attempt(t.Context(), destination, letter("ann")); err != nil || !outcomes[0].Reply.Positive() {
			t.Errorf("%q, %v", told(outcomes), err)
		}
	}
	if logins := f.heard("AUTH"); len(logins) != 2 || f.sessions != 2 {
		t.Errorf("%d logins in %d sessions", len(logins), f.sessions)
	}
}

// A connection is used again; one that has waited too long is ended with QUIT, and one that the server has ended costs nothing.
func TestConnectionsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a")}}}, Dial: network{"a:25": f}.dial(t)})
		attempt := func(sessions int) {
			t.Helper()
			outcomes, err := r.Attempt(t.Context(), "smtp://a:25", letter("ann"))
			if got := told(outcomes); err != nil || !slices.Equal(got, []string{"relayed: 250 2.0.0 queued"}) || f.sessions != sessions {
				t.Errorf("%q, %v in %d sessions, want %d", got, err, f.sessions, sessions)
			}
		}
		attempt(1)
		attempt(1)
		time.Sleep(time.Minute)
		if quits := f.heard("QUIT"); len(quits) != 1 {
			t.Errorf("%d sessions ended in good order", len(quits))
		}
		attempt(2)
		gone := true
		f.answer = func(line string) string {
			if strings.HasPrefix(line, "MAIL") && gone {
				gone = false
				return hangUp
			}
			return ""
		}
		attempt(3)
		if len(f.content) != 4 {
			t.Errorf("%d messages were taken", len(f.content))
		}
	})
}
