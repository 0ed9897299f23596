package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"
)

const benchDescription = `Load is made on the server at URL, which is what --server of "lmtpd send" takes: it is given real mail for the recipients of
--to, which should be mailboxes of their own. "%d" in --to stands for a number, so that user%d@example.org with --mailboxes 100 is
user1 to user100. Each message goes to --recipients of them, beginning with one at random.

Without --rate a session sends its next message when it has all replies to the last: that is how fast the server is. With --rate
messages are due at that rate, whether the server keeps up or not, and latency counts from when a message was due, so that the
waiting for a free session is in it: that is how the server feels. A message that needs a connection has that in its latency
too; the first connection of each session is made before the clock starts. MB are of 10⁶ octets.

A message is counted, and its latency, if the server has taken it for a recipient at least; the others are counted by their
replies. With --watch the CPU and the memory of the server's processes are told, where shared memory is divided among them. An
interrupt ends it early, and what was measured is told; the messages under way get 10 seconds.

TLS and authentication are as with "lmtpd send". A session that fails 10 times in a row gives up.

The exit code is 0 if every message was taken for every recipient, 69 if one was refused for good, and otherwise 75; it is 64
if the command line is wrong, 65 for a malformed address, and 77 if the system denies the socket or the password is wrong.`

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:        "bench",
		Usage:       "make load on a server and tell how fast it takes mail",
		ArgsUsage:   "URL",
		Description: benchDescription,
		Flags:       slices.Concat(connectionFlags(), benchFlags()),
		Action:      bench,
	}
}

// benchFlags say what load to make.
func benchFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "to", Usage: "recipient `ADDRESS`; %d in it is a number"},
		&cli.StringFlag{Name: "mailboxes", Value: "100", Usage: "`N` numbers, from 1, or a range such as 0-99"},
		&cli.StringFlag{Name: "from", Value: "<>", Usage: "reverse-path `ADDRESS`, <> for the null one"},
		&cli.IntFlag{Name: "sessions", Aliases: []string{"c"}, Value: 8, Usage: "`N` sessions at once"},
		&cli.Int64Flag{Name: "messages", Aliases: []string{"n"}, Usage: "end after `N` messages"},
		&cli.DurationFlag{Name: "duration", Aliases: []string{"d"}, DefaultText: "10s without --messages", Usage: "end after `TIME`"},
		&cli.IntFlag{Name: "recipients", Value: 1, Usage: "`N` for each message"},
		&cli.StringFlag{Name: "size", Value: "10KiB", Usage: "`OCTETS` of content, or a range such as 1KiB-100KiB"},
		&cli.Float64Flag{Name: "rate", DefaultText: "as fast as the server is", Usage: "`N` messages a second are due"},
		&cli.Int64Flag{Name: "per-connection", DefaultText: "all", Usage: "`N` messages, then a new connection"},
		&cli.BoolFlag{Name: "chunking", Usage: "send content with BDAT where the server offers CHUNKING", DisableDefaultText: true},
		&cli.IntFlag{Name: "watch", Usage: "tell what process `PID` and its descendants use"},
		&cli.BoolFlag{Name: "json", Usage: "print a JSON object", DisableDefaultText: true},
	}
}

func bench(c *cli.Context) error {
	server, err := readConnection(c, c.Args().First())
	if err != nil {
		return err
	}
	plan, err := newBenchPlan(c)
	if err != nil {
		return usage(c, "%s", err)
	}
	if err := plan.address(c); err != nil {
		return err
	}
	sender := callersAddress()
	if !plan.envelope.From.IsNull() {
		sender = plan.envelope.From.String() // servers may want the two to agree
	}
	load := &benchLoad{
		plan:    plan,
		letters: newLetters(newID(), sender, time.Now()),
		dial:    server.dial,
		tally:   newBenchTally(),
	}
	report, err := measure(c, load)
	if err != nil {
		return err
	}
	report.Server = server.address.String()
	if err := printBench(c, report); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return benchExit(report, load.tally.permanent)
}

// measure makes the load and watches what it is asked to watch.
func measure(c *cli.Context, load *benchLoad) (benchReport, error) {
	var watched *watch
	if c.IsSet("watch") {
		var err error
		if watched, err = watchProcess(c.Int("watch")); err != nil {
			return benchReport{}, usage(c, "--watch %d: %s", c.Int("watch"), err)
		}
	}
	ctx, stop := interruptible(c)
	defer stop()
	shown, before := showLive(c.App.ErrWriter, load.tally), ownProcessor()
	took, err := load.run(ctx)
	own := ownProcessor() - before
	shown.end()
	var use *benchUse
	if watched != nil {
		use = watched.end()
	}
	if err != nil {
		return benchReport{}, sendExit(nil, err)
	}
	report := newBenchReport(load, took)
	report.Interrupted, report.Own, report.Watched = ctx.Err() != nil, own.Seconds(), use
	return report, nil
}

// benchExit turns what was counted into the exit code. The report has told the rest.
func benchExit(r benchReport, permanent bool) error {
	switch {
	case r.Refused > 0 || permanent:
		return cli.Exit("", exUnavailable)
	case r.Deferred+r.Unknown+r.NotSent > 0 || r.Messages == 0:
		return cli.Exit("", exTempFail)
	}
	return nil
}
