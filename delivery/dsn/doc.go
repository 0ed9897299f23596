// Package dsn writes delivery status notifications: what a sender is told of a message that was not delivered, is late, or was
// delivered and asked to be reported.
//
// A notification is a multipart/report (RFC 6522) of three parts: words for people, the fields of RFC 3464 for programs, and what
// the notification is about, that is, the message or its header. It keeps RFC 3461 §6 (what goes into the fields, and how much of
// the message is returned), RFC 5321 §4.5.5 (the null reverse-path), RFC 3834 (Auto-Submitted, and the fields that make a thread)
// and RFC 6533 (where SMTPUTF8 is in force). Whether a notification is owed, and to whom, is decided elsewhere.
//
// What is reported came from strangers: addresses, replies, the message. None of it can add a field, a part or a line end to a
// notification; octets that could are replaced by a question mark. The message is returned in full only if that was asked for, a
// delivery has failed, it has no more than MaxReturned octets, and its lines can be sent as they are: a message/rfc822 must not be
// encoded (RFC 2046 §5.2.1). Otherwise it is its header.
//
// The parts are composed with github.com/emersion/go-message/textproto. Its fields are written by this package, because its folding
// breaks long words; its message.Writer is not used, because that leaves out the Content-Transfer-Encoding of a multipart.
package dsn
