package auth

import (
	"container/list"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// What guessing costs. The numbers are for people who mistype: three times costs them three seconds.
const (
	failuresAddr  = 12               // of one address in a row, and it is banned
	failuresName  = 100              // of one name in a row, from wherever: strangers are banned from it
	maxDelay      = 8 * time.Second  // before a failure is told; it begins with nothing and doubles from a second
	firstBan      = 5 * time.Minute  // it doubles each time
	maxBan        = 4 * time.Hour    //
	forgetting    = 30 * time.Minute // without a failure or a ban, and all is forgotten
	maxRemembered = 20_000           // addresses and names; those that have failed last
	maxWelcome    = 20_000           // pairs of address and name that have logged in
)

// A Throttle makes guessing slow. It counts failures in a row of each address (of IPv6 each /64) and of each name, has a failure
// be told late, and bans who fails on. Whoever fails at one name only is not banned from there by strangers: an address that has
// logged in as somebody may go on trying to, whatever others do to the name. A unix socket has no address to count, since all
// users of a host may be behind one: there names alone count.
//
// It remembers a bounded number of addresses and names, those that have failed last, in some 5 MB; and it starts anew with the
// daemon. Its methods may be called from many goroutines.
type Throttle struct {
	now func() time.Time

	mu      sync.Mutex
	failed  recent[suspect, *failures]
	welcome recent[guest, struct{}]
}

// A suspect is an address or a name.
type suspect struct {
	addr netip.Prefix
	name string
}

// A guest is somebody who has logged in from somewhere.
type guest struct {
	addr netip.Prefix
	name string
}

// failures are those of one suspect.
type failures struct {
	count   int       // in a row
	pending int       // attempts that are not decided
	bans    int       // so far
	until   time.Time // banned
	last    time.Time
}

// NewThrottle returns a Throttle that has seen nothing.
func NewThrottle(now func() time.Time) *Throttle {
	t := &Throttle{now: now}
	t.failed.limit, t.welcome.limit = maxRemembered, maxWelcome
	return t
}

// Begin says whether somebody at an address may try now: nil, or a Banned. If nil, one of Fail, Succeed and Withdraw follows.
func (t *Throttle) Begin(addr netip.Addr) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, s := t.now(), addressed(addr)
	f, known := t.failed.get(s)
	if !known || !s.addr.IsValid() {
		return nil
	}
	if err := f.banned(now); err != nil {
		return err
	}
	// As long as there are failures, attempts at the same time count as more of them: nobody gets more by asking at once.
	if f.count > 0 && now.Sub(f.last) <= forgetting && f.count+f.pending >= failuresAddr {
		return Banned{For: maxDelay}
	}
	f.pending++
	return nil
}

// Withdraw says that an attempt came to nothing: it was broken off, or could not be decided.
func (t *Throttle) Withdraw(addr netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.decided(addr)
}

// Fail counts a failure. It returns how long it is not to be told.
func (t *Throttle) Fail(addr netip.Addr, name string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.decided(addr)
	now, count := t.now(), 0
	if s := addressed(addr); s.addr.IsValid() {
		count = t.entry(s).fail(now, failuresAddr)
	}
	if name != "" {
		count = max(count, t.entry(suspect{name: folded(name)}).fail(now, failuresName))
	}
	if count <= 1 {
		return 0
	}
	return min(maxDelay, time.Second<<min(count-2, 10))
}

// Succeed says what is to become of an attempt that has succeeded: nil, or Banned if strangers are banned from that name and
// the address is one.
func (t *Throttle) Succeed(addr netip.Addr, name, account string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.decided(addr)
	now, s, key := t.now(), addressed(addr), suspect{name: folded(name)}
	if f, known := t.failed.get(key); known && s.addr.IsValid() {
		if err := f.banned(now); err != nil && !t.welcome.has(guest{s.addr, account}) {
			return err
		}
		t.failed.remove(key)
	}
	t.failed.remove(s)
	if s.addr.IsValid() {
		t.welcome.put(guest{s.addr, account}, struct{}{})
	}
	return nil
}

// decided ends what Begin began.
func (t *Throttle) decided(addr netip.Addr) {
	if f, known := t.failed.get(addressed(addr)); known && f.pending > 0 {
		f.pending--
	}
}

func (t *Throttle) entry(s suspect) *failures {
	f, known := t.failed.get(s)
	if !known {
		f = &failures{}
		t.failed.put(s, f)
	}
	return f
}

// fail counts a failure, and bans for those that are too many.
func (f *failures) fail(now time.Time, limit int) int {
	if now.Sub(f.last) > forgetting && now.Sub(f.until) > forgetting {
		f.count, f.bans = 0, 0
	}
	f.last = now
	if f.count++; f.count >= limit {
		f.until = now.Add(min(maxBan, firstBan<<min(f.bans, 10)))
		f.bans++
		f.count = 0
		return limit
	}
	return f.count
}

func (f *failures) banned(now time.Time) error {
	if d := f.until.Sub(now); d > 0 {
		return Banned{For: d}
	}
	return nil
}

// addressed is the suspect that an address is, with IPv6 its /64, which is what one site has at least.
func addressed(addr netip.Addr) suspect {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // invalid for a unix socket
	return suspect{addr: p}
}

// folded is a name as failures are counted for it, whatever its case, and never longer than names are.
func folded(name string) string { return strings.ToLower(name[:min(len(name), maxName)]) }

// recent is a map of at most limit entries: who was put or asked for longest ago goes first.
type recent[K comparable, V any] struct {
	limit int
	items map[K]*list.Element
	order list.List // of pair[K, V], the latest first
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

func (r *recent[K, V]) get(k K) (v V, known bool) {
	e, known := r.items[k]
	if !known {
		return v, false
	}
	r.order.MoveToFront(e)
	return e.Value.(pair[K, V]).value, true
}

func (r *recent[K, V]) has(k K) bool {
	_, known := r.get(k)
	return known
}

func (r *recent[K, V]) put(k K, v V) {
	if r.items == nil {
		r.items = make(map[K]*list.Element)
	}
	r.remove(k)
	if r.order.Len() >= r.limit {
		r.remove(r.order.Back().Value.(pair[K, V]).key)
	}
	r.items[k] = r.order.PushFront(pair[K, V]{k, v})
}

func (r *recent[K, V]) remove(k K) {
	if e, known := r.items[k]; known {
		r.order.Remove(e)
		delete(r.items, k)
	}
}
