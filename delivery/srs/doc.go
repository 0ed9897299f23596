// Package srs is the Sender Rewriting Scheme: it rewrites the reverse-path of a message that is forwarded, so that it comes from a
// domain of the forwarder's, as SPF wants it (RFC 7208 App. D), and finds the way back for notifications.
//
// There is no RFC of it. The addresses are those of libsrs2, and so of postsrsd and Exim, with their defaults:
//
//	ann@example.org               SRS0=HHHH=TT=example.org=ann@forwarder.example
//	SRS0=HHHH=TT=a=ann@first      SRS1=HHHH=first==HHHH=TT=a=ann@forwarder.example
//
// HHHH are the first four base64 characters of an HMAC-SHA1 of what follows in lower case, compared without regard to case because
// mail hosts on the way may change it; TT is the day in base32, good for three weeks. An address that others have rewritten becomes
// an SRS1 with the first of them in it, so it gets no longer with every host it passes, and goes back to him directly.
//
// The code is the project's own. github.com/mileusna/srs, the library there is for Go, panics for a local-part of less than five
// octets, damages an SRS1 it rewrites and cannot take one back, knows one secret, and reads the clock itself.
package srs
