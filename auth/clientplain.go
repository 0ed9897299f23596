package auth

import "cmp"

// A sayingClient says all that it has to say at once: PLAIN and EXTERNAL.
type sayingClient struct{ response []byte }

// newPlainClient is PLAIN (RFC 4616 §2).
func newPlainClient(_ string, c Credentials, _ Channel) (Client, error) {
	return sayingClient{[]byte(c.As + "\x00" + c.Name + "\x00" + c.Password)}, nil
}

// newExternalClient is EXTERNAL (RFC 4422 App. A), whose empty response asks for the identity that was proven below.
func newExternalClient(_ string, c Credentials, _ Channel) (Client, error) {
	return sayingClient{[]byte(cmp.Or(c.As, c.Name))}, nil
}

func (c sayingClient) Start() ([]byte, error) { return c.response, nil }

func (c sayingClient) Next([]byte) ([]byte, error) { return nil, errTooMany }

func (c sayingClient) Finish() error { return nil }

// A loginClient is LOGIN (draft-murchison-sasl-login). Its prompts are spelled in many ways ("Username:", "User Name", nothing at
// all), so they are not read: the name comes first, and the password second.
type loginClient struct{ answers []string }

func newLoginClient(_ string, c Credentials, _ Channel) (Client, error) {
	return &loginClient{[]string{c.Name, c.Password}}, nil
}

func (c *loginClient) Start() ([]byte, error) { return nil, nil }

func (c *loginClient) Next([]byte) ([]byte, error) {
	if len(c.answers) == 0 {
		return nil, errTooMany
	}
	answer := c.answers[0]
	c.answers = c.answers[1:]
	return []byte(answer), nil
}

func (c *loginClient) Finish() error {
	if len(c.answers) > 0 {
		return errTooEarly
	}
	return nil
}
