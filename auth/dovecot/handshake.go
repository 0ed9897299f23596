package dovecot

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// The version of the protocol that is spoken. A server of another minor one is understood.
const (
	major = 1
	minor = 2
)

// maxHandshake is how many lines a handshake may have.
const maxHandshake = 100

// handshake says who we are and hears what the server has. Its lines may come in any order, but for the last.
func (c *conn) handshake(id uint32) error {
	// Dovecot 2.4 says nothing before it has heard this.
	if err := c.send(fmt.Appendf(nil, "VERSION\t%d\t%d\nCPID\t%d\n", major, minor, id)); err != nil {
		return err
	}
	versioned := false
	for range maxHandshake {
		line, err := readLine(c.in)
		if err != nil {
			return err
		}
		switch said := parseCommand(line); said.verb {
		case "VERSION":
			if c.minor, err = parseVersion(said); err != nil {
				return err
			}
			versioned = true
		case "MECH":
			c.offer(said.parameters)
		case "DONE":
			return c.complete(versioned)
		}
	}
	return fmt.Errorf("more than %d lines", maxHandshake)
}

// parseVersion returns the minor version of the server, whose major one is ours.
func parseVersion(said command) (int, error) {
	theirs, err := strconv.ParseUint(said.parameter(0), 10, 16)
	if err != nil {
		return 0, errors.New("malformed version")
	}
	if theirs != major {
		return 0, fmt.Errorf("version %d of the protocol, and not %d", theirs, major)
	}
	lesser, err := strconv.ParseUint(said.parameter(1), 10, 16)
	if err != nil {
		return 0, errors.New("malformed version")
	}
	return int(lesser), nil
}

// offer takes a mechanism of the server's, if it is for clients here.
func (c *conn) offer(parameters []string) {
	if len(parameters) == 0 || len(c.mechanisms) == maxMechanisms {
		return
	}
	if m, ok := parseMechanism(parameters); ok && !c.offers(m.name) {
		c.mechanisms = append(c.mechanisms, m)
	}
}

// offers says whether the server has a mechanism.
func (c *conn) offers(name string) bool {
	return slices.ContainsFunc(c.mechanisms, func(m mechanism) bool { return m.name == name })
}

// complete says what a handshake was without.
func (c *conn) complete(versioned bool) error {
	switch {
	case !versioned:
		return errors.New("no version of the protocol")
	case len(c.mechanisms) == 0:
		return errors.New("no mechanism that could be offered")
	}
	return nil
}
