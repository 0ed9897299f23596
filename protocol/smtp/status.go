package smtp

// Status is the subject and detail of an enhanced status code, "1.1" say (RFC 3463 §2). Its class is not part
// of it: that is the first digit of the reply's code, so the two cannot disagree.
type Status string

// The statuses that are used, by RFC 3463 §3 subject. RFC 4954 §6 and RFC 6531 §4.5 add four of them.
const (
	StatusNone           Status = "0.0" // other or undefined
	StatusAddress        Status = "1.0" // other address status
	StatusNoMailbox      Status = "1.1" // bad destination mailbox address
	StatusBadRecipient   Status = "1.3" // bad destination mailbox address syntax
	StatusValidRecipient Status = "1.5" // destination address valid
	StatusBadSender      Status = "1.7" // bad sender's mailbox address syntax

	StatusMailbox     Status = "2.0" // other mailbox status: busy
	StatusDisabled    Status = "2.1" // mailbox disabled, not accepting messages
	StatusMailboxFull Status = "2.2"

	StatusSystem     Status = "3.0" // other mail system status
	StatusSystemFull Status = "3.1"
	StatusGoingDown  Status = "3.2" // system not accepting network messages
	StatusTooBig     Status = "3.4" // message too big for system

	StatusConnection Status = "4.2" // bad connection
	StatusLoop       Status = "4.6" // routing loop detected

	StatusProtocol          Status = "5.0" // other protocol status
	StatusCommand           Status = "5.1" // invalid command
	StatusSyntax            Status = "5.2"
	StatusTooManyRecipients Status = "5.3"
	StatusArguments         Status = "5.4" // invalid command arguments
	StatusAuthLine          Status = "5.6" // authentication exchange line is too long

	StatusNonASCII Status = "6.7" // non-ASCII addresses not permitted for that sender or recipient

	StatusSecurity           Status = "7.0"  // other security status
	StatusNotAuthorized      Status = "7.1"  // delivery not authorized, message refused
	StatusBadCredentials     Status = "7.8"  // authentication credentials invalid
	StatusEncryptionRequired Status = "7.11" // encryption required for requested authentication mechanism
)
