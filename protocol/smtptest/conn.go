package smtptest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// patience is how long a server may take to answer. A transcript that is right never waits for it.
const patience = 20 * time.Second

// NewConn returns a Wire on a connection of the network, which does handshakes with cfg.
func NewConn(c net.Conn, cfg *tls.Config) Wire { return &conn{c: c, r: bufio.NewReader(c), cfg: cfg} }

type conn struct {
	c   net.Conn
	r   *bufio.Reader
	cfg *tls.Config
}

func (c *conn) Send(p []byte) error {
	if err := c.c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := c.c.Write(p)
	return err
}

func (c *conn) Receive(want int) ([]string, error) {
	if err := c.c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	var lines []string
	for range want {
		l, err := c.r.ReadString('\n')
		if err != nil {
			return lines, fmt.Errorf("waiting for the server: %w (%q)", err, l)
		}
		text, found := strings.CutSuffix(l, "\r\n")
		if !found || strings.Contains(text, "\r") {
			return lines, fmt.Errorf("CR or LF alone in %q", l)
		}
		lines = append(lines, text)
	}
	return lines, nil
}

func (c *conn) Handshake() error {
	if c.r.Buffered() > 0 {
		return errors.New("the server speaks before the handshake")
	}
	tc := tls.Client(c.c, c.cfg)
	if err := tc.Handshake(); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	c.c, c.r = tc, bufio.NewReader(tc)
	return nil
}

func (c *conn) Closed() ([]string, error) {
	if err := c.c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	defer c.c.Close()
	rest, err := io.ReadAll(c.r)
	if len(rest) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(rest), "\r\n"), "\r\n"), err
}

func (c *conn) HangUp() ([]string, error) {
	half, ok := c.c.(interface{ CloseWrite() error })
	if !ok {
		return nil, errors.New("cannot hang up on half a connection")
	}
	if err := half.CloseWrite(); err != nil {
		return nil, err
	}
	return c.Closed()
}
