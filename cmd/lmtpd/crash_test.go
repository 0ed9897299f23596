package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/textproto"
	"sync"
	"testing"
	"time"
)

// A receipt says that a letter was answered 250 for a recipient.
type receipt struct{ id, to string }

// A load is several clients that send letters, and remember each one and what was answered 250.
type load struct {
	mu       sync.Mutex
	sent     map[string]int // size by ID
	receipts []receipt
	enough   chan struct{} // closed when there are limit receipts
	limit    int
	more     chan struct{} // is sent to, if somebody waits, for each receipt

	hello   string // with its verb
	socket  string
	replies func(recipients int) int // after the final dot

	shelf shelf
	known map[string]receipt // what has been found to be whole, by path
}

const crashClients, crashMailboxes = 8, 20

// A daemon that is killed at any moment under load loses nothing that it answered 250 for, and shows nothing by halves:
// every letter with a receipt is there, whole, once; a letter without one is there whole, at most once, or not at all.
func TestCrash(t *testing.T) {
	onStores(t, crash)
}

func crash(t *testing.T, d *daemon) {
	rounds, left := 20, ""
	if testing.Short() {
		rounds = 2
	}
	l := newLoad(d)
	for round := range rounds {
		d.start(t)
		l.limit = len(l.receipts) + 1 + rand.IntN(300)
		l.enough = make(chan struct{})
		l.run(t, d, round)
		isDaemon := round%2 == 1 // who is the first to find what the crash has left, and otherwise the test
		if isDaemon {
			d.start(t)
		}
		l.check(t) // of all rounds
		left = d.shelf.checked(t)
		if isDaemon {
			d.kill(t)
		}
		if t.Failed() {
			return
		}
	}
	clear(l.known)
	l.check(t) // once more, and all is read anew
	t.Logf("%d rounds, %d receipts, %s", rounds, len(l.receipts), left)
	d.start(t) // and goes on as if nothing had been
	if replies := dial(t, "unix", d.socket).lhlo().transaction(letter("after", 1000), "u0@example.org"); replies[0][:3] != "250" {
		t.Errorf("after the last crash: %s", replies[0])
	}
}

// newLoad is the load of an MTA.
func newLoad(d *daemon) *load {
	return &load{
		hello: "LHLO client.example.net", socket: d.socket, replies: func(recipients int) int { return recipients },
		shelf: d.shelf, sent: make(map[string]int), known: make(map[string]receipt), more: make(chan struct{}, 1),
	}
}

// run lets the clients send until there are enough receipts, kills the daemon and waits for the clients.
func (l *load) run(t *testing.T, d *daemon, round int) {
	t.Helper()
	var clients, watcher sync.WaitGroup
	watcher.Go(func() { l.watch(t, d) })
	for c := range crashClients {
		clients.Go(func() { l.client(fmt.Sprintf("r%d-c%d", round, c)) })
	}
	gone := make(chan struct{})
	go func() {
		clients.Wait()
		close(gone)
	}()
	select {
	case <-l.enough:
	case <-gone:
		t.Error("no client is left before the daemon was killed")
	case <-time.After(patience):
		t.Error("too few replies to kill for")
	}
	d.kill(t)
	<-gone
	watcher.Wait()
}

// client sends letters, with one to three recipients each, until the connection breaks.
func (l *load) client(name string) {
	c, err := l.connect()
	if err != nil {
		return
	}
	defer c.Close()
	for n := 0; l.letter(c, fmt.Sprintf("%s-%d", name, n), letterSize()); n++ {
	}
}

// connect begins a session.
func (l *load) connect() (*textproto.Conn, error) {
	conn, err := net.DialTimeout("unix", l.socket, patience)
	if err != nil {
		return nil, err
	}
	c := textproto.NewConn(conn)
	if _, _, err = c.ReadResponse(220); err == nil && !answered(c, 250, l.hello) {
		err = errors.New(l.hello + " was not answered 250")
	}
	if err != nil {
		c.Close()
	}
	return c, err
}

// letterSize is small as a rule, and sometimes so big that a crash in the middle of writing is likely.
func letterSize() int {
	if rand.IntN(20) == 0 {
		return 200_000 + rand.IntN(800_000)
	}
	return 500 + rand.IntN(30_000)
}

func answered(c *textproto.Conn, code int, line string) bool {
	if c.PrintfLine("%s", line) != nil {
		return false
	}
	_, _, err := c.ReadResponse(code)
	return err == nil
}

// letter sends one letter, and says whether the connection still stands.
func (l *load) letter(c *textproto.Conn, id string, size int) bool {
	if !answered(c, 250, "MAIL FROM:<sender@example.net>") {
		return false
	}
	var to []string
	for first, n := rand.IntN(crashMailboxes), 1+rand.IntN(3); len(to) < n; {
		rcpt := fmt.Sprintf("u%d", (first+len(to))%crashMailboxes)
		if !answered(c, 250, "RCPT TO:<"+rcpt+"@example.org>") {
			return false
		}
		to = append(to, rcpt)
	}
	l.mu.Lock()
	l.sent[id] = size
	l.mu.Unlock()
	if !answered(c, 354, "DATA") {
		return false
	}
	w := c.DotWriter()
	w.Write(letter(id, size))
	if w.Close() != nil {
		return false
	}
	for i, n := 0, l.replies(len(to)); i < n; i++ {
		if _, _, err := c.ReadResponse(250); err != nil {
			return false
		}
		for _, rcpt := range to[i*len(to)/n : (i+1)*len(to)/n] {
			l.receive(receipt{id, rcpt})
		}
	}
	return true
}

func (l *load) receive(r receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.receipts = append(l.receipts, r)
	if len(l.receipts) == l.limit {
		close(l.enough)
	}
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// watch reads what becomes visible as soon as it does, as a mail reader would, while other letters are being written.
func (l *load) watch(t *testing.T, d *daemon) {
	for {
		l.read(t)
		select {
		case <-l.more:
		case <-d.ended:
			return
		}
	}
}

// read looks at what is visible, and tells how often each letter is there in each mailbox.
func (l *load) read(t *testing.T) map[receipt]int {
	t.Helper()
	times := make(map[receipt]int)
	for _, f := range l.shelf.visible(t, l.known) {
		r, known := l.known[f.path]
		if !known {
			id, is := l.whole(t, f)
			if !is {
				continue
			}
			r = receipt{id, f.mailbox}
			l.known[f.path] = r
		}
		times[r]++
	}
	return times
}

// whole checks that what is visible is a letter, from beginning to end, and returns its ID.
func (l *load) whole(t *testing.T, f found) (id string, is bool) {
	t.Helper()
	id = letterID(f.text)
	l.mu.Lock()
	size, known := l.sent[id]
	l.mu.Unlock()
	if !known || !bytes.HasSuffix(f.text, onDisk(letter(id, size))) {
		t.Errorf("%s shows %d octets that are no whole letter", f.path, len(f.text))
		return "", false
	}
	return id, true
}

// check compares what is visible with what was sent and answered.
func (l *load) check(t *testing.T) {
	t.Helper()
	times := l.read(t)
	for r, n := range times {
		if n > 1 {
			t.Errorf("%v is there %d times", r, n)
		}
	}
	for _, r := range l.receipts {
		if times[r] == 0 {
			t.Errorf("%v was answered 250 and is not there", r)
		}
	}
}
