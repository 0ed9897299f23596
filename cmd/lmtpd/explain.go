package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// explainCommand tells what RCPT would answer.
func explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "tell what RCPT would answer for ADDRESS, and why",
		ArgsUsage: "ADDRESS",
		Flags: append(storeFlags(),
			&cli.StringFlag{Name: "from", Usage: "ask for a message from `A`; default: the null reverse-path"},
			&cli.StringFlag{Name: "size", Usage: "ask for a message of `N` octets, as in 10MiB"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		),
		Action: explainAddress,
	}
}

func explainAddress(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage(c, "give one ADDRESS")
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	env, to, err := cfg.question(c)
	if err != nil {
		return err
	}
	for _, m := range cfg.Mailboxes {
		if err := storeThere(m); err != nil {
			return err
		}
	}
	return withStores(c, cfg, func(stores []store.Store) error {
		log := slog.New(slog.DiscardHandler)
		blocks, err := cfg.blocks(stores, log)
		if err != nil {
			return err
		}
		agent, err := delivery.New(delivery.Config{Hostname: cfg.Hostname, Blocks: blocks, Now: time.Now, Log: log})
		if err != nil {
			return err
		}
		ex := agent.Explain(c.Context, env, to)
		if err := printExplanation(c, ex); err != nil {
			return fmt.Errorf("write the explanation: %w", err)
		}
		return verdict(ex.Reply)
	})
}

// question is what RCPT would be asked.
func (cfg *Config) question(c *cli.Context) (*smtp.Envelope, smtp.Recipient, error) {
	env, arg := &smtp.Envelope{}, c.Args().First()
	path, err := cfg.parseAddress(arg)
	if err != nil {
		return nil, smtp.Recipient{}, err
	}
	if from := c.String("from"); from != "" && from != "<>" {
		if env.From, err = smtp.ParseMailbox(from, smtp.UTF8); err != nil {
			return nil, smtp.Recipient{}, cli.Exit(fmt.Errorf("--from %q: %w", from, err), exDataErr)
		}
	}
	if size := c.String("size"); size != "" {
		if env.Size, err = parseSize(size); err != nil {
			return nil, smtp.Recipient{}, usage(c, "--size: %v", err)
		}
		if most := cfg.Limits.MessageSize; env.Size > most {
			err = fmt.Errorf("there is no RCPT for a message of %s: MAIL is answered 552 5.3.4, since message_size is %s", octets(env.Size), octets(most))
			return nil, smtp.Recipient{}, cli.Exit(err, exUnavailable)
		}
	}
	return env, smtp.Recipient{To: path}, nil
}

// An explanationRecord is what --json tells.
type explanationRecord struct {
	Address string       `json:"address"`
	Steps   []stepRecord `json:"steps"`
	Code    int          `json:"code"`
	Status  string       `json:"status"`
	Text    string       `json:"text"`
}

type stepRecord struct {
	What  string `json:"what"`
	Found string `json:"found"`
}

func printExplanation(c *cli.Context, ex delivery.Explanation) error {
	if c.Bool("json") {
		r := explanationRecord{c.Args().First(), []stepRecord{}, ex.Reply.Code, ex.Reply.Enhanced(), ex.Reply.Text}
		for _, s := range ex.Steps {
			r.Steps = append(r.Steps, stepRecord(s))
		}
		e := json.NewEncoder(c.App.Writer)
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
	for _, s := range ex.Steps {
		fmt.Fprintf(w, "%s\t%s\n", s.What, printable(s.Found))
	}
	fmt.Fprintf(w, "reply\t%s\n", printable(ex.Reply.String()))
	return w.Flush()
}

// verdict turns the reply into an exit code; it is told already.
func verdict(r smtp.Reply) error {
	switch {
	case r.Positive():
		return nil
	case r.Transient():
		return cli.Exit("", exTempFail)
	case r.Status == smtp.StatusNoMailbox:
		return cli.Exit("", exNoUser)
	}
	return cli.Exit("", exUnavailable)
}
