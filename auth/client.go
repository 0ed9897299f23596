package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Credentials are what a client proves with who it is.
type Credentials struct {
	Name     string // authentication identity (RFC 4422 §2)
	As       string // authorization identity; "": that of Name
	Password string
	Token    string // bearer token (RFC 6750), for OAUTHBEARER and XOAUTH2
}

// A Client is the client's side of one exchange (RFC 4422 §3), with one mechanism. It is used by one goroutine, once. Its errors
// have nothing secret in them, and of the server's words only those that a mechanism has for it.
type Client interface {
	// Start returns the initial response; nil: the server speaks first. Empty is something else.
	Start() ([]byte, error)

	// Next answers a challenge. An error ends the exchange, which is to be cancelled then.
	Next(challenge []byte) (response []byte, err error)

	// Finish is called when the server says that the exchange has succeeded. An error says that the server has not proven
	// what the mechanism has it prove: it is not to be believed.
	Finish() error
}

// A RefusedClient is a Client whose mechanism has the server say in a challenge why it is going to refuse: OAUTHBEARER, XOAUTH2 and
// SCRAM.
type RefusedClient interface {
	Client

	// Refused is what the server has said; nil: nothing.
	Refused() error
}

// NewClient returns the client's side of an exchange. The mechanism's name is compared without case. The error says that there is
// no such mechanism, that the credentials cannot be used with it, or that the channel has no binding for it.
//
// What is sent as it is (Choose) is sent: whoever names such a mechanism where others may listen wants just that.
func NewClient(mechanism string, c Credentials, ch Channel) (Client, error) {
	name := strings.ToUpper(mechanism)
	i := slices.IndexFunc(clientMechanisms[:], func(m clientMechanism) bool { return m.name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no mechanism %.64q", mechanism)
	}
	m := clientMechanisms[i]
	if err := m.check(c); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	client, err := m.begin(name, c, ch)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return client, nil
}

// Choose lists those of the offered mechanisms that the credentials can be used with on a channel, the strongest first. Names are
// compared without case; what is not known is left out. So is, unless the channel is secured, what gives the secret away to those
// who listen: PLAIN and LOGIN, which send the password as it is, OAUTHBEARER and XOAUTH2, which do so with the token, and NTLM, of
// which a server may choose a version whose response is only another form of the password. EXTERNAL is for those who have neither
// password nor token.
func Choose(offered []string, c Credentials, ch Channel) []string {
	var list []string
	for _, m := range clientMechanisms {
		if m.bare && !ch.Secured || m.secret == nothing && (c.Password != "" || c.Token != "") {
			continue
		}
		if !slices.ContainsFunc(offered, func(s string) bool { return strings.EqualFold(s, m.name) }) {
			continue
		}
		if _, err := NewClient(m.name, c, ch); err == nil {
			list = append(list, m.name)
		}
	}
	return list
}

// A clientMechanism is a mechanism that a client knows.
type clientMechanism struct {
	name   string
	begin  func(mechanism string, c Credentials, ch Channel) (Client, error)
	secret secret
	bare   bool // the secret is sent as it is, or as good as that
	named  bool // there must be a name
	as     bool // an authorization identity can be said
}

// A secret is what of Credentials a mechanism is about.
type secret int

const (
	nothing secret = iota
	password
	token
)

// clientMechanisms are all that a client knows, the strongest first.
var clientMechanisms = [...]clientMechanism{
	{name: "SCRAM-SHA-256-PLUS", begin: newSCRAMClient, secret: password, named: true, as: true},
	{name: "SCRAM-SHA-1-PLUS", begin: newSCRAMClient, secret: password, named: true, as: true},
	{name: "SCRAM-SHA-256", begin: newSCRAMClient, secret: password, named: true, as: true},
	{name: "SCRAM-SHA-1", begin: newSCRAMClient, secret: password, named: true, as: true},
	{name: "OAUTHBEARER", begin: newOAUTHBEARERClient, secret: token, bare: true, as: true},
	{name: "XOAUTH2", begin: newXOAUTH2Client, secret: token, bare: true, named: true, as: true},
	{name: "DIGEST-MD5", begin: newDigestClient, secret: password, named: true, as: true},
	{name: "CRAM-MD5", begin: newCRAMClient, secret: password, named: true},
	{name: "NTLM", begin: newNTLMClient, secret: password, bare: true, named: true},
	{name: "PLAIN", begin: newPlainClient, secret: password, bare: true, named: true, as: true},
	{name: "LOGIN", begin: newLoginClient, secret: password, bare: true, named: true},
	{name: "EXTERNAL", begin: newExternalClient, as: true},
}

// check says whether credentials can be used with a mechanism.
func (m clientMechanism) check(c Credentials) error {
	switch {
	case m.secret == password && c.Password == "":
		return errors.New("there is no password")
	case m.secret == password && strings.IndexByte(c.Password, 0) >= 0:
		return errors.New("malformed password")
	case m.secret == token && c.Token == "":
		return errors.New("there is no token")
	case m.secret == token && !isToken(c.Token):
		return errors.New("malformed token")
	case m.named && c.Name == "":
		return errors.New("there is no name")
	case c.Name != "" && !IsName(c.Name):
		return errors.New("malformed name")
	case c.As != "" && !IsName(c.As):
		return errors.New("malformed authorization identity")
	case !m.as && c.As != "" && c.As != c.Name:
		return errors.New("it has no authorization identity")
	}
	return nil
}

// What may be wrong with any server.
var (
	errTooMany  = errors.New("the server goes on after its last challenge")
	errTooEarly = errors.New("the server says that the exchange has succeeded before it was over")
)
