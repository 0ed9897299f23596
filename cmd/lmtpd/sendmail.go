package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/smtp"
)

const sendmailDescription = `It does what programs expect of /usr/sbin/sendmail, and does it as soon as it is called by that name: link it
there, and mailq and newaliases too.

   -t            recipients are those of To, Cc and Bcc as well; Bcc is taken out
   -i, -oi       a dot on a line of its own is text, and not the end
   -f, -r ADDR   reverse-path; without it, the user at this host. "" or <> is the null one
   -F NAME       full name of the user, for From if there is none
   -B TYPE       7BIT or 8BITMIME
   -N, -R, -V    what to notify the sender of: NOTIFY, RET and ENVID of RFC 3461
   -bm           take a message from standard input, which is what it does anyway
   -bs           speak ESMTP on standard input and output
   -bp           print the queue
   -v            show the dialogue on standard error
   -C FILE, --config FILE
                 the configuration; else that of $LMTPD_CONFIG, else /etc/lmtpd/lmtpd.toml if it is there

The other options of Sendmail and Postfix are taken and mean nothing here, or have to be given to the daemon. A
recipient without a domain is at this host. From, Date and Message-ID are put in where they are missing.

The message goes to the submission listener on a unix socket, which knows by the system who calls. If that does
not answer, or cannot take the message now, it is left in the directory drop below data, and the daemon sends it
when it is there again: then all is well. The directory has to be there; lmtpd serve makes it.

The exit code is 0 if the message was taken or left, 64 if the command line is wrong or there is no recipient,
65 for a malformed address, 67 if there is no such recipient, 69 if it was refused, 75 if it could be neither
handed over nor left: try again. 78 is a mistake in the configuration. Who was refused is told on standard
error; the others have the message.`

func sendmailCommand() *cli.Command {
	return &cli.Command{
		Name:            "sendmail",
		Usage:           "hand over a message of this host, called as programs call sendmail",
		ArgsUsage:       "[OPTION…] [RECIPIENT…]",
		Description:     sendmailDescription,
		SkipFlagParsing: true,
		HideHelpCommand: true,
		Action:          sendmail,
	}
}

// asSendmail turns a call under one of sendmail's names into the command.
func asSendmail(program string, args []string) []string {
	command := []string{"lmtpd", "sendmail"}
	switch program {
	case "mailq":
		command = append(command, "-bp")
	case "newaliases":
		command = append(command, "-bi")
	case "sendmail":
	default:
		return append([]string{program}, args...)
	}
	return append(command, args...)
}

func sendmail(c *cli.Context) error {
	o, err := parseSendmail(c.Args().Slice())
	switch {
	case err != nil:
		return usage(c, "%s", err)
	case o.help:
		return cli.ShowSubcommandHelp(c)
	case o.mode == modeNothing:
		return nil
	case o.mode == modeQueue:
		return printQueue(c, o)
	}
	m, err := newMailer(c, o)
	if err != nil {
		return err
	}
	if o.mode == modeSession {
		return m.converse(c.Context, c.App.Reader, c.App.Writer)
	}
	return sendDraft(c, m, o)
}

// sendDraft hands over the message on standard input.
func sendDraft(c *cli.Context, m *mailer, o sendmailOptions) error {
	if len(o.recipients) == 0 && !o.extract {
		return usage(c, "there is no recipient")
	}
	l, err := m.readDraft(o, c.App.Reader)
	switch {
	case errors.Is(err, errNoRecipient):
		return usage(c, "%s", err)
	case errors.Is(err, errAddress), errors.Is(err, errHeaderTooLong):
		return cli.Exit(err, exDataErr)
	case err != nil:
		return err
	}
	defer l.content.Close()
	replies, err := m.handOver(c.Context, &l.env, l.content)
	return m.report(&l.env, replies, err)
}

// report tells of the recipients who do not have the message; cause is why it was not left for later.
func (m *mailer) report(env *smtp.Envelope, replies []smtp.Reply, cause error) error {
	code := exOK
	for i, r := range replies {
		if r.Positive() {
			continue
		}
		code = worse(code, r)
		if !r.IsZero() {
			fmt.Fprintf(m.stderr, "lmtpd: %s: %s\n", printable(env.Recipients[i].To.String()), replyText(r))
		}
	}
	switch {
	case code == exOK:
		return nil
	case cause != nil:
		return cli.Exit(printable(cause.Error()), code)
	}
	return cli.Exit("", code)
}

// worse is the exit code after one more recipient without the message: to try again helps at least one, or something was
// refused, or there are no such recipients.
func worse(code int, r smtp.Reply) int {
	switch {
	case code == exTempFail || undecided(r):
		return exTempFail
	case code != exUnavailable && r.Status == smtp.StatusNoMailbox:
		return exNoUser
	}
	return exUnavailable
}

// printQueue lists the queue.
func printQueue(c *cli.Context, o sendmailOptions) error {
	args := []string{c.App.Name, "queue", "list"}
	if file := o.configFile(); file != "" {
		args = append(args, "--config", file)
	}
	return c.App.RunContext(c.Context, args)
}

// systemConfig is where the configuration is when nobody says where.
const systemConfig = "/etc/lmtpd/lmtpd.toml"

// configFile is the configuration to read, "" for none.
func (o sendmailOptions) configFile() string {
	if o.config != "" {
		return o.config
	}
	if file := os.Getenv("LMTPD_CONFIG"); file != "" {
		return file
	}
	if _, err := os.Stat(systemConfig); err == nil || !errors.Is(err, os.ErrNotExist) {
		return systemConfig
	}
	return ""
}
