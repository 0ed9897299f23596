package smtptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"lmtpd/auth"
	"lmtpd/protocol/session"
)

// NewMemory returns a Wire to a session without a connection. The server's reads return at most segment octets,
// 0 for as many as there are.
func NewMemory(s *session.Session, segment int) Wire {
	return newMemory(s, segment, auth.Channel{})
}

// newMemory is NewMemory with what SASL may know of the channel after a handshake.
func newMemory(s *session.Session, segment int, ch auth.Channel) Wire {
	m := &memory{segment: segment}
	m.changed.L = &m.mu
	go func() {
		drive(context.Background(), s, m, func() (auth.Channel, error) { return ch, m.shakeHands() })
		m.mu.Lock()
		m.ended = true
		m.changed.Broadcast()
		m.mu.Unlock()
	}()
	return m
}

// memory is both ends of a connection in memory. Unlike one of a network it tells when the server waits, so that
// nothing it says can be missed.
type memory struct {
	segment int

	mu      sync.Mutex
	changed sync.Cond
	in, out []byte
	hungUp  bool // the client
	ended   bool // the server
	reading bool // the server waits for octets
	shaking bool // the server waits for a handshake
	shaken  bool // the client has begun one
}

// Read is the server's: it waits for octets.
func (m *memory) Read(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.in) == 0 && !m.hungUp {
		m.reading = true
		m.changed.Broadcast()
		m.changed.Wait()
	}
	m.reading = false
	if len(m.in) == 0 {
		return 0, io.EOF
	}
	if m.segment > 0 && len(p) > m.segment {
		p = p[:m.segment]
	}
	n := copy(p, m.in)
	m.in = m.in[n:]
	return n, nil
}

// Write is the server's.
func (m *memory) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out = append(m.out, p...)
	return len(p), nil
}

// shakeHands is the server's: it waits for the client's part. Octets in its place are a failure.
func (m *memory) shakeHands() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shaking = true
	for !m.shaken && !m.hungUp && len(m.in) == 0 {
		m.changed.Broadcast()
		m.changed.Wait()
	}
	m.shaking = false
	if !m.shaken {
		return errors.New("no handshake")
	}
	m.shaken = false
	return nil
}

// settle waits until the server waits or is gone.
func (m *memory) settle() {
	m.changed.Broadcast()
	for !m.ended && !m.idle() {
		m.changed.Wait()
	}
}

// idle says whether the server waits for what has not come yet.
func (m *memory) idle() bool {
	return (m.reading || m.shaking) && len(m.in) == 0 && !m.shaken && !m.hungUp
}

// lines takes what the server has said.
func (m *memory) lines() ([]string, error) {
	text := string(m.out)
	m.out = nil
	if text == "" {
		return nil, nil
	}
	if !strings.HasSuffix(text, "\r\n") {
		return nil, fmt.Errorf("the server breaks off in %q", text)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
	for _, l := range lines {
		switch {
		case strings.ContainsAny(l, "\r\n"):
			return lines, fmt.Errorf("CR or LF alone in %q", l)
		case len(l) > 510: // RFC 5321 §4.5.3.1.5
			return lines, fmt.Errorf("a reply line of %d octets", len(l)+2)
		}
	}
	return lines, nil
}

func (m *memory) Send(p []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.settle(); m.ended {
		return ErrHungUp
	}
	m.in = append(m.in, p...)
	return nil
}

func (m *memory) Receive(int) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	return m.lines()
}

func (m *memory) Handshake() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	if !m.shaking {
		return errors.New("the server does not wait for a handshake")
	}
	m.shaken = true
	return nil
}

func (m *memory) Closed() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	if !m.ended {
		return nil, errors.New("the server has not hung up")
	}
	return m.lines()
}

func (m *memory) HangUp() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	var err error
	if m.ended {
		err = ErrHungUp
	}
	for m.hungUp = true; !m.ended; {
		m.settle()
	}
	lines, bad := m.lines()
	return lines, errors.Join(err, bad)
}
