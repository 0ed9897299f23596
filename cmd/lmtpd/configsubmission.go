package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/delivery/submission"
)

// Submission says on what terms mail is taken from those who submit it.
type Submission struct {
	Senders     string // path of a table of who may use which address; "": their own, and nobody else's
	CheckSender bool   // true: the reverse-path must be one of those
	CheckFrom   bool   // true: From must
	Limits      submission.Limits
	MessageSize int64 // Limits.MessageSize
	Recipients  int   // Limits.Recipients
	Reveal      bool  // false; true: Received tells where an authenticated client connected from
}

// disclosure is what Received tells of clients that have authenticated.
func (s *Submission) disclosure() delivery.Disclosure {
	if s.Reveal {
		return delivery.ShowClient
	}
	return delivery.HideClient
}

// checked is what a setting that is on or off means.
func checked(on bool) submission.Check {
	if on {
		return submission.Own
	}
	return submission.Any
}

func defaultSubmission() Submission { return Submission{CheckSender: true, CheckFrom: true} }

func readSubmission(s *Submission, t *table) {
	field(t, "senders", &s.Senders, parsePath)
	t.flag("check_sender", &s.CheckSender)
	t.flag("check_from", &s.CheckFrom)
	t.count("messages_per_hour", &s.Limits.MessagesPerHour)
	t.count("messages_per_day", &s.Limits.MessagesPerDay)
	t.count("recipients_per_hour", &s.Limits.RecipientsPerHour)
	t.count("recipients_per_day", &s.Limits.RecipientsPerDay)
	t.size("message_size", &s.MessageSize)
	t.count("recipients", &s.Recipients)
	t.flag("client_address", &s.Reveal)
	if s.Senders != "" && !s.CheckSender && !s.CheckFrom {
		t.report.add(t.where("senders"), "senders: neither check_sender nor check_from is on, so nobody looks at it")
	}
	t.done()
}

// parseLogin reads the name of an account.
func parseLogin(s string) (string, error) {
	_, _, err := parseAccountName(s)
	return account.Fold(s), err
}

func parseText(s string) (string, error) {
	if s == "" || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
		return "", errors.New("is empty, or not text")
	}
	return s, nil
}

// parseURL reads where a service is. Tokens go there, so nobody may listen on the way.
func parseURL(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%q is not a URL such as https://auth.example.org/introspect", s)
	case u.User != nil:
		return "", errors.New("no name and password in a URL: give client_id and client_secret_file")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "", fmt.Errorf("%q: tokens are not sent where others can listen; give https", s)
	}
	return s, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || host == "unix" || // http://unix:/path/of/socket:/path
		ip != nil && ip.IsLoopback()
}

func parseURLOrPath(s string) (string, error) {
	if strings.Contains(s, "://") {
		return parseURL(s)
	}
	return parsePath(s)
}
