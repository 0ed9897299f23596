package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Config is what a Server needs.
type Config struct {
	Mechanisms []string // those to offer, in this order; what cannot work on a channel is left out there
	Hostname   string   // in the challenge of CRAM-MD5
	Accounts   Accounts
	Tokens     Tokens // nil: no OAUTHBEARER and no XOAUTH2

	// Authorize says whether an account may act as another (RFC 4422 §2); nil: none may.
	Authorize func(account, as string) bool

	Nonce func() string    // for SCRAM and CRAM-MD5, of printable ASCII without a comma; nil: 18 octets of crypto/rand
	Now   func() time.Time // nil: time.Now
}

// A Server is an Authenticator whose mechanisms are all made here. Its methods may be called from many goroutines.
type Server struct{ cfg Config }

// NewServer returns a Server. What it cannot do is left out of its mechanisms.
func NewServer(cfg Config) *Server {
	if cfg.Nonce == nil {
		cfg.Nonce = newNonce
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Server{cfg}
}

func newNonce() string {
	b := make([]byte, 18)
	rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

// Mechanisms lists those of the configuration that can work on a channel.
func (s *Server) Mechanisms(ch Channel) []string {
	var list []string
	for _, m := range s.cfg.Mechanisms {
		if s.works(m, ch) {
			list = append(list, m)
		}
	}
	return list
}

// works says whether a mechanism can work on a channel: passwords and tokens are not sent where others may listen
// (RFC 4954 §4), and there must be something to go by.
func (s *Server) works(mechanism string, ch Channel) bool {
	switch mechanism {
	case "PLAIN", "LOGIN":
		return ch.Secured
	case "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256":
		return true
	case "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS":
		kind, _ := bindingOf(ch)
		return kind != ""
	case "EXTERNAL":
		return len(ch.Names) > 0
	case "OAUTHBEARER", "XOAUTH2":
		return ch.Secured && s.cfg.Tokens != nil
	}
	return false
}

// bindingOf returns the data of the best binding that a channel has, and its type; "": there is none that a client can ask for.
func bindingOf(ch Channel) (kind string, data []byte) {
	if ch.Binding == nil {
		return "", nil
	}
	for _, kind := range []string{"tls-exporter", "tls-server-end-point"} {
		if data, err := ch.Binding(kind); err == nil {
			return kind, data
		}
	}
	return "", nil
}

// Begin begins an exchange. That of a mechanism which is not offered on the channel fails.
func (s *Server) Begin(mechanism string, ch Channel) Exchange {
	if !slices.Contains(s.Mechanisms(ch), mechanism) {
		return refusing{}
	}
	switch mechanism {
	case "PLAIN":
		return &plainServer{server: s}
	case "LOGIN":
		return &loginServer{server: s}
	case "CRAM-MD5":
		return &cramServer{server: s}
	case "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS":
		return s.beginSCRAM(mechanism, ch)
	case "EXTERNAL":
		return &externalServer{server: s, channel: ch}
	case "OAUTHBEARER":
		return &bearerServer{server: s, parse: parseOAUTHBEARER, told: invalidToken}
	case "XOAUTH2":
		return &bearerServer{server: s, parse: parseXOAUTH2, told: unauthorized}
	}
	return refusing{}
}

// refusing is the exchange of a mechanism that is not offered.
type refusing struct{}

func (refusing) Next(context.Context, []byte) ([]byte, string, error) {
	return nil, "", fmt.Errorf("%w: the mechanism is not offered", ErrCredentials)
}

func (refusing) Claimed() string { return "" }

// failure is an error that wraps ErrCredentials, with a cause for the log. What it says is never of the client.
func failure(cause string) error { return fmt.Errorf("%w: %s", ErrCredentials, cause) }

// errNobody says that somebody was told to be who has no name.
var errNobody = errors.New("an account without a name")

// verify returns the account of a name, if that is its password. An empty one is nobody's: there are directories that take it
// for a login without a name.
func (s *Server) verify(ctx context.Context, name, password string) (string, error) {
	if password == "" || strings.IndexByte(password, 0) >= 0 {
		return "", failure("malformed password")
	}
	return somebody(s.cfg.Accounts.Verify(ctx, name, password))
}

// named returns the account of a name that is proven.
func (s *Server) named(ctx context.Context, name string) (string, error) {
	if !IsName(name) {
		return "", failure("malformed name")
	}
	return somebody(s.cfg.Accounts.Named(ctx, name))
}

// somebody keeps to it that who succeeds is somebody, and who does not is nobody.
func somebody(account string, err error) (string, error) {
	if err == nil && account == "" {
		err = errNobody
	}
	if err != nil {
		return "", err
	}
	return account, nil
}

// authorize returns the account that an authenticated account acts as: itself, or the other one that it names and may be.
func (s *Server) authorize(ctx context.Context, account, as string) (string, error) {
	if as == "" || as == account {
		return account, nil
	}
	if !IsName(as) {
		return "", failure("malformed authorization identity")
	}
	other, err := s.named(ctx, as)
	switch {
	case err == nil && other == account:
		return account, nil
	case err != nil && !errors.Is(err, ErrCredentials):
		return "", fmt.Errorf("look up an authorization identity: %w", err)
	case err != nil || s.cfg.Authorize == nil || !s.cfg.Authorize(account, other):
		return "", failure("it may not act as another")
	}
	return other, nil
}

// maxName is how many octets a name may have.
const maxName = 511

// IsName says whether a name is worth looking up: text of at most 511 octets without control characters.
func IsName(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// mechanismsOf are the names of all that a Server knows, the strongest first.
var mechanismsOf = [...]string{
	"EXTERNAL", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "OAUTHBEARER", "XOAUTH2",
	"CRAM-MD5", "PLAIN", "LOGIN",
}

// Mechanisms are the names of all mechanisms that a Server knows, the strongest first.
func Mechanisms() []string { return slices.Clone(mechanismsOf[:]) }
