package auth

import (
	"context"
	"errors"
)

// externalServer is EXTERNAL (RFC 4422 App. A): who the client is was proven below, by its certificate or by the kernel. Its
// response is the authorization identity: empty, the first of its names that has an account.
type externalServer struct {
	server  *Server
	channel Channel
	asked   bool
	name    string
}

func (e *externalServer) Claimed() string { return e.name }

func (e *externalServer) Next(ctx context.Context, response []byte) ([]byte, string, error) {
	if response == nil && !e.asked {
		e.asked = true
		return nil, "", nil
	}
	as := string(response)
	if as != "" && !IsName(as) {
		return nil, "", failure("malformed authorization identity")
	}
	account, err := e.account(ctx, as)
	return nil, account, err
}

// account returns the account of the first name that has one and may act as asked.
func (e *externalServer) account(ctx context.Context, as string) (string, error) {
	last := failure("nothing proves who it is")
	for _, name := range e.channel.Names {
		e.name = name
		account, err := e.server.named(ctx, name)
		if err == nil {
			account, err = e.server.authorize(ctx, account, as)
		}
		if err == nil || !errors.Is(err, ErrCredentials) {
			return account, err
		}
		last = err
	}
	return "", last
}
