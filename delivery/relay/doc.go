// Package relay hands mail that is for other hosts to a smarthost: one server, or several that stand in for one another, chosen
// by the domains of sender and recipient. It is a spool.Transport. Connections are kept and used again; a server that cannot be
// used now is tried after the others for a while.
//
// What a server says of a recipient is kept word for word. That a server cannot be used (there is no connection, no TLS, no
// login) is trouble of this host with its smarthost and says nothing about any message: mail waits then, and does not bounce.
//
// It keeps RFC 5321 (what the replies mean, §4.2.1 and §4.5.3.1.10), RFC 1870 §5 (a message that is too large is not tried),
// RFC 6531 §3.2 (internationalized mail goes only to servers that offer SMTPUTF8), RFC 9422 (RCPTMAX) and RFC 3461 §5.2 (who
// notifies). It does not look up anything in the DNS but the addresses of the servers: mail exchangers are the smarthost's
// business. It does not queue: package spool does.
package relay
