package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/server"
)

const serveDescription = `Without a configuration it listens for LMTP on 127.0.0.1:2424, keeps everything under ./lmtpd-data and takes
mail for any local-part at localhost.

SIGTERM or SIGINT: sessions that wait hear 421, messages in progress are finished, for at most the configured
time; a second one ends it at once. SIGHUP does nothing: start it anew to change the configuration.`

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:        "serve",
		Usage:       "take mail over LMTP, and submitted mail, and deliver it",
		Description: serveDescription,
		Flags:       configFlags(),
		Action:      serve,
	}
}

func serve(c *cli.Context) error {
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(c.Context, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process as it would have without us
	cfg.useThreads()
	log := newLog(c.App.ErrWriter, cfg.Log)
	d, err := newDaemon(cfg, log)
	if err != nil {
		return err
	}
	log.Info("ready: "+d.summary(), "version", c.App.Version, "uid", os.Getuid())
	ballast := make([]byte, ballastSize())
	defer runtime.KeepAlive(ballast)
	return d.run(ctx)
}

// ballastSize is how much of the heap is never used, and thus takes no memory, but lets it grow by as much between two
// garbage collections. Each of the threads below keeps spans of every size of object for itself, 2 MB in all, which with
// a heap of 2 MB called for a collection every 80 messages: so it is half a megabyte for each, and not less than 2.
// GOGC would do the same in proportion, and ten thousand open sessions would then take several times the memory.
func ballastSize() int { return max(2, runtime.GOMAXPROCS(0)/2) << 20 }

// useThreads lets more threads run Go code than there are processors. A delivery into a maildir waits in fsync most of its
// time and keeps its place among those threads until the scheduler notices: with 16 in place of 2, deliveries
// per second rose by 40 % at 32 sessions and 65 % at 100 on two processors, and their p99 fell to a third. A database has one
// writer that waits: there 4 were better than 16 by some percent and better than 2 at 100 sessions.
func (cfg *Config) useThreads() {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	n := max(4, runtime.NumCPU())
	if slices.ContainsFunc(cfg.Mailboxes, func(m Mailboxes) bool { return m.Store.Kind == "maildir" }) {
		n = max(16, 4*runtime.NumCPU())
	}
	runtime.GOMAXPROCS(n)
}

// newLog returns the log that the configuration asks for.
func newLog(w io.Writer, cfg Log) *slog.Logger {
	o := &slog.HandlerOptions{Level: cfg.Level, ReplaceAttr: levelNames}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// levelNames gives the level below debug its name.
func levelNames(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == server.LevelTrace {
		a.Value = slog.StringValue("TRACE")
	}
	return a
}

// exitFor gives an error of the start its exit code.
func exitFor(err error) error {
	var coder cli.ExitCoder
	switch {
	case err == nil, errors.As(err, &coder):
		return err
	case errors.Is(err, os.ErrPermission):
		return cli.Exit(err, exNoPerm)
	}
	return cli.Exit(err, exCantCreate)
}
