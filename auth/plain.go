package auth

import (
	"bytes"
	"context"
)

// plainServer is PLAIN (RFC 4616 §2): authorization identity, name and password in one response, divided by NUL. Names and
// passwords are taken as they are, without SASLprep (RFC 4013), as Dovecot takes them.
type plainServer struct {
	server *Server
	asked  bool
	name   string
}

func (e *plainServer) Claimed() string { return e.name }

func (e *plainServer) Next(ctx context.Context, response []byte) ([]byte, string, error) {
	if response == nil && !e.asked {
		e.asked = true
		return nil, "", nil
	}
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 {
		return nil, "", failure("malformed response")
	}
	as, name, password := string(parts[0]), string(parts[1]), string(parts[2])
	if !IsName(name) {
		return nil, "", failure("malformed name")
	}
	e.name = name
	account, err := e.server.verify(ctx, name, password)
	if err == nil && as != name {
		account, err = e.server.authorize(ctx, account, as)
	}
	return nil, account, err
}
