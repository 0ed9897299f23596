package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/auth"
	"lmtpd/auth/account/textfile"
	"lmtpd/delivery"
	"lmtpd/delivery/submission"
	"lmtpd/delivery/submission/senders"
	"lmtpd/protocol/server"
	"lmtpd/protocol/server/certificate"
	"lmtpd/protocol/session"
)

// openSubmission makes what takes mail that is submitted, and what listeners for it have of their own, if there are any.
func (d *daemon) openSubmission(agent *delivery.Agent) (err error) {
	table, err := openSenders(d.cfg, d.log)
	if err != nil {
		return err
	}
	d.submission = submission.New(submission.Config{
		Agent:    agent.MSA(),
		Owners:   owners{agent, table},
		Sender:   checked(d.cfg.Submission.CheckSender),
		From:     checked(d.cfg.Submission.CheckFrom),
		Limits:   d.cfg.Submission.Limits,
		Hostname: d.cfg.Hostname,
		Now:      time.Now,
		Log:      d.log,
	})
	if d.certificates, err = openCertificates(d.cfg, d.log); err != nil {
		return err
	}
	if !slices.ContainsFunc(d.cfg.Listen, Listen.submits) {
		return nil
	}
	var closeAuth func() error
	d.throttle = auth.NewThrottle(time.Now, d.cfg.login)
	if d.auth, closeAuth, err = openAuth(d.cfg, d.accounts, d.throttle, d.log); err != nil {
		return err
	}
	if closeAuth != nil {
		closeOthers := d.close
		d.close = func() error { return errors.Join(closeOthers(), closeAuth()) }
	}
	return nil
}

func openSenders(cfg *Config, log *slog.Logger) (*senders.Table, error) {
	path := cfg.Submission.Senders
	if path == "" {
		return nil, nil
	}
	table, err := senders.Open(senders.Config{Path: path, Name: cfg.login, Now: time.Now, Log: log})
	if _, bad := errors.AsType[textfile.Mistakes](err); bad {
		return nil, cli.Exit(fmt.Errorf("the senders have mistakes:\n%w", err), exConfig)
	}
	if err != nil {
		return nil, cli.Exit(fmt.Errorf("senders: %w", err), exConfig)
	}
	return table, nil
}

// endpoint is what is said on a listener, and to whom.
func (d *daemon) endpoint(l Listen) server.Endpoint {
	ep := server.Endpoint{Session: d.session, Trusted: l.Proxies.Contain, Proxy: l.Proxy}
	if l.Network == "unix" {
		ep.Allowed = func(uid uint32) bool { return slices.Contains(l.Peers, uid) }
	}
	if l.securable() {
		ep.TLS, ep.Start = d.certificates.TLSConfig(), l.start()
	}
	if l.submits() {
		d.submits(&ep, l)
	}
	return ep
}

// submits makes an endpoint one for submission.
func (d *daemon) submits(ep *server.Endpoint, l Listen) {
	ep.Handler, ep.OfCertificate, ep.OfUID = d.submission, certificate.Names, userNames
	s := &ep.Session
	s.Dialect, s.Auth, s.Login, s.Submitter, s.PRDR = session.ESMTP(), d.auth, d.cfg.login, l.Trust.Contain, true
	s.MaxSize, s.MaxRecipients = d.cfg.Submission.MessageSize, d.cfg.Submission.Recipients
	s.DSN = true // whoever hears one reply hears the rest from the queue
}
