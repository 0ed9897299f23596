package smtptest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"lmtpd/protocol/session"
)

// Settings set the stage of a transcript. On a line that begins with "# with:" stand the words esmtp (lmtp is
// the default), trusted, secured, tls (STARTTLS is offered), auth (AUTH is offered, with the mechanisms of
// Authenticator), nodsn (DSN is not offered), prdr (it is offered),
// submitter (the peer may submit without AUTH), and size=, recipients= and errors= with a number.
type Settings struct {
	Dialect    string // "lmtp" or "esmtp"; "" is "lmtp"
	Trusted    Flag   // the peer's XFORWARD is believed
	Secured    Flag   // nobody can listen
	TLS        Flag   // STARTTLS is offered
	Auth       Flag   // AUTH is offered
	NoDSN      Flag   // DSN is not
	PRDR       Flag   // PRDR is offered
	Submitter  Flag   // the peer may submit without AUTH
	Size       int64  // the largest message; 0: 100000
	Recipients int    // the most recipients; 0: 1000
	Errors     int    // the most bad commands; 0: 10
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
	key, value, _ := strings.Cut(word, "=")
	n, err := strconv.Atoi(value)
	switch key {
	case "lmtp", "esmtp":
		s.Dialect = key
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
	case "submitter":
		s.Submitter = true
	case "size":
		s.Size = int64(n)
		return err
	case "recipients":
		s.Recipients = n
		return err
	case "errors":
		s.Errors = n
		return err
	default:
		return fmt.Errorf("unknown setting %q", word)
	}
	return nil
}

// Config returns the configuration of a session on this stage.
func (s Settings) Config(newID func() string) session.Config {
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
	if s.Submitter {
		cfg.Submitter = func(peer netip.Addr) bool { return !peer.IsValid() }
	}
	if s.Auth {
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
	return session.Peer{Session: "session", Trusted: bool(s.Trusted), Secured: bool(s.Secured)}
}
