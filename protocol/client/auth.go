package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lmtpd/auth"
	"lmtpd/protocol/smtp"
)

// Errors of Auth that come before anything is said.
var (
	ErrAuthenticated = errors.New("authenticated already")                        // RFC 4954 §4
	ErrTransaction   = errors.New("a transaction is open")                        // RFC 4954 §4
	ErrNoMechanism   = errors.New("no mechanism that server and client both use") // with these credentials, on this connection
)

// ErrUnproven says that the server takes us for authenticated and has not proven itself, as the mechanism wants it: it may be
// another one.
var ErrUnproven = errors.New("the server has not proven itself")

const (
	maxAuthLine = 12288 // octets of a line in an exchange, with its CRLF (RFC 4954 §4)
	maxSteps    = 100   // challenges in an exchange, far more than any mechanism has
)

// AuthTypes lists the mechanisms that the server offers now, in capitals and in its order; they may be others after STARTTLS.
func (c *Conn) AuthTypes() []string {
	var list []string
	for m := range strings.FieldsSeq(strings.ToUpper(c.ext["AUTH"])) {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}

// Auth authenticates (RFC 4954). An error that holds a smtp.Reply is the server's refusal: the connection is as it was, and another
// attempt may follow, with the same or another mechanism. After success a second one is ErrAuthenticated, and while a transaction is
// open (Reset) it is ErrTransaction.
//
// The mechanism, in any case, is one that the server offers. It is used as it is told, even if others may listen. With "" it is
// the strongest that the server offers and the credentials can be used with, none of which gives the password or token away to
// those who listen (auth.Choose); the next one follows only if the server says that it is the mechanism that it does not want: a
// password that is wrong with one is not tried with all.
func (c *Conn) Auth(ctx context.Context, mechanism string, cr auth.Credentials) error {
	switch err := c.usable(ctx); {
	case err != nil:
		return err
	case c.account:
		return ErrAuthenticated
	case c.open:
		return ErrTransaction
	case !c.ext.Has("AUTH"):
		return fmt.Errorf("%w AUTH", ErrNotOffered)
	}
	defer c.w.bind(ctx)()
	ch := c.channel()
	if mechanism != "" {
		if !slices.Contains(ch.Offered, strings.ToUpper(mechanism)) {
			return fmt.Errorf("%w AUTH %s, only %s", ErrNotOffered, mechanism, strings.Join(ch.Offered, " "))
		}
		return because(ctx, c.auth(strings.ToUpper(mechanism), cr, ch))
	}
	err := fmt.Errorf("%w: it offers %s", ErrNoMechanism, strings.Join(ch.Offered, " "))
	for _, m := range auth.Choose(ch.Offered, cr, ch) {
		if err = c.auth(m, cr, ch); err == nil || !unwanted(err) {
			break
		}
	}
	return because(ctx, err)
}

// unwanted says whether it is the mechanism that the server does not want (RFC 4954 §4, §6).
func unwanted(err error) bool {
	var r smtp.Reply
	return errors.As(err, &r) && (r.Code == 504 || r.Code == 534 || r.Code == 538)
}

// channel is what mechanisms have to know of the connection.
func (c *Conn) channel() auth.Channel {
	ch := auth.Channel{Secured: c.Secured(), Host: c.host, Offered: c.AuthTypes()}
	if c.state != nil && len(c.state.PeerCertificates) > 0 {
		ch.Binding = auth.Bindings(c.state, c.state.PeerCertificates[0])
	}
	return ch
}

// auth holds one exchange.
func (c *Conn) auth(mechanism string, cr auth.Credentials, ch auth.Channel) error {
	m, err := auth.NewClient(mechanism, cr, ch)
	if err != nil {
		return fmt.Errorf("AUTH %s: %w", mechanism, err)
	}
	initial, err := m.Start()
	if err != nil {
		return fmt.Errorf("AUTH %s: %w", mechanism, err)
	}
	r, err := c.exchange(mechanism, initial, m)
	if err == nil && r.Code != 235 {
		err = refusal(r, m)
	}
	if err == nil {
		if unproven := m.Finish(); unproven != nil {
			return c.lose(fmt.Errorf("AUTH %s: %w: %w", mechanism, ErrUnproven, unproven))
		}
		c.account = true
		return nil
	}
	err = fmt.Errorf("AUTH %s: %w", mechanism, err)
	if r.IsZero() || r.Code == 421 || r.Positive() { // who says 354 or 250 is out of step
		return c.lose(err)
	}
	return err
}

// refusal is an error that holds the server's reply, and what the mechanism has had it say before.
func refusal(r smtp.Reply, m auth.Client) error {
	if told, ok := m.(auth.RefusedClient); ok && told.Refused() != nil {
		return fmt.Errorf("%w (%w)", r, told.Refused())
	}
	return r
}

// exchange holds the exchange up to the server's last reply, which is zero if there was none.
func (c *Conn) exchange(mechanism string, initial []byte, m auth.Client) (smtp.Reply, error) {
	line, masked, held := authCommand(mechanism, initial)
	r, err := c.secret(line, masked)
	for range maxSteps {
		if err != nil || r.Code != 334 {
			return r, err
		}
		var response []byte
		challenge, malformed := base64.StdEncoding.DecodeString(r.Text)
		switch {
		case malformed != nil:
			err = fmt.Errorf("malformed challenge: %w", malformed)
		case held: // what did not fit into the command (RFC 4954 §4)
			response, held = initial, false
		default:
			response, err = m.Next(challenge)
		}
		if err == nil && base64.StdEncoding.EncodedLen(len(response)) > maxAuthLine-2 {
			err = errors.New("the response is too long")
		}
		if err != nil {
			return c.cancel(err)
		}
		r, err = c.secret(base64.StdEncoding.EncodeToString(response), "***")
	}
	return c.cancel(errors.New("the exchange does not end"))
}

// authCommand is the command that begins an exchange, and how it is traced. held says that the initial response does not fit.
func authCommand(mechanism string, initial []byte) (line, masked string, held bool) {
	line = "AUTH " + mechanism
	switch {
	case initial == nil:
		return line, line, false
	case len(initial) == 0:
		return line + " =", line + " =", false
	}
	masked = line + " ***"
	if whole := line + " " + base64.StdEncoding.EncodeToString(initial); len(whole) <= maxAuthLine-2 {
		return whole, masked, false
	}
	return line, line, true
}

// cancel gives up an exchange (RFC 4954 §4). The server's reply to that is of no interest, as long as it is a refusal.
func (c *Conn) cancel(cause error) (smtp.Reply, error) {
	r, err := c.command("*", c.timeouts.Command)
	if err != nil {
		return r, fmt.Errorf("%w: %w", cause, err)
	}
	return r, cause
}

// secret sends a line that the trace sees masked.
func (c *Conn) secret(line, masked string) (smtp.Reply, error) {
	return c.say(line, masked, c.timeouts.Command)
}
