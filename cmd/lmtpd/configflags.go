package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"
)

// configFlags are the flags of the commands that need the whole configuration.
func configFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringSliceFlag{Name: "lmtp", Usage: "listen for LMTP at `ADDR` (unix:PATH or HOST:PORT) instead of what the configuration says; may be repeated"},
		&cli.StringSliceFlag{Name: "submission", Usage: "listen for submission with STARTTLS at `ADDR` instead of what the configuration says; may be repeated"},
		&cli.StringSliceFlag{Name: "submissions", Usage: "listen for submission with implicit TLS at `ADDR` instead of what the configuration says; may be repeated"},
	}, storeFlags()...)
}

// storeFlags are those of the commands that only need to find the mailboxes.
func storeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "read the configuration from `FILE`"},
		&cli.StringFlag{Name: "data", Usage: "keep everything without a place of its own under `DIR`"},
		&cli.StringFlag{Name: "store", Usage: "keep the mail of all domains in `URL`, as in maildir:/var/mail/%d/%n"},
		&cli.StringFlag{Name: "accounts", Usage: "look the accounts of all domains up in `URL`: any, system, file:PATH or sqlite:PATH"},
		&cli.StringSliceFlag{Name: "domain", Usage: "take mail for domain `D` instead of those of the configuration, into their store; may be repeated"},
	}
}

// overrides are the flags that replace parts of a configuration.
type overrides struct {
	config, data, store, accounts string
	domains                       []string
	listen                        map[string][]string // by protocol
}

// readOverrides reads the flags. One that is given has a value: an empty one is a variable of a script that was
// not set, and is not to mean the default.
func readOverrides(c *cli.Context) (overrides, error) {
	o := overrides{
		config:   c.String("config"),
		data:     c.String("data"),
		store:    c.String("store"),
		accounts: c.String("accounts"),
		domains:  c.StringSlice("domain"),
		listen:   map[string][]string{},
	}
	for _, protocol := range protocolWords {
		o.listen[protocol] = c.StringSlice(protocol)
	}
	for _, flag := range []struct {
		name   string
		values []string
	}{
		{"config", []string{o.config}}, {"data", []string{o.data}}, {"store", []string{o.store}},
		{"accounts", []string{o.accounts}}, {"domain", o.domains},
		{"lmtp", o.listen["lmtp"]}, {"submission", o.listen["submission"]}, {"submissions", o.listen["submissions"]},
	} {
		if c.IsSet(flag.name) && slices.Contains(flag.values, "") {
			return o, usage(c, "--%s is empty", flag.name)
		}
	}
	return o, nil
}

// apply lets flags replace what the file says: --lmtp all LMTP listeners, and so on; --store, --accounts and --domain all
// blocks by one.
func (o overrides) apply(cfg *Config, r *report) {
	if o.data != "" {
		flagValue(r, "data", o.data, parsePath, func(dir string) { cfg.Data = dir })
	}
	for _, protocol := range protocolWords {
		if len(o.listen[protocol]) > 0 {
			cfg.Listen = slices.DeleteFunc(cfg.Listen, func(l Listen) bool { return l.Protocol == protocol })
		}
	}
	for _, protocol := range protocolWords {
		o.applyListeners(protocol, cfg, r)
	}
	if o.store != "" || o.accounts != "" || len(o.domains) > 0 {
		cfg.Mailboxes = []Mailboxes{o.block(cfg.Mailboxes, r)}
	}
}

// applyListeners adds the listeners of one protocol.
func (o overrides) applyListeners(protocol string, cfg *Config, r *report) {
	for _, address := range o.listen[protocol] {
		flagValue(r, protocol, address, parseListener, func(l Listen) {
			l.setProtocol(protocol)
			if slices.ContainsFunc(cfg.Listen, func(other Listen) bool { return other.place() == l.place() }) {
				r.addFlag(protocol, fmt.Errorf("%s is given twice", address))
			}
			cfg.Listen = append(cfg.Listen, l)
		})
	}
}

// block makes one block of those of the file and the flags. What no flag gives is kept, and has to be the same in
// all blocks: to choose one would send mail astray.
func (o overrides) block(old []Mailboxes, r *report) Mailboxes {
	good := !r.found.inFile() // a value that is wrong is not there, and so differs from others
	block := Mailboxes{Terms: defaultTerms()}
	if len(old) > 0 {
		block = old[0]
		block.Domains = nil
	}
	if len(o.domains) == 0 {
		for _, m := range old {
			block.Domains = append(block.Domains, m.Domains...)
		}
	}
	for _, d := range o.domains {
		flagValue(r, "domain", d, parseDomain, func(d string) {
			if !slices.Contains(block.Domains, d) {
				block.Domains = append(block.Domains, d)
			}
		})
	}
	block.Search = o.store == "" && slices.ContainsFunc(old, func(m Mailboxes) bool { return m.Search })
	if o.store != "" {
		flagValue(r, "store", o.store, parseStore, func(u StoreURL) { block.Store = u })
	} else if good && differ(old, func(m Mailboxes) string { return m.Store.String() }) {
		r.addFlag(o.merging(), fmt.Errorf("the blocks of %s have different stores; give --store", o.config))
	}
	if o.accounts != "" {
		flagValue(r, "accounts", o.accounts, parseAccounts, func(s string) { block.Accounts = s })
	} else if good && differ(old, func(m Mailboxes) string { return cmp.Or(m.Accounts, defaultAccounts) }) {
		r.addFlag(o.merging(), fmt.Errorf("the blocks of %s have different accounts; give --accounts", o.config))
	}
	if good && differ(old, func(m Mailboxes) string { return fmt.Sprint(m.Aliases, m.Terms) }) {
		r.addFlag(o.merging(), fmt.Errorf("the blocks of %s have different aliases, details or quotas, and no flag is for these", o.config))
	}
	return block
}

// merging is the flag that makes one block of several.
func (o overrides) merging() string {
	switch {
	case len(o.domains) > 0:
		return "domain"
	case o.store != "":
		return "store"
	}
	return "accounts"
}

func differ(blocks []Mailboxes, what func(Mailboxes) string) bool {
	return slices.ContainsFunc(blocks, func(m Mailboxes) bool { return what(m) != what(blocks[0]) })
}

// flagValue parses the value of a flag and passes it on if it is good.
func flagValue[T any](r *report, flag, text string, parse func(string) (T, error), use func(T)) {
	v, err := parse(text)
	if err != nil {
		r.addFlag(flag, err)
		return
	}
	use(v)
}
