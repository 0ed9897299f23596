// Package smtp is the vocabulary of SMTP, LMTP and their extensions: replies, status codes, paths, commands,
// parameters, the envelope, and the reader that takes lines and content apart. Servers and clients are built
// from it; it opens no connection and reads no clock.
//
// It keeps RFC 5321 (commands §4.1, replies §4.2, paths §4.1.2, transparency §4.5.2), RFC 2033 (LMTP),
// RFC 3463 (status codes), RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 3030 (CHUNKING, BINARYMIME), RFC 6531
// (SMTPUTF8), RFC 3461 (DSN parameters) and RFC 3848 (the words for "with" in Received). It does not look into
// content: no header is parsed here.
package smtp
