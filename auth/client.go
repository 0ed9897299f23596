package auth

// Credentials are what a client proves with who it is.
type Credentials struct {
	Name     string // authentication identity (RFC 4422 §2)
	As       string // authorization identity; "": that of Name
	Password string
	Token    string // bearer token (RFC 6750), for OAUTHBEARER and XOAUTH2
}

// A Client is the client's side of one exchange (RFC 4422 §3), with one mechanism. It is used by one goroutine, once.
type Client interface {
	// Start returns the initial response; nil: the server speaks first. Empty is something else.
	Start() ([]byte, error)

	// Next answers a challenge. An error ends the exchange, which is to be cancelled then.
	Next(challenge []byte) (response []byte, err error)

	// Finish is called when the server says that the exchange has succeeded. An error says that the server has not proven
	// what the mechanism has it prove: it is not to be believed.
	Finish() error
}
