package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// readCredentials reads as whom to authenticate, if that is asked for.
func (s *connection) readCredentials(c *cli.Context) (err error) {
	s.mechanism = strings.ToUpper(c.String("auth"))
	s.credentials.Name, s.credentials.As = c.String("user"), c.String("as")
	fromStdin := c.String("password-file") == "-" || c.String("token-file") == "-"
	switch {
	case !s.authenticate:
		return nil
	case c.IsSet("password-file") && c.IsSet("token-file"):
		return usage(c, "--password-file and --token-file: give one of them")
	case fromStdin && takesStdin(c):
		return usage(c, "standard input cannot be both the secret and the message: name a FILE")
	case s.mechanism == "EXTERNAL": // the certificate, or the kernel, says who it is
		return nil
	case s.credentials.Name == "":
		return usage(c, "--user NAME is missing")
	case c.IsSet("token-file"):
		s.credentials.Token, err = secretFrom(c, c.String("token-file"))
		return err
	case c.String("password-file") == "-":
		s.credentials.Password, err = passwordFrom(c.App.Reader)
		return err
	case !c.IsSet("password-file") && !isTerminal(c.App.Reader):
		return usage(c, "standard input is no terminal to ask for the password: give --password-file FILE")
	}
	s.credentials.Password, err = readPassword(c, "Password of "+s.credentials.Name+": ")
	return err
}

// takesStdin says whether a command reads its message from standard input.
func takesStdin(c *cli.Context) bool {
	if c.Command.Name != "send" || c.Bool("test") || c.Bool("auth-types") {
		return false
	}
	return !c.Args().Present() || slices.Contains(c.Args().Slice(), "-")
}

// secretFrom reads a secret of one line, from standard input if that is meant.
func secretFrom(c *cli.Context, name string) (string, error) {
	if name == "-" {
		return passwordFrom(c.App.Reader)
	}
	return readSecretFile(name)
}
