package delivery

import (
	"context"
	"fmt"
	"strings"

	"lmtpd/auth/account"
	"lmtpd/delivery/alias"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// An Explanation is what RCPT would answer, and how it comes to that.
type Explanation struct {
	Steps []Step
	Reply smtp.Reply
}

// A Step is one thing that was found out on the way.
type Step struct {
	What  string
	Found string
}

// Explain does what Recipient does, and tells it. Nothing stays reserved.
func (a *Agent) Explain(ctx context.Context, env *smtp.Envelope, to smtp.Recipient) Explanation {
	ex := &Explanation{}
	_, err := a.admit(ctx, query{env: env, ex: ex}, to)
	a.Abandon(env)
	ex.Reply = admitted(err).For(to.To)
	return *ex
}

// add notes a step; nothing is noted where nobody has asked.
func (ex *Explanation) add(what, format string, args ...any) {
	ex.Steps = append(ex.Steps, Step{what, fmt.Sprintf(format, args...)})
}

func (ex *Explanation) block(b *Block, addr alias.Address) {
	switch {
	case ex == nil:
	case b == nil:
		ex.add("domain", "%s is not local", addr.Domain)
	default:
		ex.add("domain", "%s, in the block of %s", addr.Domain, strings.Join(b.Domains, ", "))
		if addr.Detail != "" {
			ex.add("detail", "%s of %s", addr.Detail, addr.Local)
		}
	}
}

func (ex *Explanation) aliases(found []alias.Target, err error) {
	switch {
	case ex == nil:
		return
	case err != nil:
		ex.add("aliases", "%v", err)
	}
	for _, t := range found {
		var way strings.Builder
		for _, al := range t.Chain {
			fmt.Fprintf(&way, "%s (%s:%d) > ", al.Name, al.File, al.Line)
		}
		ex.add("alias", "%s%s", way.String(), t.Address)
	}
}

func (ex *Explanation) account(found alias.Address, acct account.Account, err error) {
	if ex == nil {
		return
	}
	name := found.Local + "@" + found.Domain
	switch {
	case err != nil:
		ex.add("account", "%s: %v", name, err)
	case acct.Disabled.Delivery:
		ex.add("account", "%s takes no mail", name)
	default:
		ex.add("account", "%s", name)
	}
}

func (ex *Explanation) mailbox(t *target) {
	if ex == nil {
		return
	}
	m := t.mailbox
	ex.add("mailbox", "%s", m.Name)
	if m.Home != "" {
		ex.add("home", "%s", m.Home)
	}
	if l, can := t.block.Store.(store.Locator); can {
		ex.add("directory", "%s", where(l, m))
	}
	if m.Owner != nil {
		ex.add("owner", "uid %d, gid %d", m.Owner.UID, m.Owner.GID)
	}
	ex.add("folder", "%s", folderText(t))
	if m.Quota.Limited() {
		ex.add("quota", "%s", quotaText(t))
	}
}

func where(l store.Locator, m store.Mailbox) string {
	path, err := l.Where(m)
	if err != nil {
		return err.Error()
	}
	return path
}

func folderText(t *target) string {
	switch {
	case t.folder == "":
		return "INBOX"
	case t.missing == store.UseInbox:
		return t.folder + " if it is there, else INBOX"
	}
	return t.folder + ", made if it is not there"
}

func quotaText(t *target) string {
	var limits []string
	if n := t.mailbox.Quota.Octets; n > 0 {
		limits = append(limits, fmt.Sprintf("%d octets", n))
	}
	if n := t.mailbox.Quota.Messages; n > 0 {
		limits = append(limits, fmt.Sprintf("%d messages", n))
	}
	if !t.counts() {
		limits = append(limits, "which this folder does not count towards")
	}
	return strings.Join(limits, ", ")
}

func (ex *Explanation) check(t *target, err error) {
	switch {
	case ex == nil:
	case err == nil && t.isRemote():
		ex.add("answer", "%s is elsewhere, and mail for it would be sent on", t.address)
	case err != nil && t.mailbox.Name == "":
		ex.add("answer", "%s: %v", t.address, err)
	case err != nil:
		ex.add("answer", "%s: %v", t.mailbox.Name, err)
	default:
		ex.add("answer", "%s would take the message", t.mailbox.Name)
	}
}
