package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/auth"
	"lmtpd/delivery/pickup"
	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// A mailer hands messages of this host to the daemon: over a unix socket, or in a directory where it finds them.
type mailer struct {
	host   string // what a local name is completed with
	user   *user.User
	socket string // of the listener for submission; "": none
	drop   string
	open   bool // who may connect to the socket need not authenticate
	limits Submission
	stderr io.Writer
	o      client.Options
}

func newMailer(c *cli.Context, o sendmailOptions) (*mailer, error) {
	cfg, err := overrides{config: o.configFile()}.load()
	if err != nil {
		return nil, err
	}
	u, err := user.Current()
	if err != nil {
		return nil, cli.Exit(fmt.Errorf("cannot tell who you are: %w", err), exTempFail)
	}
	m := &mailer{host: cfg.Hostname, user: u, drop: dropDir(cfg), limits: cfg.Submission, stderr: c.App.ErrWriter}
	m.o = client.Options{Hello: cfg.Hostname, Timeouts: localTimeouts()}
	if o.verbose {
		m.o.Trace = traceTo(c.App.ErrWriter)
	}
	for _, l := range cfg.Listen {
		if l.submits() && l.Network == "unix" && l.TLS != TLSImplicit {
			m.socket, m.open = l.Address, l.Trust.Unix
			break
		}
	}
	return m, nil
}

// localTimeouts are for a daemon on the same host: a program waits for us, and there is another way.
func localTimeouts() client.Timeouts {
	const short = 30 * time.Second
	return client.Timeouts{Connect: 10 * time.Second, Greeting: short, Command: short, Mail: short, Rcpt: short, Data: short, Block: time.Minute, Final: 3 * time.Minute}
}

// authRequired is the code for those who may not go on without having authenticated.
const authRequired = 530

var (
	// left is the reply for those whose message lies where the daemon finds it.
	left   = smtp.Reply{Code: 250, Status: smtp.StatusNone, Text: "Left for the daemon"}
	tooBig = smtp.Reply{Code: 552, Status: smtp.StatusTooBig, Text: "Message too big"}
)

// handOver hands a message over, and returns one reply for each recipient. What was neither taken nor refused is left for the
// daemon: after a nil error no recipient is without a reply that counts.
func (m *mailer) handOver(ctx context.Context, env *smtp.Envelope, content *aside) ([]smtp.Reply, error) {
	if most := m.limits.MessageSize; most > 0 && content.Size() > most { // nobody would be told later
		return slices.Repeat([]smtp.Reply{tooBig}, len(env.Recipients)), nil
	}
	replies, cause := m.offer(ctx, env, content)
	for _, r := range replies {
		if r.Transient() {
			cause = errors.Join(cause, r)
		}
	}
	if err := m.leave(env, replies, content, undecided); err != nil {
		return replies, fmt.Errorf("%w; nor can it be left for later: %w", cause, err)
	}
	if cause != nil && m.o.Trace != nil {
		fmt.Fprintf(m.stderr, "left for the daemon: %s\n", printable(cause.Error()))
	}
	return replies, nil
}

// undecided says whether a reply, or that there is none, leaves a message with us.
func undecided(r smtp.Reply) bool { return !r.Positive() && !r.Permanent() }

// leave leaves the message of some recipients where the daemon finds it, and gives them the reply for that. It is several messages
// where they are more than the daemon takes at once.
func (m *mailer) leave(env *smtp.Envelope, replies []smtp.Reply, content *aside, whose func(smtp.Reply) bool) error {
	var rest []int
	for i, r := range replies {
		if whose(r) {
			rest = append(rest, i)
		}
	}
	for some := range slices.Chunk(rest, cmp.Or(m.limits.Recipients, len(rest), 1)) {
		part := *env
		part.Recipients = nil
		for _, i := range some {
			part.Recipients = append(part.Recipients, env.Recipients[i])
		}
		if err := pickup.Drop(m.drop, &part, content); err != nil {
			return err
		}
		for _, i := range some {
			replies[i] = left
		}
	}
	return nil
}

// offer offers a message to the daemon. A reply that is zero is one that never came.
func (m *mailer) offer(ctx context.Context, env *smtp.Envelope, content *aside) ([]smtp.Reply, error) {
	replies := make([]smtp.Reply, len(env.Recipients))
	conn, err := m.connect(ctx)
	if err != nil {
		return replies, err
	}
	defer conn.Close()
	results, err := conn.Send(ctx, client.Message{
		From: env.From, Recipients: env.Recipients, Content: content.reader(), LineEnds: client.AsIs, Size: content.Size(),
		PRDR: true, Body: env.Body, UTF8: env.UTF8, Ret: env.Ret, EnvID: env.EnvID,
	})
	for i, r := range results {
		if r.Reply.Code != authRequired {
			replies[i] = r.Reply
			continue
		}
		// It does not know us there (RFC 4954 §6). By who owns a file it does.
		err = cmp.Or(err, error(r.Reply))
	}
	if err == nil {
		_ = conn.Quit(ctx) // the replies are here
	}
	return replies, err
}

// connect begins a session.
func (m *mailer) connect(ctx context.Context) (*client.Conn, error) {
	if m.socket == "" {
		return nil, errors.New("no listener for submission on a unix socket is configured")
	}
	conn, err := client.Dial(ctx, client.Address{Dialect: client.ESMTP(), Network: "unix", Name: m.socket}, m.o)
	if err != nil || m.open || !slices.Contains(conn.AuthTypes(), "EXTERNAL") {
		return conn, err
	}
	if err := conn.Auth(ctx, "EXTERNAL", auth.Credentials{}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
