package auth

// Remembered says how many addresses, names and pairs of them a Throttle remembers.
func (t *Throttle) Remembered() [3]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return [3]int{len(t.addrs.items), len(t.names.items), len(t.pairs.items)}
}

// Fixed makes what is random in a client, and what is not the test's to say, that of the example that a test plays.
func Fixed(c Client, nonce, uri string) Client {
	switch c := c.(type) {
	case *scramClient:
		c.nonce = nonce
	case *digestClient:
		c.nonce, c.uri = nonce, uri
	case *ntlmClient:
		copy(c.secret.random[:], nonce)
		c.secret.now = 0
	}
	return c
}
