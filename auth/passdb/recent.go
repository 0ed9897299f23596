package passdb

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// maxRecent is how many passwords that were right are remembered, and how many accounts that were reported.
const maxRecent = 1024

// A proof stands for an account, a password and what it was compared with. Who reads it in memory does not learn the password
// from it without the key beside it, and with that not without trying; but trying is quick, so it is not there for long.
type proof [sha256.Size]byte

// recent remembers the proofs of passwords that were right. What was stored is part of a proof, so one that was changed is not
// remembered any more.
type recent struct {
	key []byte
	ttl time.Duration // below 0: nothing is remembered
	now func() time.Time

	mu    sync.Mutex
	until map[proof]time.Time
	order []proof // the oldest at next, once there are maxRecent
	next  int
}

func newRecent(ttl time.Duration, now func() time.Time) *recent {
	return &recent{key: randomKey(), ttl: ttl, now: now, until: map[proof]time.Time{}}
}

func (r *recent) proof(address, password, stored string) proof {
	return proof(digest(r.key, address, password, stored))
}

func (r *recent) has(p proof) bool {
	if r.ttl < 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.until[p]
	return ok && r.now().Before(until)
}

// add remembers a proof in the place of the oldest, which is the first to be over.
func (r *recent) add(p proof) {
	if r.ttl < 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, again := r.until[p] // it keeps its place
	switch {
	case again:
	case len(r.order) < maxRecent:
		r.order = append(r.order, p)
	default:
		delete(r.until, r.order[r.next])
		r.order[r.next] = p
		r.next = (r.next + 1) % maxRecent
	}
	r.until[p] = r.now().Add(r.ttl)
}

// digest is a keyed digest of texts, none of which can be taken for a part of another.
func digest(key []byte, texts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, text := range texts {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		mac.Write([]byte(text))
	}
	return mac.Sum(nil)
}

// told remembers what has been logged, so that a client cannot fill the log.
type told struct {
	mu  sync.Mutex
	all map[proof]bool
}

func newTold() *told { return &told{all: map[proof]bool{}} }

// add says whether it is new. After maxRecent nothing is.
func (t *told) add(p proof) (isNew bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all[p] || len(t.all) >= maxRecent {
		return false
	}
	t.all[p] = true
	return true
}
