package relay

import (
	"lmtpd/delivery/spool"
	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// outcome is what a result means for the spool. cause is why a recipient has no reply, if there is one; server is who replied, and
// taken the fate of what it has taken.
func outcome(r client.Result, server string, taken spool.Fate, cause error) spool.Outcome {
	switch {
	case r.Outcome == client.Unknown:
		return spool.Outcome{Fate: spool.Unknown, Server: server, Cause: cause}
	case r.Outcome == client.NotSent:
		return spool.Outcome{Fate: spool.Deferred, Server: server, Cause: cause}
	}
	o := spool.Outcome{Fate: spool.Deferred, Reply: r.Reply, Server: server}
	switch {
	case r.Reply.Positive():
		o.Fate = taken
	case r.Reply.Permanent() && !aboutLogin(r.Reply):
		o.Fate = spool.Bounced
	}
	return o
}

// aboutLogin says whether a refusal is about how this host came in, and not about the message: it has not authenticated, or not
// well enough, or not secured the connection (RFC 4954 §6).
func aboutLogin(r smtp.Reply) bool {
	switch r.Code {
	case 530, 534, 535, 538:
		return true
	}
	return false
}

// tooMany says whether a recipient was refused because there were as many as the server takes in one transaction.
//
// RFC 5321 §4.5.3.1.10: that is 452, and was 552 once. Both have other meanings, which their status tells where there is one. A 452
// without any is taken for this: if it is not, the recipient hears it again in the next transaction, alone.
func tooMany(r client.Result) bool {
	if r.Outcome != client.Known {
		return false
	}
	switch r.Reply.Code {
	case 452:
		return r.Reply.Status == "" || r.Reply.Status == smtp.StatusTooManyRecipients
	case 552:
		return r.Reply.Status == smtp.StatusTooManyRecipients
	}
	return false
}
