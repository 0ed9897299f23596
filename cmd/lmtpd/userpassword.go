package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"lmtpd/auth/password"
)

// passwordFlags say where a password is read from, if not from the terminal.
func passwordFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "password-file", Usage: "read the password from `FILE`"},
		&cli.BoolFlag{Name: "password-stdin", Usage: "read the password from standard input", DisableDefaultText: true},
	}
}

// newHash reads a new password and hashes it.
func newHash(c *cli.Context, name string) (string, error) {
	scheme := c.String("scheme")
	if !password.Makes(scheme) {
		return "", usage(c, "--scheme: %q is none of %s", scheme, strings.Join(password.Schemes(), ", "))
	}
	secret, err := readPassword(c, "New password for "+name+": ", "Once more: ")
	if err != nil {
		return "", err
	}
	hash, err := password.Hash(scheme, secret)
	if err != nil {
		return "", cli.Exit(err, exDataErr)
	}
	return hash, nil
}

// readPassword reads a password from where the flags say, or else from the terminal, once for each prompt.
func readPassword(c *cli.Context, prompts ...string) (string, error) {
	file := c.String("password-file")
	switch {
	case c.IsSet("password-file") && c.Bool("password-stdin"):
		return "", usage(c, "--password-file and --password-stdin: give one of them")
	case c.IsSet("password-file") && file == "":
		return "", usage(c, "--password-file is empty")
	case c.IsSet("password-file"):
		in, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		defer in.Close()
		return passwordFrom(in)
	case c.Bool("password-stdin"):
		return passwordFrom(c.App.Reader)
	}
	in, isFile := c.App.Reader.(*os.File)
	if !isFile || !term.IsTerminal(int(in.Fd())) {
		return "", usage(c, "standard input is no terminal to ask for the password: give --password-stdin or --password-file FILE")
	}
	return askTwice(in, c.App.ErrWriter, prompts)
}

// maxPasswordFile is far more than a password has.
const maxPasswordFile = 16 << 10

// passwordFrom reads a password that is all there is, but for one line end.
func passwordFrom(in io.Reader) (string, error) {
	octets, err := io.ReadAll(io.LimitReader(in, maxPasswordFile))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(octets), "\n"), "\r")
	switch {
	case secret == "":
		return "", cli.Exit("the password is empty", exDataErr)
	case strings.ContainsAny(secret, "\r\n"):
		return "", cli.Exit("the password has more than one line", exDataErr)
	}
	return secret, nil
}

// askTwice asks once for each prompt, and wants the same answer.
func askTwice(in *os.File, out io.Writer, prompts []string) (string, error) {
	var secret string
	for i, prompt := range prompts {
		answer, err := ask(in, out, prompt)
		switch {
		case err != nil:
			return "", err
		case answer == "":
			return "", cli.Exit("the password is empty", exDataErr)
		case i > 0 && answer != secret:
			return "", cli.Exit("the two passwords differ", exDataErr)
		}
		secret = answer
	}
	return secret, nil
}

// ask reads a line from a terminal that does not show it. Whoever interrupts gets the terminal back as it was.
func ask(terminal *os.File, out io.Writer, prompt string) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupted)
	fmt.Fprint(out, prompt)
	defer fmt.Fprintln(out)
	var secret []byte
	read := make(chan error, 1)
	go func() {
		var err error
		secret, err = term.ReadPassword(fd)
		read <- err
	}()
	select {
	case err = <-read:
	case <-interrupted:
		err = term.Restore(fd, before) // the process ends, and with it the reading
		return "", cli.Exit(errors.Join(errors.New("interrupted: nothing is changed"), err), exTempFail)
	}
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	return string(secret), nil
}
