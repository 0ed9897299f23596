package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/delivery/alias"
	"lmtpd/store"
)

// checkCommand tells what a configuration means. It starts nothing and makes nothing.
func checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "tell all mistakes of the configuration, or what it would mean, without starting",
		Flags: configFlags(),
		Action: func(c *cli.Context) error {
			cfg, err := loadConfig(c)
			if err != nil {
				return err
			}
			if err := explain(c.App.Writer, cfg); err != nil {
				return err
			}
			return checkFiles(cfg)
		},
	}
}

// checkFiles tells the mistakes in the files that the configuration names.
func checkFiles(cfg *Config) error {
	log := slog.New(slog.DiscardHandler)
	_, accounts := openAccounts(cfg, log)
	if accounts == nil {
		accounts = checkOwners(cfg)
	}
	opened, aliases := openAliases(cfg, log)
	if aliases == nil {
		aliases = checkAliases(cfg, opened)
	}
	var errs []error
	for _, err := range []error{accounts, aliases, checkTLS(cfg.TLS, time.Now()), checkSubmission(cfg), checkRelay(cfg)} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) < 2 {
		return cmp.Or(errs...)
	}
	return cli.Exit(errors.Join(errs...), exConfig)
}

// explain writes what cfg means, and how things stand where it points to.
func explain(to io.Writer, cfg *Config) error {
	w := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	p := printer{w}
	file := cfg.File
	if file == "" {
		file = "none: defaults and flags"
	}
	p.line("configuration", file)
	p.line("hostname", cfg.Hostname)
	p.line("data", cfg.Data+": "+directoryState(cfg.Data))
	p.line("dsn", dsnMeaning(cfg))
	for _, l := range cfg.Listen {
		p.listener(l)
		p.secured(l)
	}
	if slices.ContainsFunc(cfg.Listen, Listen.securable) {
		p.tls(cfg.TLS, cfg.Data, time.Now())
	}
	p.submission(cfg)
	p.queue(cfg)
	aliases, err := openAliases(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		aliases = make([]*alias.File, len(cfg.Mailboxes)) // it is told behind everything else
	}
	for i, m := range cfg.Mailboxes {
		p.mailboxes(m, cfg.Mailboxes)
		if aliases[i] != nil {
			p.elsewhere(cfg.aliasDomains(aliases).Elsewhere(aliases[i], m.Domains), cfg.Relay)
		}
	}
	p.relay(cfg.Relay)
	p.limits(cfg.Limits)
	p.line("log", cfg.Log.Format+", "+levelName(cfg.Log.Level)+" and above")
	return w.Flush()
}

// A printer writes lines of a name and a meaning.
type printer struct{ w io.Writer }

func (p printer) line(name, meaning string) { fmt.Fprintf(p.w, "%s\t%s\n", name, meaning) }

func (p printer) listener(l Listen) {
	if l.Network != "unix" {
		p.line("listen", l.Protocol+" on "+l.Address)
		p.line("  who", "whoever can connect")
		p.line("  proxies", l.Proxies.String())
		return
	}
	p.line("listen", l.Protocol+" on unix:"+l.Address)
	p.line("  socket", socketState(l.Address))
	p.line("  file", fmt.Sprintf("mode %04o, owner %s, group %s", l.Mode, nameOf(l.Owner, userName), nameOf(l.Group, groupName)))
	var peers []string
	for _, uid := range l.Peers {
		peers = append(peers, userName(strconv.Itoa(int(uid))))
	}
	if len(peers) == 0 {
		peers = []string{"nobody"}
	}
	p.line("  who", strings.Join(peers, ", "))
	p.line("  proxies", l.Proxies.String())
}

func (p printer) mailboxes(m Mailboxes, all []Mailboxes) {
	p.line("mailboxes", strings.Join(m.Domains, ", "))
	p.line("  accounts", accountsMeaning(m.Accounts))
	p.reach(m)
	if m.Aliases != "" {
		p.line("  aliases", aliasesMeaning(m.Aliases))
	}
	p.line("  store", m.Store.String())
	if m.Search {
		p.line("  search", "full-text index, kept up beside deliveries")
	}
	p.line("  detail", detailMeaning(m.Terms))
	p.line("  quota", quotaMeaning(m.Terms))
	p.place(m, all)
}

func (p printer) limits(l Limits) {
	p.line("limits", "on what clients can use up")
	for _, limit := range []struct {
		name  string
		value any
	}{
		{"message_size", octets(l.MessageSize)},
		{"recipients", l.Recipients},
		{"connections", l.Connections},
		{"connections_per_peer", l.ConnectionsPerPeer},
		{"errors", l.Errors},
		{"hops", l.Hops},
		{"deliveries", l.Deliveries},
		{"per_mailbox", l.PerMailbox},
		{"deadline", l.Deadline},
		{"min_free", floorText(l.MinFree)},
		{"memory", octets(l.Memory)},
		{"shutdown", l.Shutdown},
		{"command_timeout", l.CommandTimeout},
		{"content_timeout", l.ContentTimeout},
	} {
		p.line("  "+limit.name, fmt.Sprint(limit.value))
	}
}

func floorText(f store.Floor) string {
	if f == (store.Floor{}) {
		return "nothing"
	}
	return fmt.Sprintf("%s, %d inodes", octets(f.Octets), f.Inodes)
}

// octets prints a size as the configuration would have it.
type octets int64

func (n octets) String() string {
	if n == 0 {
		return "0"
	}
	units := []string{"TiB", "GiB", "MiB", "KiB"}
	for i, unit := range units {
		size := octets(1) << (10 * (len(units) - i))
		if n%size == 0 {
			return fmt.Sprintf("%d%s", n/size, unit)
		}
	}
	return strconv.FormatInt(int64(n), 10)
}

// String tells whose word is taken for who the client is.
func (p Clients) String() string {
	var who []string
	if p.Unix {
		who = append(who, "whoever connects")
	}
	for _, n := range p.Nets {
		who = append(who, n.String())
	}
	if len(who) == 0 {
		return "nobody"
	}
	return strings.Join(who, ", ")
}

func nameOf(id int, lookup func(string) string) string {
	if id < 0 {
		return "unchanged"
	}
	return lookup(strconv.Itoa(id))
}

func userName(uid string) string {
	if u, err := user.LookupId(uid); err == nil {
		return fmt.Sprintf("%s (%s)", u.Username, uid)
	}
	return uid
}

func groupName(gid string) string {
	if g, err := user.LookupGroupId(gid); err == nil {
		return fmt.Sprintf("%s (%s)", g.Name, gid)
	}
	return gid
}
