package auth

import (
	"context"
	"hash/maphash"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// What guessing costs. The numbers are for people who mistype: three times costs them three seconds.
const (
	failuresAddr  = 12               // from one address, or at one name from there, and it is banned
	failuresName  = 100              // at one name, from wherever: strangers are banned from it
	maxDelay      = 8 * time.Second  // before a failure is told; it begins with nothing and doubles from a second
	firstBan      = 5 * time.Minute  // it doubles each time
	maxBan        = 4 * time.Hour    //
	forgetting    = 30 * time.Minute // without a failure or a ban, and all is forgotten
	maxRemembered = 10_000           // addresses, names, and pairs of them: each those that have failed last
	maxWelcome    = 10_000           // pairs of address and name that have logged in: those that did last
)

// A Throttle makes guessing slow. It counts the failures of each address (of IPv6 each /64), of each name, whatever its case, and
// of each name at each address; it has answers be given late, and bans who fails on. A success takes back the failures at that
// name from that address, and no others, so that nobody makes up with a password of his own for what he guesses of others.
//
// An answer that is given late is held, whoever waits for it: what comes from the same address or for the same name meanwhile
// is answered after it, and if there has been a ban by then, by that alone, right or wrong. So to ask many times at once, and
// to hang up early, gains nothing.
//
// Strangers cannot lock the owner of a name out from where he has logged in lately: there only what has failed from there counts.
// From elsewhere he is banned as they are. A unix socket and a loopback address stand for all users of the host, who may be behind
// a webmail or a proxy: there only the names count, and one that has failed too often there is banned there.
//
// What it remembers takes some 10 MB at most, whoever tries. Beyond that, who has failed longest ago is forgotten, ban and all;
// but addresses do not crowd out names, nor do failures crowd out who has logged in. It starts anew with the daemon. Its methods
// may be called from many goroutines.
type Throttle struct {
	now  func() time.Time
	fold func(name string) string
	seed maphash.Seed

	stop    sync.Once
	stopped chan struct{} // closed: nobody is held any more

	mu      sync.Mutex
	addrs   recent[netip.Prefix, *failures]
	names   recent[uint64, *failures]
	pairs   recent[pair, *failures]
	welcome recent[pair, struct{}]
}

// Stop lets all answers go that are held, and holds none any more: the daemon goes down, and does not wait for who guesses.
func (t *Throttle) Stop() { t.stop.Do(func() { close(t.stopped) }) }

// hold waits, unless ctx ends before, which is an error.
func (t *Throttle) hold(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.stopped:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// A pair is a name at an address; of a unix socket that is the zero Prefix. The name is hashed, so that all take little room.
type pair struct {
	addr netip.Prefix
	name uint64
}

// NewThrottle returns a Throttle that has seen nothing. fold makes of the ways to write a name one; nil: upper and lower case are
// one.
func NewThrottle(now func() time.Time, fold func(name string) string) *Throttle {
	if fold == nil {
		fold = strings.ToLower
	}
	t := &Throttle{now: now, fold: fold, seed: maphash.MakeSeed(), stopped: make(chan struct{})}
	t.addrs.limit, t.names.limit, t.pairs.limit = maxRemembered, maxRemembered, maxRemembered
	t.welcome.limit = maxWelcome
	return t
}

// Admit says whether somebody at an address may try now, by the name that is claimed so far: nil, or a Banned.
func (t *Throttle) Admit(addr netip.Addr, name string) error {
	_, err := t.Pass(addr, name)
	return err
}

// Pass says how long an answer that is no failure is to be held, or that it is not to be given: Banned.
func (t *Throttle) Pass(addr netip.Addr, name string) (time.Duration, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.verdict(t.suspects(addr, name), t.now())
}

// Fail counts a failure. It says how long that is not to be told; or that it is not to be told at all and does not count, since
// there has been a ban already: Banned.
func (t *Throttle) Fail(addr netip.Addr, name string) (time.Duration, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, s := t.now(), t.suspects(addr, name)
	if _, err := t.verdict(s, now); err != nil {
		return 0, err
	}
	if s.counted {
		f := entry(&t.addrs, s.at.addr)
		f.hold(f.fail(now, failuresAddr), now)
	}
	if s.named {
		f := entry(&t.pairs, s.at)
		f.hold(f.fail(now, failuresAddr), now)
		// Many addresses at once do not make the owner, who may be at one more, wait for all of them.
		f = entry(&t.names, s.at.name)
		f.free = later(f.free, now.Add(f.fail(now, failuresName)))
	}
	return t.held(s, now), nil
}

// Succeed takes back the failures at a name from an address, which is welcome from now on.
func (t *Throttle) Succeed(addr netip.Addr, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.suspects(addr, name)
	if !s.named {
		return
	}
	t.welcome.put(s.at, struct{}{})
	f, known := t.pairs.get(s.at)
	if !known {
		return
	}
	t.pairs.remove(s.at)
	if a, known := t.addrs.get(s.at.addr); known {
		a.count = max(0, a.count-f.count)
	}
	if n, known := t.names.get(s.at.name); known {
		n.count = max(0, n.count-f.count)
	}
}

// suspects are an address and a name that failures are counted of.
type suspects struct {
	at      pair
	counted bool // the address
	named   bool // there is a name
}

func (t *Throttle) suspects(addr netip.Addr, name string) suspects {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64 // what one site has at least
	}
	prefix, _ := addr.Prefix(bits) // zero for a unix socket
	return suspects{
		at:      pair{prefix, maphash.String(t.seed, t.fold(name))},
		counted: addr.IsValid() && !addr.IsLoopback(),
		named:   name != "",
	}
}

// verdict says whether they are banned, and if not, how long an answer is to be held. Who is nobody yet does not wait.
func (t *Throttle) verdict(s suspects, now time.Time) (time.Duration, error) {
	until := time.Time{}
	if f, known := t.addrs.get(s.at.addr); known && s.counted {
		until = f.until
	}
	if f, known := t.pairs.get(s.at); known && s.named {
		until = later(until, f.until)
	}
	if f, known := t.names.get(s.at.name); known && s.named && !t.welcome.has(s.at) {
		until = later(until, f.until)
	}
	if d := until.Sub(now); d > 0 {
		return 0, Banned{For: d}
	}
	if !s.named {
		return 0, nil
	}
	if t.welcome.has(s.at) {
		f, _ := t.pairs.get(s.at)
		return f.wait(now), nil
	}
	return t.held(s, now), nil
}

// held is how long the answers to all of them are held.
func (t *Throttle) held(s suspects, now time.Time) (d time.Duration) {
	if s.counted {
		f, _ := t.addrs.get(s.at.addr)
		d = f.wait(now)
	}
	if s.named {
		at, _ := t.pairs.get(s.at)
		name, _ := t.names.get(s.at.name)
		d = max(d, at.wait(now), name.wait(now))
	}
	return d
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
