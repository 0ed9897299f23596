package main

import (
	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
)

// accountFlags are what can be said of a new account.
func accountFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "uid", Usage: "its files belong to `USER`, a name or number"},
		&cli.StringFlag{Name: "gid", Usage: "its files belong to `GROUP`, a name or number"},
		&cli.StringFlag{Name: "home", Usage: "its home is `DIR`"},
		&cli.StringFlag{Name: "mail", Usage: "its mail is at `PLACE`, as in maildir:~/Maildir"},
		&cli.StringFlag{Name: "quota", Usage: "its mailbox holds at most `SIZE`, as in 1GiB"},
		&cli.Int64Flag{Name: "messages", Usage: "its mailbox holds at most `N` messages", DefaultText: "no limit"},
		&cli.BoolFlag{Name: "no-login", Usage: "nobody logs in, and no password is asked for", DisableDefaultText: true},
		&cli.BoolFlag{Name: "no-delivery", Usage: "no mail is delivered", DisableDefaultText: true},
	}
}

// newAccount reads the flags of a new account.
func newAccount(c *cli.Context) (account.Account, error) {
	a := account.Account{
		UID:      -1,
		GID:      -1,
		Home:     c.String("home"),
		Mail:     c.String("mail"),
		Disabled: account.Disabled{Login: c.Bool("no-login"), Delivery: c.Bool("no-delivery")},
	}
	if c.IsSet("messages") {
		if a.Quota.Messages = c.Int64("messages"); a.Quota.Messages < 1 {
			return a, usage(c, "--messages: it takes a number of 1 or more")
		}
	}
	for _, flag := range []string{"home", "mail"} {
		if c.IsSet(flag) && c.String(flag) == "" {
			return a, usage(c, "--%s is empty", flag)
		}
	}
	var uid, gid, octets int64 = -1, -1, 0
	for _, flag := range []struct {
		name  string
		parse func(string) (int64, error)
		to    *int64
	}{
		{"uid", asInt64(parseUser), &uid}, {"gid", asInt64(parseGroup), &gid}, {"quota", parseSize, &octets},
	} {
		if !c.IsSet(flag.name) {
			continue
		}
		n, err := flag.parse(c.String(flag.name))
		if err != nil {
			return a, usage(c, "--%s: %v", flag.name, err)
		}
		*flag.to = n
	}
	a.UID, a.GID, a.Quota.Octets = int(uid), int(gid), octets
	return a, nil
}

func asInt64(parse func(string) (int, error)) func(string) (int64, error) {
	return func(s string) (int64, error) {
		n, err := parse(s)
		return int64(n), err
	}
}
