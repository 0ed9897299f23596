package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

const userDescription = `An account is named by an address, or by a bare local-part where accounts have no domain. They are in --accounts
URL (file:PATH or sqlite:PATH), or where the block of --config FILE looks them up that has the domain. A daemon that
runs sees a change by itself.

A password is read from a file, from standard input, or from the terminal without echo; a line end behind it does
not count. It is never given on the command line, where others can read it.

The exit code is 0; 64 if the command line is wrong, 65 for a malformed address, password or hash, 67 if there is no
such account, 73 if there is one already or a file cannot be made, 75 if somebody else is changing the accounts, 77 if
the password is wrong or the system denies a file, 78 if the accounts have mistakes.`

// userCommand changes accounts, in the files and databases themselves, whether or not a daemon runs.
func userCommand() *cli.Command {
	asJSON := &cli.BoolFlag{Name: "json", Usage: "write JSON", DisableDefaultText: true}
	scheme := &cli.StringFlag{Name: "scheme", Value: password.Default, Usage: "hash the password with `SCHEME`"}
	return &cli.Command{
		Name:        "user",
		Usage:       "add, change and list accounts",
		Description: userDescription,
		Subcommands: []*cli.Command{{
			Name:      "add",
			Usage:     "add an account; the file or database is made if there is none",
			ArgsUsage: "ADDRESS",
			Flags:     userFlags(append(passwordFlags(), append(accountFlags(), scheme)...)...),
			Action:    addUser,
		}, {
			Name:      "passwd",
			Usage:     "change the password of an account",
			ArgsUsage: "ADDRESS",
			Flags:     userFlags(append(passwordFlags(), scheme)...),
			Action:    onEntry(setPassword),
		}, {
			Name:      "verify",
			Usage:     "tell whether a password is that of an account: exit code 0 if so, 77 if not",
			ArgsUsage: "ADDRESS",
			Flags:     userFlags(passwordFlags()...),
			Action:    verifyUser,
		}, {
			Name:      "remove",
			Usage:     "remove an account; its mail stays",
			ArgsUsage: "ADDRESS",
			Flags:     userFlags(),
			Action:    onEntry(removeUser),
		}, {
			Name:   "list",
			Usage:  "list accounts: name, scheme of the password, octets and messages of the quota, what is disabled",
			Flags:  userFlags(asJSON),
			Action: listUsers,
		}, {
			Name:      "disable",
			Usage:     "bar an account from login and delivery, or from one of them",
			ArgsUsage: "ADDRESS",
			Flags:     userFlags(barFlags()...),
			Action: onEntry(func(c *cli.Context, e userEntry) error {
				return changeBars(c, e, func(bar *bool) { *bar = true })
			}),
		}, {
			Name:      "enable",
			Usage:     "undo disable",
			ArgsUsage: "ADDRESS",
			Flags:     userFlags(barFlags()...),
			Action: onEntry(func(c *cli.Context, e userEntry) error {
				return changeBars(c, e, func(bar *bool) { *bar = false })
			}),
		}},
	}
}

// userFlags are those of all commands on accounts, and more.
func userFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "accounts", Usage: "the accounts are in `URL`, as in file:/etc/lmtpd/users"},
		&cli.StringFlag{Name: "config", Usage: "the accounts are where the configuration `FILE` looks them up"},
	}, more...)
}

func barFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "login", Usage: "login alone", DisableDefaultText: true},
		&cli.BoolFlag{Name: "delivery", Usage: "delivery alone", DisableDefaultText: true},
	}
}

// A userEntry is one account in its book, there or not.
type userEntry struct {
	book accountBook
	name string
}

// findEntry finds out which account the argument names, whether or not it is there.
func findEntry(c *cli.Context) (userEntry, error) {
	all, err := accountPlaces(c)
	if err != nil {
		return userEntry{}, err
	}
	place, name, err := all.of(c.Args().First())
	if err != nil {
		return userEntry{}, err
	}
	book, err := openBook(place.url)
	return userEntry{book, name}, err
}

// onEntry makes an action of what is to be done with an account that is there.
func onEntry(do func(*cli.Context, userEntry) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		e, err := findEntry(c)
		if err != nil {
			return err
		}
		if _, err := e.book.find(e.name); err != nil {
			return err
		}
		return do(c, e)
	}
}

func setPassword(c *cli.Context, e userEntry) error {
	hash, err := newHash(c, e.name)
	if err != nil {
		return err
	}
	return e.book.edit(func(d accountDraft) error { return d.SetPassword(e.name, hash) })
}

func removeUser(_ *cli.Context, e userEntry) error {
	return e.book.edit(func(d accountDraft) error { return d.Remove(e.name) })
}

// changeBars sets or lifts the bars that the flags name, without one both.
func changeBars(c *cli.Context, e userEntry, change func(bar *bool)) error {
	both := !c.Bool("login") && !c.Bool("delivery")
	return e.book.edit(func(d accountDraft) error {
		a, err := d.Account(e.name)
		if err != nil {
			return err
		}
		if both || c.Bool("login") {
			change(&a.Disabled.Login)
		}
		if both || c.Bool("delivery") {
			change(&a.Disabled.Delivery)
		}
		return d.SetDisabled(e.name, a.Disabled)
	})
}

// verifyUser looks an account up as a login does.
func verifyUser(c *cli.Context) error {
	e, err := findEntry(c)
	if err != nil {
		return err
	}
	a, err := e.book.lookup(c.Context, e.name)
	if err != nil {
		return err
	}
	if a.Password == "" {
		return cli.Exit(fmt.Sprintf("%s has no password", a.Name), exNoPerm)
	}
	secret, err := readPassword(c, "Password for "+a.Name+": ")
	if err != nil {
		return err
	}
	switch err := password.Verify(a.Password, secret); {
	case errors.Is(err, password.ErrMismatch):
		return cli.Exit(fmt.Sprintf("%s: %v", a.Name, err), exNoPerm)
	case err != nil:
		return cli.Exit(fmt.Errorf("%s: %w", a.Name, err), exDataErr)
	}
	said := a.Name + ": the password is right"
	if a.Disabled.Login {
		said += ", but login is disabled"
	}
	_, err = fmt.Fprintln(c.App.Writer, said)
	return err
}

// addUser adds an account. It looks first whether it is there already, so that nobody is asked for a password in vain.
func addUser(c *cli.Context) error {
	a, err := newAccount(c)
	if err != nil {
		return err
	}
	e, err := findEntry(c)
	if err != nil {
		return err
	}
	a.Name = e.name
	if err := a.Check(); err != nil {
		return cli.Exit(fmt.Errorf("add %q: %w", a.Name, err), exDataErr)
	}
	all, err := e.book.accounts()
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return err
	}
	if hasAccount(all, e.name) {
		return fmt.Errorf("%s in %s: %w", e.name, e.book.url, account.ErrExists)
	}
	if !a.Disabled.Login || c.IsSet("password-file") || c.IsSet("password-stdin") {
		if a.Password, err = newHash(c, e.name); err != nil {
			return err
		}
	}
	if missing {
		if err := e.book.make(c); err != nil {
			return err
		}
	}
	return e.book.edit(func(d accountDraft) error { return d.Add(a) })
}
