package main

import (
	"fmt"
	"log/slog"
	"strings"

	"lmtpd/delivery"
)

// aliasesMeaning says how many aliases there are. What is wrong with a file is told behind everything else.
func aliasesMeaning(path string) string {
	f, err := openAliasFile(path, slog.New(slog.DiscardHandler))
	if err != nil {
		return path + ": cannot be used"
	}
	return fmt.Sprintf("%s: %d in it", path, f.Len())
}

// detailMeaning says what becomes of mail for ann+detail.
func detailMeaning(t Terms) string {
	if t.Delimiters == "" {
		return "none: every local-part stands for itself"
	}
	to := "INBOX"
	switch t.Detail {
	case delivery.DetailFolder:
		to = "folder detail if it is there, else to INBOX"
	case delivery.DetailCreate:
		to = "folder detail, which is made if it is not there"
	}
	return fmt.Sprintf("mail for ann%cdetail goes to ann's %s (delimiters %s)", t.Delimiters[0], to, t.Delimiters)
}

// quotaMeaning says what a mailbox may hold whose account says nothing.
func quotaMeaning(t Terms) string {
	var limits []string
	if t.Quota.Octets > 0 {
		limits = append(limits, octets(t.Quota.Octets).String())
	}
	if t.Quota.Messages > 0 {
		limits = append(limits, fmt.Sprintf("%d messages", t.Quota.Messages))
	}
	if len(limits) == 0 {
		limits = []string{"none but what accounts say"}
	}
	text := strings.Join(limits, ", ")
	if len(t.Quota.Ignore) > 0 {
		text += "; without " + strings.Join(t.Quota.Ignore, ", ")
	}
	text += "; what does not fit is deferred"
	if t.OverQuota == delivery.Refuse {
		text = strings.TrimSuffix(text, "deferred") + "refused"
	}
	if t.Grace == delivery.OneMessage {
		text += ", but for one message"
	}
	return text
}

// dsnMeaning says who answers for a notification of delivery.
func dsnMeaning(cfg *Config) string {
	const on = "on: offered to the MTA, and senders who asked hear from here that their mail was delivered"
	switch {
	case cfg.DSN == DSNOn && len(cfg.Relay.Routes) > 0:
		return on
	case cfg.DSN == DSNOn:
		return on + "; those elsewhere do not, for there is no [relay]"
	}
	return "off: the MTA itself tells senders who asked that their mail was handed over"
}
