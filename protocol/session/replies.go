package session

import (
	"strconv"
	"time"

	"lmtpd/protocol/smtp"
)

// The engine's own replies. Their texts are fixed, so that dialogues compare whole.
var (
	ok               = smtp.Reply{Code: 250, Status: smtp.StatusNone, Text: "OK"}
	bye              = smtp.Reply{Code: 221, Status: smtp.StatusNone, Text: "Bye"}
	goAhead          = smtp.Reply{Code: 354, Text: "End content with <CR><LF>.<CR><LF>"}
	readyForTLS      = smtp.Reply{Code: 220, Status: smtp.StatusNone, Text: "Ready to start TLS"}
	cannotVerify     = smtp.Reply{Code: 252, Status: smtp.StatusNone, Text: "Send some mail and see"}
	help             = smtp.Reply{Code: 214, Status: smtp.StatusNone, Text: "See RFC 5321 and RFC 2033"}
	goingDown        = smtp.Reply{Code: 421, Status: smtp.StatusGoingDown, Text: "Shutting down"}
	timedOut         = smtp.Reply{Code: 421, Status: smtp.StatusConnection, Text: "Waited too long"}
	tooManyErrors    = smtp.Reply{Code: 421, Status: smtp.StatusSecurity, Text: "Too many errors"}
	unknownVerb      = smtp.Reply{Code: 500, Status: smtp.StatusCommand, Text: "Unknown command"}
	badLine          = smtp.Reply{Code: 500, Status: smtp.StatusSyntax, Text: "Malformed command line"}
	lineTooLong      = smtp.Reply{Code: 500, Status: smtp.StatusSyntax, Text: "Line too long"}
	bareLineEnd      = smtp.Reply{Code: 500, Status: smtp.StatusSyntax, Text: "Lines end in <CR><LF>"}
	badArguments     = smtp.Reply{Code: 501, Status: smtp.StatusArguments, Text: "Bad arguments"}
	badSender        = smtp.Reply{Code: 501, Status: smtp.StatusBadSender, Text: "Bad reverse-path"}
	badRecipient     = smtp.Reply{Code: 501, Status: smtp.StatusBadRecipient, Text: "Bad forward-path"}
	badParameter     = smtp.Reply{Code: 501, Status: smtp.StatusArguments, Text: "Bad parameter"}
	unknownParameter = smtp.Reply{Code: 555, Status: smtp.StatusArguments, Text: "Unknown parameter"}
	outOfOrder       = smtp.Reply{Code: 503, Status: smtp.StatusCommand, Text: "Command out of order"}
	nonASCIISender   = smtp.Reply{Code: 550, Status: smtp.StatusNonASCII, Text: "Address needs SMTPUTF8"} // RFC 6531 §3.5
	nonASCIIRcpt     = smtp.Reply{Code: 553, Status: smtp.StatusNonASCII, Text: "Address needs SMTPUTF8"}
	tooManyRcpts     = smtp.Reply{Code: 452, Status: smtp.StatusTooManyRecipients, Text: "Too many recipients"}
	tooBig           = smtp.Reply{Code: 552, Status: smtp.StatusTooBig, Text: "Message too big"}
	strayLineEnd     = smtp.Reply{Code: 550, Status: smtp.StatusSyntax, Text: "Content has a CR or LF alone"}
	failed           = smtp.Reply{Code: 451, Status: smtp.StatusSystem, Text: "Temporary failure, try again later"}
	authDone         = smtp.Reply{Code: 235, Status: smtp.StatusSecurity, Text: "Authentication succeeded"}
	authWrong        = smtp.Reply{Code: 535, Status: smtp.StatusBadCredentials, Text: "Authentication credentials invalid"}
	authUnknown      = smtp.Reply{Code: 454, Status: smtp.StatusSecurity, Text: "Temporary authentication failure"}
	authNeedsTLS     = smtp.Reply{Code: 538, Status: smtp.StatusEncryptionRequired, Text: "Encryption required"}
	authMechanism    = smtp.Reply{Code: 504, Status: smtp.StatusArguments, Text: "Unknown authentication mechanism"}
	authBase64       = smtp.Reply{Code: 501, Status: smtp.StatusSyntax, Text: "Bad base64"}
	authTooLong      = smtp.Reply{Code: 500, Status: smtp.StatusAuthLine, Text: "Response too long"} // RFC 4954 §6
	analysing        = smtp.Reply{Code: 353, Text: "A reply for each recipient follows"}
	authCancelled    = smtp.Reply{Code: 501, Status: smtp.StatusNone, Text: "Authentication cancelled"}
)

// authBanned tells how long, so that a client's user may wait instead of trying on.
func authBanned(d time.Duration) smtp.Reply {
	seconds := max(1, int64(d.Round(time.Second)/time.Second))
	return smtp.Reply{Code: 421, Status: smtp.StatusSecurity, Text: "Too many failed logins, try again in " + strconv.FormatInt(seconds, 10) + " s"}
}
