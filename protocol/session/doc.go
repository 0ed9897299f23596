// Package session is the engine that LMTP and ESMTP share: a machine without wire, goroutine or clock.
//
// It is given what the client says and returns a Step: the replies, and what to read next – a command, a SASL
// response, content, a chunk, a TLS handshake, or nothing more. Who drives it does the reading, the writing and
// the waiting (protocol/server on connections, protocol/smtptest in memory). What the mail is for, it asks a
// Handler.
//
//	step := s.Start()
//	for {
//		write(step.Replies)
//		switch step.Next.Kind {
//		case Command, Response: step = s.Line(ctx, readLine())
//		case Content:           step = s.Content(ctx, dotReader())
//		case Chunk:             step = s.Chunk(ctx, octets(step.Next.Octets))
//		case Handshake:         handshake(); step = s.Secured()
//		case Close:             s.Close(); return
//		}
//	}
//
// It keeps RFC 5321 §4 (commands, their order, the reply of each), RFC 2033 (LMTP: one reply for each accepted
// recipient), RFC 2034, RFC 2920 (nothing in it depends on when replies are written), RFC 1870, RFC 3030,
// RFC 3207 and RFC 4954 (the states; what is read and encrypted is the driver's), RFC 3461, RFC 6531, RFC 9422,
// Postfix's XFORWARD and XCLIENT, and PRDR (draft-hall-prdr). It knows neither mailboxes nor policy.
package session
