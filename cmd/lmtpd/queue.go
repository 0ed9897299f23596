package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/urfave/cli/v2"

	"lmtpd/delivery/spool"
)

const queueDescription = `The queue holds what was submitted, or sent on because of an alias, until it is delivered, relayed or returned. These commands
work on it whether or not a daemon runs; a running one notices within a second.`

// queueCommand looks into the queue.
func queueCommand() *cli.Command {
	asJSON := &cli.BoolFlag{Name: "json", Usage: "print a JSON object per message, one a line", DisableDefaultText: true}
	return &cli.Command{
		Name:        "queue",
		Usage:       "look into the queue of submitted mail and change what is in it",
		Description: queueDescription,
		Subcommands: []*cli.Command{{
			Name:  "list",
			Usage: "list messages, oldest first, with their recipients that are not done: state, attempts, the last reply",
			Flags: append(queueFlags(), asJSON,
				&cli.StringFlag{Name: "from", Usage: "only what account or reverse-path `SENDER` has sent, <> for notifications"},
				&cli.StringFlag{Name: "to", Usage: "only what recipient `ADDRESS` has not got yet"},
				&cli.StringFlag{Name: "destination", Usage: "only what goes to `NAME`, as the list has it"}),
			Action: onQueue(listQueue),
		}, {
			Name:      "show",
			Usage:     "print a message: its envelope, then its content with LF line ends",
			ArgsUsage: "ID",
			Flags: append(queueFlags(), &cli.BoolFlag{Name: "json", Usage: "print the envelope alone, as a JSON object", DisableDefaultText: true},
				&cli.BoolFlag{Name: "content", Usage: "print the content alone, octet for octet", DisableDefaultText: true}),
			Action: onQueue(showQueued),
		},
			changeCommand("retry", "attempt messages now", (*spool.Queue).Retry),
			changeCommand("hold", "keep messages from being attempted until they are released", (*spool.Queue).Hold),
			changeCommand("release", "attempt messages that were held", (*spool.Queue).Release),
			changeCommand("remove", "delete messages, and tell nobody", (*spool.Queue).Remove),
			{
				Name:  "flush",
				Usage: "attempt everything now that waits for its time; held messages stay so",
				Flags: queueFlags(),
				Action: onQueue(func(c *cli.Context, q *spool.Queue) error {
					return q.Flush(c.Context)
				}),
			}},
	}
}

func queueFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "read the configuration from `FILE`"},
		&cli.StringFlag{Name: "data", Usage: "the queue is under `DIR`"},
	}
}

// changeCommand is a command that does something with messages.
func changeCommand(name, usage string, do func(*spool.Queue, context.Context, ...string) (int, error)) *cli.Command {
	return &cli.Command{
		Name:      name,
		Usage:     usage,
		ArgsUsage: "ID…",
		Flags:     queueFlags(),
		Action: onQueue(func(c *cli.Context, q *spool.Queue) error {
			_, err := do(q, c.Context, c.Args().Slice()...)
			return err
		}),
	}
}

// onQueue makes an action of what is to be done with the queue. Where there was no daemon yet, there is none.
func onQueue(do func(*cli.Context, *spool.Queue) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		cfg, err := loadConfig(c)
		if err != nil {
			return err
		}
		q, err := spool.OpenQueue(c.Context, spoolPath(cfg.Data))
		if errors.Is(err, fs.ErrNotExist) {
			return cli.Exit(fmt.Errorf("no mail has been queued below %s", cfg.Data), exIOErr)
		}
		if err != nil {
			return err
		}
		return errors.Join(do(c, q), q.Close())
	}
}

func showQueued(c *cli.Context, q *spool.Queue) error {
	m, content, err := q.Show(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	defer content.Close()
	switch {
	case c.Bool("content"):
		_, err = io.Copy(c.App.Writer, content)
		return err
	case c.Bool("json"):
		return printQueued(c, m)
	}
	if err := printQueued(c, m); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	w := &lfWriter{w: bufio.NewWriter(c.App.Writer)}
	_, err = io.Copy(w, content)
	return errors.Join(err, w.Flush())
}
