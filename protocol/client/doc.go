// Package client speaks to servers that take mail: it connects, says hello, and hands over messages, one
// transaction after another on one connection. Its results are by recipient number: results[i] is what is known
// of Recipients[i], duplicates included, and a recipient whose reply never came is unknown, not failed.
//
// It keeps RFC 5321 (replies §4.2, transparency §4.5.2, timeouts §4.5.3.2), RFC 2033 (LMTP), RFC 2920
// (PIPELINING), RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8), RFC 3461 and RFC 6533 §3 (the
// parameters of DSN), and RFC 2034 (enhanced status codes in replies). Memory per connection is constant,
// whatever the server sends and however large the message is.
//
// It does not retry, queue or look anything up in the DNS; it does not use CHUNKING, since DATA needs as many
// round trips with PIPELINING; it does not convert 8-bit content or internationalized addresses for a server
// that cannot take them; it does not split a transaction by LIMITS (RFC 9422), since a server answers 452 for
// the recipients that are too many.
package client
