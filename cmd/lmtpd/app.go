package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"
)

// An app is the program with everything it touches, so that a test can run it whole.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run does what args say, args[0] being the program's name, and returns the exit code. An error is one line
// on standard error; one without text has been told already.
func (a *app) run(ctx context.Context, args []string) int {
	err := a.application().RunContext(ctx, asSendmail(filepath.Base(args[0]), args[1:]))
	if err == nil {
		return exOK
	}
	var bad mistakes
	switch text := strings.TrimRight(err.Error(), "\n"); {
	case text == "":
	case errors.As(err, &bad):
		fmt.Fprintln(a.stderr, text) // each line begins with its own place
	default:
		fmt.Fprintf(a.stderr, "lmtpd: %s\n", text)
	}
	return exitCode(err)
}

func (a *app) application() *cli.App {
	application := &cli.App{
		Name:      "lmtpd",
		Usage:     "a mail delivery agent: LMTP in, mailboxes out",
		Version:   version(),
		Reader:    a.stdin,
		Writer:    a.stdout,
		ErrWriter: a.stderr,
		Commands: []*cli.Command{
			serveCommand(),
			checkCommand(),
			explainCommand(),
			sendCommand(),
			benchCommand(),
			mailboxCommand(),
			queueCommand(),
			userCommand(),
		},
		Action:       unknownCommand,
		OnUsageError: usageError,
		// The handler of the library would end the process, and with it deferred work and tests.
		ExitErrHandler: func(*cli.Context, error) {},
		// A local-part may hold a comma, so a list is given by repeating its flag.
		DisableSliceFlagSeparator: true,
	}
	for _, cmd := range application.Commands {
		strict(cmd)
	}
	application.Commands = append(application.Commands, sendmailCommand()) // its arguments are its own business
	return application
}

// version is what the module system knows of this build.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
