package auth

import "context"

// loginServer is LOGIN (draft-murchison-sasl-login): it asks for the name, unless that was the initial response, and for the
// password. The challenges are those that every client knows; what they say means nothing to most.
type loginServer struct {
	server   *Server
	name     string
	named    bool
	prompted bool
}

func (e *loginServer) Claimed() string { return e.name }

func (e *loginServer) Next(ctx context.Context, response []byte) ([]byte, string, error) {
	switch {
	case response == nil && !e.prompted:
		e.prompted = true
		return []byte("Username:"), "", nil
	case !e.named:
		if !IsName(string(response)) {
			return nil, "", failure("malformed name")
		}
		e.name, e.named, e.prompted = string(response), true, true
		return []byte("Password:"), "", nil
	}
	account, err := e.server.verify(ctx, e.name, string(response))
	return nil, account, err
}
