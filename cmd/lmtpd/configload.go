package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/smtp"
)

// loadConfig makes the configuration from the flags of a command and the file that they name. What is wrong
// with either is told in one error, of type mistakes.
func loadConfig(c *cli.Context) (*Config, error) {
	o, err := readOverrides(c)
	if err != nil {
		return nil, err
	}
	return o.load()
}

func (o overrides) load() (*Config, error) {
	cfg := &Config{Data: defaultData, Submission: defaultSubmission(), Queue: defaultQueue(), Limits: defaultLimits(), Log: Log{Format: "text"}}
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

// complete fills in every default that depends on something else.
func (cfg *Config) complete() error {
	if cfg.Hostname == "" {
		cfg.Hostname = systemName()
	}
	if len(cfg.Listen) == 0 {
		cfg.Listen = []Listen{newListen("tcp", defaultAddress)}
	}
	if len(cfg.Mailboxes) == 0 {
		cfg.Mailboxes = []Mailboxes{{Terms: defaultTerms()}}
	}
	cfg.Auth.Backend.Kind = cmp.Or(cfg.Auth.Backend.Kind, "accounts")
	cfg.Submission.MessageSize = cmp.Or(cfg.Submission.MessageSize, cfg.Limits.MessageSize)
	cfg.Submission.Recipients = cmp.Or(cfg.Submission.Recipients, cfg.Limits.Recipients)
	for i := range cfg.Mailboxes {
		if err := cfg.Mailboxes[i].complete(cfg.Data); err != nil {
			return err
		}
	}
	if cfg.Queue.Postmaster.IsNull() {
		cfg.Queue.Postmaster = smtp.Path{Local: "postmaster", Domain: cfg.Mailboxes[0].Domains[0]}
	}
	return nil
}

func (m *Mailboxes) complete(data string) (err error) {
	if len(m.Domains) == 0 {
		m.Domains = []string{defaultDomain}
	}
	if m.Accounts == "" {
		m.Accounts = defaultAccounts
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
