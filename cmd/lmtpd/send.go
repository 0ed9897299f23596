package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

const sendDescription = `FILE is a message with LF or CRLF line ends; without it, or with "-", standard input is read. It goes out
as it is: nothing is put before it and no header is looked at.

One line per recipient tells the server's reply; "unknown" means that the connection was lost before the
reply, so that the message may be there or not.

The exit code is 0 if the server took the message for every recipient, 69 if it refused one for good, and
otherwise 75: one was deferred or has no reply, or the server could not be reached. If some were refused for
good and others deferred it is 69, since trying again cannot help all of them. It is 64 if the command line is
wrong, 65 for a malformed address, 74 if FILE cannot be read, 77 if the system denies the file or the socket.`

func sendCommand() *cli.Command {
	return &cli.Command{
		Name:        "send",
		Usage:       "hand a message to a server over LMTP and tell its reply for every recipient",
		ArgsUsage:   "[FILE]",
		Description: sendDescription,
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: "server", Value: "lmtp://127.0.0.1:2424", Usage: "`URL`: lmtp://HOST:PORT or lmtp+unix:PATH",
			},
			&cli.StringFlag{
				Name: "from", DefaultText: "you at this host", Usage: "reverse-path `ADDRESS`, <> for the null one",
			},
			&cli.StringSliceFlag{Name: "to", Usage: "recipient `ADDRESS`; repeated, or several divided by commas"},
			&cli.BoolFlag{Name: "verbose", Usage: "show the dialogue on standard error", DisableDefaultText: true},
			&cli.BoolFlag{Name: "json", Usage: "print a JSON object per recipient, one a line", DisableDefaultText: true},
		},
		Action: send,
	}
}

func send(c *cli.Context) error {
	address, err := client.ParseAddress(c.String("server"))
	if err != nil {
		return usage(c, "--server: %s", err)
	}
	if !c.IsSet("to") {
		return usage(c, "--to ADDRESS is missing")
	}
	m, err := sendEnvelope(c)
	if err != nil {
		return cli.Exit(err, exDataErr)
	}
	content, err := sendContent(c, &m)
	if err != nil {
		return err
	}
	defer content.Close()
	results, err := handOver(c.Context, address, sendOptions(c), m)
	if err := reportResults(c, m.Recipients, results); err != nil {
		return err
	}
	return sendExit(results, err)
}

// handOver sends m on a connection of its own. Without a connection there are no results.
func handOver(ctx context.Context, a client.Address, o client.Options, m client.Message) ([]client.Result, error) {
	conn, err := client.Dial(ctx, a, o)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	results, err := conn.Send(ctx, m)
	if err == nil {
		_ = conn.Quit(ctx) // the replies are here: how the session ends changes nothing
	}
	return results, err
}

// sendContent opens what is to be sent and puts it into m. The size of a file is an estimate, since its lines may
// end in LF; RFC 1870 §6.1 lets it be one.
func sendContent(c *cli.Context, m *client.Message) (io.Closer, error) {
	name := c.Args().First()
	if name == "" || name == "-" {
		m.Content = c.App.Reader
		return io.NopCloser(nil), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("read %s: it is a directory", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if info.Mode().IsRegular() {
		m.Size = info.Size()
	}
	m.Content = f
	return f, nil
}

func sendOptions(c *cli.Context) client.Options {
	o := client.Options{Hello: systemName()}
	if c.Bool("verbose") {
		o.Trace = func(d client.Direction, line string) {
			fmt.Fprintf(c.App.ErrWriter, "%s: %s\n", d, printable(line))
		}
	}
	return o
}

// sendExit turns what is known into the exit code; err is why the transaction broke off, if it did.
func sendExit(results []client.Result, err error) error {
	var refusal smtp.Reply
	permanent := errors.As(err, &refusal) && refusal.Permanent() || errors.Is(err, client.ErrNotOffered)
	all := len(results) > 0
	for _, r := range results {
		permanent = permanent || r.Reply.Permanent()
		all = all && r.Delivered()
	}
	code := exTempFail
	var file *os.PathError
	switch {
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
