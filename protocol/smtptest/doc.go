// Package smtptest parses, plays and rewrites transcripts: dialogues between a client and a server of SMTP or
// LMTP, one scenario a file, written as the RFCs write them. It is for tests only.
//
//	# RFC 5321 §4.1.1.4: the first line names the clause that the scenario proves
//	# with: esmtp size=1000
//	S: 220 mail.example.org ESMTP ready
//	C: EHLO client.example.com
//	S: 250-mail.example.org
//	…
//	C: QUIT
//	S: 221 2.0.0 Bye
//	-- closed
//	K: ann@example.org "Subject: hello\r\n\r\nHello, Ann.\r\n"
//
// The lines are:
//
//	C: TEXT        the client sends TEXT and CRLF
//	C= "TEXT"      it sends the octets of a Go string and nothing else; C= 1000 * "TEXT" so many times over
//	S: TEXT        the server has sent TEXT and CRLF
//	-- handshake   the TLS handshake takes place
//	-- hang up     the client is gone
//	-- closed      the server has hung up
//	K: MAILBOX …   one message that is kept at the end, without its trace fields: its octets, or how many; if it is
//	               not in INBOX, the mailbox is followed by a slash and the folder
//	# TEXT         a comment
//
// Lines of the client that follow each other are sent in one write. Everything else is compared whole: nothing
// may be missing and nothing may come on top. Without K lines nothing may be kept. The first session on a stage
// is the only one, so the IDs of its transactions are ID1, ID2 and so on.
//
// What follows "# with:" sets the stage (see Settings). A stage is a Wire and what is behind it: a session in
// memory (NewMemory) or a whole daemon on a connection (NewConn).
package smtptest
