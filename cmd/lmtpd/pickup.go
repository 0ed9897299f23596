package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"lmtpd/delivery"
	"lmtpd/delivery/dsn"
	"lmtpd/delivery/pickup"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// dataMode lets everybody through to the directory of dropped messages. What else is in there has rights of its own.
const dataMode = 0o711

// dropDir is where sendmail leaves messages for the daemon.
func dropDir(cfg *Config) string { return filepath.Join(cfg.Data, "drop") }

// makeData makes the directory for everything that has no place of its own. One that is there keeps its rights.
func makeData(dir string) error { return os.MkdirAll(dir, dataMode) }

// openPickup makes the directory of dropped messages, which are submitted.
func (d *daemon) openPickup(*delivery.Agent) error {
	dir := dropDir(d.cfg)
	p, err := pickup.Open(pickup.Config{
		Dir:           dir,
		Aside:         filepath.Join(d.cfg.Data, "aside"),
		Handler:       d.submission,
		Return:        d.giveBack,
		Hostname:      d.cfg.Hostname,
		Account:       d.accountOf,
		MaxSize:       d.cfg.Submission.MessageSize,
		MaxRecipients: d.cfg.Submission.Recipients,
		NewID:         newID,
		Now:           time.Now,
		Log:           d.log,
	})
	if err != nil {
		return fmt.Errorf("make the directory for dropped messages: %w", err)
	}
	d.pickup = p
	closeOthers := d.close
	d.close = func() error { return errors.Join(closeOthers(), p.Close()) }
	if info, err := os.Stat(d.cfg.Data); err == nil && !searchable(info.Mode()) {
		d.log.Info("other users than this one cannot leave messages while nobody listens", "directory", dir, "do", "chmod o+x "+d.cfg.Data)
	}
	return nil
}

// searchable says whether everybody may pass through a directory.
func searchable(m fs.FileMode) bool { return m&0o001 != 0 }

// giveBack tells the sender of a dropped message that it is refused.
func (d *daemon) giveBack(ctx context.Context, env *smtp.Envelope, content store.Content, replies []smtp.Reply) error {
	now := time.Now()
	r := dsn.Report{
		Hostname: d.cfg.Hostname, ID: env.ID, Arrived: now, From: env.From, EnvID: env.EnvID, Ret: env.Ret, UTF8: env.UTF8, Content: content,
	}
	for i, to := range env.Recipients {
		if to.Notify == 0 || to.Notify&smtp.NotifyFailure != 0 {
			r.Recipients = append(r.Recipients, dsn.Recipient{Recipient: to, Action: dsn.Failed, Reply: replies[i], Last: now})
		}
	}
	if r.Recipients == nil {
		return nil
	}
	return d.post.Notify(ctx, r)
}

// accountOf is the account of a user of the host.
func (d *daemon) accountOf(uid uint32) (string, error) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if _, unknown := errors.AsType[user.UnknownUserIdError](err); unknown {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return d.cfg.login(u.Username), nil
}
