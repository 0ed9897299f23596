package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"time"

	"lmtpd/protocol/smtp"
)

var errNoRecipient = errors.New("there is no recipient, on the command line or in the header")

// A draft is a message that a program has given to sendmail.
type draft struct {
	env     smtp.Envelope
	content *aside
}

// readDraft reads a message, and makes of it what goes to the daemon.
func (m *mailer) readDraft(o sendmailOptions, src io.Reader) (*draft, error) {
	h, body, err := readHeader(newTextInput(src, !o.dots))
	if err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	l := &draft{env: smtp.Envelope{Body: o.body, Ret: o.ret, EnvID: o.envID}}
	if err := m.address(l, o, h); err != nil {
		return nil, err
	}
	if o.extract {
		h = h.without("bcc", "resent-bcc")
	}
	h = m.complete(h, l.env.From, o.fullName)
	l.content, err = putAside(io.MultiReader(bytes.NewReader(h.bytes()), body))
	if err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	if l.content.eight {
		l.env.Body = smtp.Body8Bit
	}
	return l, nil
}

// address fills in the envelope.
func (m *mailer) address(l *draft, o sendmailOptions, h header) (err error) {
	env := &l.env
	env.From = smtp.Path{Local: m.user.Username, Domain: m.host}
	if o.sender != nil {
		if env.From, err = m.sender(*o.sender); err != nil {
			return err
		}
	}
	var all []smtp.Path
	for _, list := range o.recipients {
		paths, err := mailboxesOf(list, m.host)
		if err != nil {
			return err
		}
		all = append(all, paths...)
	}
	if o.extract {
		paths, err := h.recipients(m.host)
		if err != nil {
			return err
		}
		all = append(all, paths...)
	}
	if len(all) == 0 {
		return errNoRecipient
	}
	seen := map[smtp.Path]bool{}
	for _, to := range all {
		if !seen[to] {
			env.Recipients = append(env.Recipients, smtp.Recipient{To: to, Notify: o.notify})
		}
		seen[to] = true
	}
	if slices.ContainsFunc(all, func(p smtp.Path) bool { return !p.ASCII() }) || !env.From.ASCII() {
		env.UTF8 = smtp.UTF8
	}
	return nil
}

// sender reads the value of -f.
func (m *mailer) sender(value string) (smtp.Path, error) {
	paths, err := mailboxesOf(value, m.host)
	switch {
	case err != nil:
		return smtp.Path{}, fmt.Errorf("-f: %w", err)
	case len(paths) > 1:
		return smtp.Path{}, fmt.Errorf("-f: %w: %q is several", errAddress, value)
	case len(paths) == 0:
		return smtp.Path{}, nil
	}
	return paths[0], nil
}

// complete puts in what a message has to have (RFC 5322 §3.6), and Message-ID, which it should have.
func (m *mailer) complete(h header, from smtp.Path, fullName string) header {
	if from.IsNull() {
		from = smtp.Path{Local: m.user.Username, Domain: m.host}
	}
	author := mail.Address{Name: cmp.Or(fullName, m.user.Name), Address: from.String()}
	for _, f := range []struct{ name, value string }{
		{"From", author.String()},
		{"Date", time.Now().Format(time.RFC1123Z)},
		{"Message-ID", "<" + strings.ToLower(rand.Text()) + "@" + m.host + ">"},
	} {
		if name := strings.ToLower(f.name); !h.has(name) {
			h = append(h, headerField{name, f.name + ": " + f.value + "\r\n"})
		}
	}
	return h
}
