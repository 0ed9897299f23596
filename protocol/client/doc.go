// Package client speaks to servers that take mail, over LMTP and ESMTP: it connects, says hello, begins TLS, authenticates, and hands
// over messages, one transaction after another on one connection. Its results are by recipient number: results[i] is what is known
// of Recipients[i], duplicates included, and a recipient whose reply never came is unknown, not failed.
//
// It keeps RFC 5321 (replies §4.2, transparency §4.5.2, timeouts §4.5.3.2), RFC 2033 (LMTP), RFC 2920 (PIPELINING), RFC 1870 (SIZE),
// RFC 6152 (8BITMIME), RFC 3030 (CHUNKING, BINARYMIME), RFC 6531 (SMTPUTF8), RFC 3461 and RFC 6533 §3 (the parameters of DSN),
// RFC 2034 (enhanced status codes in replies), draft-hall-prdr (PRDR), RFC 3207 and RFC 8314 (TLS), RFC 4954 (AUTH, with the
// mechanisms of package auth). Memory per connection is constant, whatever the server sends and however large the message is.
//
// It does not queue, look anything up in the DNS, or retry, but for what a Pool does when a connection has gone while it waited. It
// uses CHUNKING only where it is told to, since DATA needs as many round trips with PIPELINING: a chunk goes only once recipients are
// accepted, though it might go with the commands (RFC 3030 §4.2), since a connection that is found to have gone must leave no doubt
// about the message. It does not convert 8-bit content or internationalized addresses for a server that cannot take them; it does not
// split a transaction by LIMITS (RFC 9422), since a server answers 452 for the recipients that are too many.
package client
