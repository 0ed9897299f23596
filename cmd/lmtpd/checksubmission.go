package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"lmtpd/auth/pam"
	"lmtpd/protocol/server"
)

// secured tells when TLS begins on a listener, and who is taken for whom there.
func (p printer) secured(l Listen) {
	switch {
	case l.TLS == TLSStart:
		p.line("  tls", "with STARTTLS")
	case l.TLS == TLSImplicit:
		p.line("  tls", "from the first octet")
	case l.submits() && l.Network == "tcp":
		p.line("  tls", "off: others can listen, so passwords are not taken in plaintext")
	}
	if l.submits() {
		p.line("  without authentication", l.Trust.String())
	}
	if l.Proxy == server.ProxyProtocol {
		p.line("  proxy protocol", "connections of proxies begin with a PROXY header")
	}
}

// submission tells who may submit, and on what terms. Nothing of it matters without a listener.
func (p printer) submission(cfg *Config) {
	if !slices.ContainsFunc(cfg.Listen, Listen.submits) {
		return
	}
	p.auth(cfg)
	s := cfg.Submission
	p.line("submission", "who has authenticated writes from "+ownMeaning(s))
	if s.Senders != "" {
		p.line("  senders", sendersMeaning(cfg))
	}
	for _, l := range []struct {
		name  string
		value int
	}{
		{"messages_per_hour", s.Limits.MessagesPerHour},
		{"messages_per_day", s.Limits.MessagesPerDay},
		{"recipients_per_hour", s.Limits.RecipientsPerHour},
		{"recipients_per_day", s.Limits.RecipientsPerDay},
	} {
		if l.value > 0 {
			p.line("  "+l.name, fmt.Sprintf("%d for each account", l.value))
		}
	}
	p.line("  message_size", fmt.Sprint(octets(s.MessageSize)))
	p.line("  recipients", fmt.Sprint(s.Recipients))
	if s.Reveal {
		p.line("  client_address", "told to recipients, in Received")
	}
}

func ownMeaning(s Submission) string {
	switch {
	case s.CheckSender && s.CheckFrom:
		return "addresses of his own, in the reverse-path and in From"
	case s.CheckSender:
		return "addresses of his own in the reverse-path; From may be anybody"
	case s.CheckFrom:
		return "addresses of his own in From; the reverse-path may be anybody's"
	}
	return "any address"
}

func sendersMeaning(cfg *Config) string {
	path := cfg.Submission.Senders
	table, err := openSenders(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return path + ": cannot be used"
	}
	return fmt.Sprintf("%s: %d addresses and patterns besides", path, table.Len())
}

// auth tells which mechanisms are offered, and which are not and why.
func (p printer) auth(cfg *Config) {
	p.line("auth", cfg.Auth.Backend.String())
	if cfg.Auth.Backend.Kind != "accounts" {
		p.line("  mechanisms", "those that it has")
		return
	}
	survey := surveyOf(cfg.listings())
	offered := cfg.mechanisms(survey)
	p.line("  mechanisms", strings.Join(offered, ", ")+"; each where it can work")
	for _, o := range survey.Offers() {
		if len(o.Obstacles) == 0 || strings.HasSuffix(o.Mechanism, "-PLUS") {
			continue
		}
		what := "not offered"
		if slices.Contains(offered, o.Mechanism) {
			what = "offered, but not to all"
		}
		first := o.Obstacles[0]
		more := ""
		if n := len(o.Obstacles) - 1; n > 0 {
			more = fmt.Sprintf(", and %d more", n)
		}
		p.line("  "+o.Mechanism, fmt.Sprintf("%s: %s: %s%s", what, cmp.Or(first.Account, "accounts"), first.Why, more))
	}
	if slices.ContainsFunc(cfg.Mailboxes, func(m Mailboxes) bool { return m.Accounts == "system" }) && !pam.Built {
		p.line("  system", "users of the host cannot log in with passwords: "+pam.ErrAbsent.Error())
	}
	if len(cfg.Auth.Masters) > 0 {
		p.line("  masters", strings.Join(cfg.Auth.Masters, ", ")+" may act as any other account")
	}
	p.line("  tokens", tokensMeaning(cfg.Auth.OAuth))
}

func tokensMeaning(o OAuth) string {
	switch {
	case !o.on():
		return "none are taken"
	case o.Introspect == "" && (o.Issuer == "" || len(o.Audience) == 0):
		return "taken if " + o.JWKS + " has the key, whoever they were issued for: give issuer and audience"
	}
	return "as " + cmp.Or(o.Introspect, o.JWKS) + " says"
}

// checkSubmission tells what is wrong with the files for submission.
func checkSubmission(cfg *Config) error {
	log := slog.New(slog.DiscardHandler)
	_, senders := openSenders(cfg, log)
	var tokens error
	if cfg.Auth.OAuth.on() {
		_, tokens = openTokens(cfg.Auth.OAuth, log)
	}
	return cmp.Or(senders, tokens)
}
