package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

const sendDescription = `FILE is a message with LF or CRLF line ends; "-" is standard input, and so is no FILE at all, unless it is a
terminal: then a message is made up, as with --test. Several files go over one connection, one after the other.
A message goes out as it is, but for --header: such a field is put first, and those of the same name are taken
out.

The content is looked through before: BODY=8BITMIME is said if there are octets beyond ASCII, and SMTPUTF8 if
they are in an address, or in the header and the server offers it.

TLS begins with the first octet at lmtps:// and smtps:// or with --tls implicit, otherwise when the client asks
for it. With --tls starttls or implicit the certificate has to be good: of a CA of the system or of --ca, and
for the name of the server; or the one whose --fingerprint is given. With --tls opportunistic there is TLS if
the server offers it, and nobody's certificate is looked at. Without --tls it is starttls where the client
authenticates or a certificate is named, and else opportunistic; to a server on this host it is opportunistic or
none, and through a unix socket none.

With --user the client authenticates, by the strongest mechanism that both sides know, or by that of --auth.
Without a file the password is asked for. It is never sent where others can listen, unless --auth names a
mechanism that does so.

One line per recipient tells the server's reply; "unknown" means that the connection was lost before the reply,
so that the message may be there or not.

The exit code is 0 if the server took the message for every recipient, 69 if it refused one for good, and
otherwise 75: one was deferred or has no reply, or the server could not be reached. If some were refused for
good and others deferred it is 69, since trying again cannot help all of them. It is 64 if the command line is
wrong, 65 for a malformed address, 74 if FILE cannot be read, 77 if the system denies the file or the socket, or
the password is wrong. Of several files it is the worst of these.`

func sendCommand() *cli.Command {
	return &cli.Command{
		Name:        "send",
		Usage:       "hand messages to a server over LMTP or ESMTP and tell its reply for every recipient",
		ArgsUsage:   "[FILE…]",
		Description: sendDescription,
		Flags:       slices.Concat([]cli.Flag{serverFlag()}, envelopeFlags(), sendFlags(), connectionFlags()),
		Action:      send,
	}
}

func serverFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "server", Value: "lmtp://127.0.0.1:2424",
		Usage: "`URL`: lmtp://HOST:PORT, lmtps://, smtp://, submission://, smtps://, lmtp+unix:PATH or smtp+unix:PATH",
	}
}

// sendFlags are about the content, and about what is told.
func sendFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "header", Usage: "put `FIELD` first, as in 'Subject: hello', in place of those of this name; may be repeated"},
		&cli.BoolFlag{Name: "test", Usage: "send a message that is made up", DisableDefaultText: true},
		&cli.BoolFlag{Name: "auth-types", Usage: "print the mechanisms of authentication that the server offers, one a line, and send nothing", DisableDefaultText: true},
		&cli.BoolFlag{Name: "verbose", Usage: "show the dialogue on standard error", DisableDefaultText: true},
		&cli.BoolFlag{Name: "json", Usage: "print a JSON object per recipient, one a line", DisableDefaultText: true},
	}
}

func send(c *cli.Context) error {
	server, err := readConnection(c, c.String("server"))
	if err != nil {
		return err
	}
	if c.Bool("auth-types") {
		return printAuthTypes(c, server)
	}
	if !c.IsSet("to") {
		return usage(c, "--to ADDRESS is missing")
	}
	files, err := sendFiles(c)
	if err != nil {
		return err
	}
	m, err := sendEnvelope(c)
	if err != nil {
		return err
	}
	s := &sending{c: c, server: server, message: m, several: len(files) > 1}
	defer s.hangUp()
	var worst error
	for _, name := range files {
		worst = worstExit(worst, s.complain(name, s.send(name)))
		if c.Context.Err() != nil {
			break
		}
	}
	return worst
}

// sendFiles is what is to be sent: names, "-" for standard input, or "" for a message that is made up.
func sendFiles(c *cli.Context) ([]string, error) {
	files := c.Args().Slice()
	for _, text := range c.StringSlice("header") {
		if _, err := parseField(text); err != nil {
			return nil, usage(c, "%s", err)
		}
	}
	switch {
	case c.Bool("test") && len(files) > 0:
		return nil, usage(c, "--test, or a FILE")
	case len(files) > 0:
		return files, nil
	case c.Bool("test") || isTerminal(c.App.Reader):
		return []string{""}, nil
	}
	return []string{"-"}, nil
}

// A sending is several messages on their way, to the same recipients.
type sending struct {
	c       *cli.Context
	server  connection
	message client.Message // without a content
	several bool
	conn    *client.Conn // nil: none, yet or any more
}

// send sends one of them in a transaction of its own. A connection that is lost is made anew for the next.
func (s *sending) send(name string) error {
	content, err := openContent(s.c, name, s.message)
	if err != nil {
		return err
	}
	defer content.close()
	if s.conn == nil {
		if s.conn, err = s.server.dial(s.c.Context); err != nil {
			return sendExit(nil, err)
		}
	}
	m := s.message
	if err := content.describe(&m, s.conn.Extensions()); err != nil {
		return err
	}
	var done func()
	m.Content, done = sendProgress(s.c, content)
	results, err := s.conn.Send(s.c.Context, m)
	done()
	if err != nil {
		s.conn.Close()
		s.conn = nil
	}
	if err := s.report(name, results); err != nil {
		return err
	}
	return sendExit(results, err)
}

// complain tells at once what went wrong with one of several files.
func (s *sending) complain(name string, err error) error {
	if err == nil || !s.several {
		return err
	}
	if text := err.Error(); text != "" {
		fmt.Fprintf(s.c.App.ErrWriter, "lmtpd: %s: %s\n", printable(name), printable(text))
	}
	return cli.Exit("", exitCode(err))
}

// hangUp ends the session. The replies are here: how it ends changes nothing.
func (s *sending) hangUp() {
	if s.conn != nil {
		_ = s.conn.Quit(context.WithoutCancel(s.c.Context))
	}
}

// worstExit returns the worse of two errors, as their exit codes have it.
func worstExit(a, b error) error {
	order := []int{exOK, exTempFail, exNoPerm, exIOErr, exUnavailable}
	rank := func(err error) int {
		if i := slices.Index(order, exitCode(err)); i >= 0 {
			return i
		}
		return len(order)
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// badCredentials is the code for a password that is wrong (RFC 4954 §6).
const badCredentials = 535

// sendExit turns what is known into the exit code; err is why the transaction broke off, if it did.
func sendExit(results []client.Result, err error) error {
	refusal, refused := errors.AsType[smtp.Reply](err)
	permanent := refused && refusal.Permanent() || isUseless(err)
	all := len(results) > 0
	for _, r := range results {
		permanent = permanent || r.Reply.Permanent()
		all = all && r.Delivered()
	}
	code := exTempFail
	var file *os.PathError
	switch {
	case refused && refusal.Code == badCredentials:
		code = exNoPerm
	case permanent:
		code = exUnavailable
	case errors.As(err, &file):
		code = exIOErr
	case errors.Is(err, fs.ErrPermission):
		code = exNoPerm
	case all:
		return nil
	}
	if err == nil {
		return cli.Exit("", code) // the recipients' lines have told it
	}
	return cli.Exit(printable(err.Error()), code)
}
