package smtptest

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"lmtpd/delivery/submission"
	"lmtpd/protocol/session"
)

// Settings set the stage of a transcript. On a line that begins with "# with:" stand the words esmtp (lmtp is
// the default), trusted, secured, tls (STARTTLS is offered), auth (AUTH is offered, with the mechanisms of
// Authenticator), nodsn (DSN is not offered), prdr (it is offered),
// submitter (the peer may submit without AUTH), and size=, recipients= and errors= with a number.
//
// With sasl AUTH is offered with all mechanisms and the accounts of logins; sasl= names the domain of names that have none. To it
// belong nonce=, proven= (who the peer is without a password) and exporter= (what tls-exporter binds, which can be told of a
// session in memory alone).
//
// With submission the policy of submission stands before the agent, which is in the place of Queue, and the session is one of
// ESMTP as it is there: with sasl and prdr. Its limits are messages_per_hour= and recipients_per_hour=. With relay there is a way to
// recipients elsewhere.
type Settings struct {
	Dialect    string // "lmtp" or "esmtp"; "" is "lmtp"
	Trusted    Flag   // the peer's XFORWARD and XCLIENT are believed, and those of clients on the loopback
	Secured    Flag   // nobody can listen
	TLS        Flag   // STARTTLS is offered
	Auth       Flag   // AUTH is offered
	NoDSN      Flag   // DSN is not
	PRDR       Flag   // PRDR is offered
	Submission Flag   // submission's policy is kept
	Relay      Flag   // mail goes elsewhere, too
	Submitter  Flag   // the peer may submit without AUTH
	SASL       string // AUTH is offered in earnest, to names of this domain if they have none; "" is not
	Nonce      string // of all exchanges; "": 1896, which is that of RFC 2195 §2
	Proven     string // who the peer is, for EXTERNAL; "" is nobody
	Exporter   string // what tls-exporter binds; "": there is none in memory
	Size       int64  // the largest message; 0: 100000
	Recipients int    // the most recipients; 0: 1000
	Errors     int    // the most bad commands; 0: 10
	Limits     submission.Limits
}

// Flag is a setting that is there or not.
type Flag bool

func (s *Settings) parse(line string) error {
	rest, found := strings.CutPrefix(line, "# with:")
	if !found {
		return nil
	}
	for word := range strings.FieldsSeq(rest) {
		if err := s.set(word); err != nil {
			return err
		}
	}
	return nil
}

func (s *Settings) set(word string) error {
	if key, value, given := strings.Cut(word, "="); given {
		return s.assign(key, value)
	}
	switch word {
	case "lmtp", "esmtp":
		s.Dialect = word
	case "trusted":
		s.Trusted = true
	case "secured":
		s.Secured = true
	case "tls":
		s.TLS = true
	case "auth":
		s.Auth = true
	case "nodsn":
		s.NoDSN = true
	case "prdr":
		s.PRDR = true
	case "sasl":
		s.SASL = homeDomain
	case "submission":
		s.Submission, s.Dialect, s.SASL = true, "esmtp", cmp.Or(s.SASL, homeDomain)
		s.PRDR = true
	case "relay":
		s.Relay = true
	case "submitter":
		s.Submitter = true
	default:
		return fmt.Errorf("unknown setting %q", word)
	}
	return nil
}

// assign takes a setting that has a value.
func (s *Settings) assign(key, value string) (err error) {
	switch key {
	case "sasl":
		s.SASL = value
	case "nonce":
		s.Nonce = value
	case "proven":
		s.Proven = value
	case "exporter":
		s.Exporter = value
	case "size":
		s.Size, err = strconv.ParseInt(value, 10, 64)
	case "recipients":
		s.Recipients, err = strconv.Atoi(value)
	case "errors":
		s.Errors, err = strconv.Atoi(value)
	case "messages_per_hour":
		s.Limits.MessagesPerHour, err = strconv.Atoi(value)
	case "recipients_per_hour":
		s.Limits.RecipientsPerHour, err = strconv.Atoi(value)
	default:
		err = fmt.Errorf("unknown setting %q", key+"="+value)
	}
	return err
}

// Config returns the configuration of a session on this stage.
func (s Settings) Config(t testing.TB, newID func() string) session.Config {
	t.Helper()
	cfg := session.Config{
		Dialect:       session.LMTP(),
		Hostname:      Hostname,
		MaxSize:       s.MaxSize(),
		MaxRecipients: s.Recipients,
		MaxErrors:     s.Errors,
		StartTLS:      bool(s.TLS),
		DSN:           !bool(s.NoDSN),
		PRDR:          bool(s.PRDR),
		NewID:         newID,
	}
	if s.Dialect == "esmtp" {
		cfg.Dialect = session.ESMTP()
	}
	if s.Trusted {
		cfg.Trusted = netip.Addr.IsLoopback
	}
	if s.Submitter {
		cfg.Submitter = func(peer netip.Addr) bool { return !peer.IsValid() }
	}
	switch {
	case s.SASL != "":
		cfg.Auth = SASL(t, s.SASL, cmp.Or(s.Nonce, "1896"))
	case bool(s.Auth):
		cfg.Auth = Authenticator{}
	}
	return cfg
}

// MaxSize returns the size of the largest message.
func (s Settings) MaxSize() int64 {
	if s.Size == 0 {
		return 100_000
	}
	return s.Size
}

// Peer returns the other end as a driver of a connection sees it.
func (s Settings) Peer() session.Peer {
	p := session.Peer{Session: "session", Trusted: bool(s.Trusted), Secured: bool(s.Secured)}
	if s.Secured { // as on a unix socket
		p.Channel.Names = s.Names()
	}
	return p
}

// Names are those of the peer that are proven without a password.
func (s Settings) Names() []string {
	if s.Proven == "" {
		return nil
	}
	return strings.Split(s.Proven, ",")
}
