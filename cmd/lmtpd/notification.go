package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"lmtpd/delivery"
	"lmtpd/delivery/dsn"
	"lmtpd/delivery/spool"
	"lmtpd/delivery/srs"
)

// notification writes a notification for the spool. Its Received tells which message of the log it is.
func notification(r dsn.Report) (spool.Mail, error) {
	id, now := newID(), time.Now()
	var content bytes.Buffer
	env, err := dsn.Compose(&content, id, now, r)
	if err != nil {
		return spool.Mail{}, err
	}
	env.ID = id
	trace := fmt.Sprintf("Received: by %s id %s;\r\n\t%s\r\n", r.Hostname, id, now.Format(time.RFC1123Z))
	return spool.Mail{Envelope: env, Trace: []byte(trace), Content: bytes.NewReader(content.Bytes())}, nil
}

// openRewriter makes what rewrites the reverse-path of mail that is sent on; nil: nothing does. Rewritten ones are of the first
// domain, to which mail for them has to come back.
func openRewriter(cfg *Config) (delivery.Rewriter, error) {
	if cfg.Relay.Rewriting != RewriteSRS {
		return nil, nil
	}
	secret, err := readSecret(cfg.Data)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, secret) // the file is for other purposes, too
	mac.Write([]byte("srs"))
	return srs.New(srs.Config{Domain: cfg.Mailboxes[0].Domains[0], Secrets: []string{hex.EncodeToString(mac.Sum(nil))}, Now: time.Now})
}
