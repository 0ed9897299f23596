package token

import (
	"crypto/sha256"
	"sync"
	"time"
)

// A digest stands for a token, which is a secret and not kept.
type digest [sha256.Size]byte

// An answer is what was said of a token, and how long that is good.
type answer struct {
	name  string
	until time.Time
}

// A cache remembers the last answers. Its methods may be called from many goroutines.
type cache struct {
	max     int
	mu      sync.Mutex
	answers map[digest]answer
	order   []digest // of those that are in answers, from next on and round the end in the order in which they came
	next    int
}

func newCache(max int) *cache { return &cache{max: max, answers: map[digest]answer{}} }

// get returns the name of a token, if that is remembered.
func (c *cache) get(key digest, now time.Time) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.answers[key]
	// A clock that was set back would have it good for longer than it is.
	if left := a.until.Sub(now); !ok || left <= 0 || left > remembered {
		return "", false
	}
	return a.name, true
}

// put remembers an answer, for the oldest one where there are as many as there may be.
func (c *cache) put(key digest, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, known := c.answers[key]
	c.answers[key] = a
	switch {
	case known:
	case len(c.order) < c.max:
		c.order = append(c.order, key)
	default:
		delete(c.answers, c.order[c.next])
		c.order[c.next] = key
		c.next = (c.next + 1) % c.max
	}
}
