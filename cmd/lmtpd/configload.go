package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/smtp"
)

// configFlags are the flags of the commands that need the whole configuration.
func configFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringSliceFlag{Name: "lmtp", Usage: "listen for LMTP at `ADDR` (unix:PATH or HOST:PORT) instead of what the configuration says; may be repeated"},
	}, storeFlags()...)
}

// storeFlags are those of the commands that only need to find the mailboxes.
func storeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "read the configuration from `FILE`"},
		&cli.StringFlag{Name: "data", Usage: "keep everything without a place of its own under `DIR`"},
		&cli.StringFlag{Name: "store", Usage: "keep mail in `URL`, as in maildir:/var/mail/%d/%n, instead of what the configuration says"},
		&cli.StringFlag{Name: "accounts", Usage: "look accounts up in `URL`: any"},
		&cli.StringSliceFlag{Name: "domain", Usage: "take mail for domain `D`; may be repeated"},
	}
}

// overrides are the flags that replace parts of a configuration.
type overrides struct {
	config, data, store, accounts string
	lmtp, domains                 []string
}

// loadConfig makes the configuration from the flags of a command and the file that they name. The error is of
// type mistakes and holds all that is wrong with either.
func loadConfig(c *cli.Context) (*Config, error) {
	return overrides{
		config:   c.String("config"),
		data:     c.String("data"),
		store:    c.String("store"),
		accounts: c.String("accounts"),
		lmtp:     c.StringSlice("lmtp"),
		domains:  c.StringSlice("domain"),
	}.load()
}

func (o overrides) load() (*Config, error) {
	cfg := &Config{Data: defaultData, Limits: defaultLimits(), Log: Log{Format: "text"}}
	r := &report{file: o.config}
	if o.config != "" {
		data, err := os.ReadFile(o.config)
		if err != nil {
			return nil, cli.Exit(fmt.Errorf("read configuration: %w", err), exConfig)
		}
		cfg.File = o.config
		readConfig(cfg, data, r)
	}
	o.apply(cfg, r)
	if err := r.err(); err != nil {
		return nil, err
	}
	if err := cfg.complete(); err != nil {
		return nil, cli.Exit(err, exConfig)
	}
	return cfg, nil
}

// apply lets flags replace what the file says: --lmtp all LMTP listeners; --store, --accounts and --domain all
// blocks by one, which keeps the domains of the file unless others are given.
func (o overrides) apply(cfg *Config, r *report) {
	if o.data != "" {
		cfg.Data = o.data
	}
	if len(o.lmtp) > 0 {
		cfg.Listen = slices.DeleteFunc(cfg.Listen, func(l Listen) bool { return l.Protocol == "lmtp" })
		for _, address := range o.lmtp {
			flagValue(r, "lmtp", address, parseListener, func(l Listen) { cfg.Listen = append(cfg.Listen, l) })
		}
	}
	if o.store == "" && o.accounts == "" && len(o.domains) == 0 {
		return
	}
	block := Mailboxes{}
	for _, old := range cfg.Mailboxes {
		block.Domains = append(block.Domains, old.Domains...)
	}
	if len(o.domains) > 0 {
		block.Domains = nil
	}
	for _, d := range o.domains {
		flagValue(r, "domain", d, parseDomain, func(d string) {
			if !slices.Contains(block.Domains, d) {
				block.Domains = append(block.Domains, d)
			}
		})
	}
	if o.store != "" {
		flagValue(r, "store", o.store, parseStore, func(u StoreURL) { block.Store = u })
	}
	if o.accounts != "" {
		flagValue(r, "accounts", o.accounts, parseAccounts, func(s string) { block.Accounts = s })
	}
	cfg.Mailboxes = []Mailboxes{block}
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

// complete fills in every default that depends on something else.
func (cfg *Config) complete() error {
	if cfg.Hostname == "" {
		cfg.Hostname = systemName()
	}
	if len(cfg.Listen) == 0 {
		cfg.Listen = []Listen{newListen("tcp", defaultAddress)}
	}
	if len(cfg.Mailboxes) == 0 {
		cfg.Mailboxes = []Mailboxes{{}}
	}
	for i := range cfg.Mailboxes {
		if err := cfg.Mailboxes[i].complete(cfg.Data); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mailboxes) complete(data string) (err error) {
	if len(m.Domains) == 0 {
		m.Domains = []string{defaultDomain}
	}
	if m.Accounts == "" {
		m.Accounts = "any"
	}
	if m.Store.Kind == "" {
		// A percent sign in the directory's name means itself.
		m.Store, err = maildirURL(strings.ReplaceAll(filepath.Join(data, "mail"), "%", "%%") + "/%d/%n")
	}
	return err
}

// newListen returns a listener with its defaults.
func newListen(network, address string) Listen {
	l := Listen{Protocol: "lmtp", Network: network, Address: address, Owner: -1, Group: -1}
	if network == "unix" {
		l.Mode = defaultMode
		l.Peers = defaultPeers()
	}
	return l
}

// defaultPeers are root and the user we run as.
func defaultPeers() []uint32 {
	if uid := os.Getuid(); uid > 0 {
		return []uint32{0, uint32(uid)}
	}
	return []uint32{0}
}

// systemName is the name of this host as a domain. Like other mail software it completes a name without a dot,
// because RFC 5321 §2.3.5 wants a fully-qualified one.
func systemName() string {
	name, err := os.Hostname()
	if err != nil || !smtp.IsDomain(name, smtp.ASCII) {
		return "localhost"
	}
	if name != "localhost" && !strings.Contains(name, ".") {
		name += ".localdomain"
	}
	return name
}
