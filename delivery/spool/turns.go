package spool

import "time"

// What is in memory of one destination at most.
const (
	maxLane  = 500  // entries of one sender
	maxReady = 2000 // entries of all
	// window is how many entries are read at once. They are when fewer are left than are attempted at once.
	window = 500
)

// A destination is what is in memory of where mail goes.
type destination struct {
	name   string
	lanes  map[string]*lane
	turns  []*lane // those with entries, in the order of their turns
	ready  int     // entries in lanes
	active int     // attempts under way
	loaded map[key]bool
	due    time.Time // when the next of those is due that are not in memory; zero: there are none
	after  string    // the sender that was looked for last
	rest   rest

	reading bool // refill is at it
}

// A lane is what one sender has ready.
type lane struct {
	sender  string
	entries []*entry
}

// at returns what is in memory of a destination. The caller has s.mu.
func (s *Spool) at(name string) *destination {
	d := s.destinations[name]
	if d == nil {
		d = &destination{name: name, lanes: map[string]*lane{}, loaded: map[key]bool{}}
		s.destinations[name] = d
	}
	return d
}

// takesMore says whether another entry can be attempted at once, or soon. The caller has s.mu.
func (s *Spool) takesMore(e *entry) bool {
	if !s.running || s.isStalled(s.cfg.Now()) {
		return false
	}
	d := s.at(e.destination)
	l := d.lanes[e.sender]
	return !d.rest.is() && d.ready < maxReady && (l == nil || len(l.entries) < maxLane)
}

// push puts an entry into its lane.
func (d *destination) push(e *entry) {
	l := d.lanes[e.sender]
	if l == nil {
		l = &lane{sender: e.sender}
		d.lanes[e.sender] = l
		d.turns = append(d.turns, l)
	}
	l.entries = append(l.entries, e)
	d.ready++
}

// pop takes an entry of the sender whose turn it is.
func (d *destination) pop() *entry {
	if len(d.turns) == 0 {
		return nil
	}
	l := d.turns[0]
	e := l.entries[0]
	l.entries[0] = nil
	l.entries = l.entries[1:]
	d.ready--
	d.turns[0] = nil
	if d.turns = d.turns[1:]; len(l.entries) > 0 {
		d.turns = append(d.turns, l)
	} else {
		delete(d.lanes, l.sender)
	}
	return e
}

// offer hands over an entry that is trying.
func (s *Spool) offer(e *entry) {
	s.mu.Lock()
	if !s.running {
		s.mu.Unlock()
		s.giveUp(e)
		return
	}
	d := s.at(e.destination)
	d.push(e)
	next := s.next(d)
	if next != nil {
		s.workers.Go(func() { s.work(d, next) })
	}
	s.mu.Unlock()
}

// expect says that an entry waits in the database until a time.
func (s *Spool) expect(name string, until time.Time) {
	s.mu.Lock()
	d := s.at(name)
	if d.due.IsZero() || until.Before(d.due) {
		d.due = until
	}
	s.mu.Unlock()
	if !until.After(s.cfg.Now()) {
		s.poke()
	}
}

// next takes the entry that is to be attempted now, if there is one. The caller has s.mu.
func (s *Spool) next(d *destination) *entry {
	now := s.cfg.Now()
	if !s.running || d.active >= s.cfg.Concurrency || s.isStalled(now) || !d.rest.isOver(now) || d.rest.is() && d.active > 0 {
		return nil
	}
	e := d.pop()
	if e != nil {
		d.active++
	}
	if d.ready < s.cfg.Concurrency && !d.due.IsZero() && !d.due.After(now) {
		s.poke()
	}
	return e
}

// start has workers attempt what is ready. The caller has s.mu.
func (s *Spool) start(d *destination) {
	for e := s.next(d); e != nil; e = s.next(d) {
		s.workers.Go(func() { s.work(d, e) })
	}
}

// work attempts one entry after the other.
func (s *Spool) work(d *destination, e *entry) {
	for e != nil {
		s.attempt(d, e)
		s.mu.Lock()
		d.active--
		if e = s.next(d); e == nil && d.active == 0 {
			s.forget(d)
		}
		s.mu.Unlock()
	}
}

// forget drops a destination of which there is nothing to know. The caller has s.mu.
func (s *Spool) forget(d *destination) {
	if d.ready == 0 && d.active == 0 && !d.reading && d.due.IsZero() && !d.rest.is() && len(d.loaded) == 0 && s.destinations[d.name] == d {
		delete(s.destinations, d.name)
	}
}

// maxSettling is how many outcomes may wait for their commit before attempts wait for them.
const maxSettling = 2000

// isStalled says whether no attempt is to begin, since its outcome could not be kept. The caller has s.mu.
func (s *Spool) isStalled(now time.Time) bool {
	return now.Before(s.stalled) || s.settling+len(s.unsettled) >= maxSettling
}

// stallFor is how long nothing is attempted after a commit has failed.
const stallFor = time.Second

// stall says that the database cannot be written to.
func (s *Spool) stall() {
	s.mu.Lock()
	s.stalled = s.cfg.Now().Add(stallFor)
	s.mu.Unlock()
}
