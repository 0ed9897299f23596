package submission

import (
	"sync"
	"time"
)

// Limits are on what one account may send; 0 is no limit.
type Limits struct {
	MessagesPerHour, MessagesPerDay     int
	RecipientsPerHour, RecipientsPerDay int
}

// maxClients is how many clients are counted at once. Accounts are created by the admin, so it is seldom reached; then who has
// sent nothing for a day goes, and if there is nobody like that, some that have.
const maxClients = 100_000

// A meter counts what clients send. Time is divided into slots: five minutes of an hour, an hour of a day. What a slot holds is
// forgotten as a whole, so a limit may hold for that much longer than its time, and never shorter.
type meter struct {
	limits Limits
	now    func() time.Time

	mu      sync.Mutex
	clients map[string]*usage
}

// usage is what one client has sent.
type usage struct{ hour, day window }

// A window counts messages and recipients in the slots of the time that it is long.
type window struct {
	last  int64 // slot that was counted in last
	slots [24]amount
}

type amount struct{ messages, recipients int }

// The slots of a window: how many, and how long each.
const (
	hourSlots, hourSlot = 12, 5 * 60
	daySlots, daySlot   = 24, 60 * 60
)

func newMeter(limits Limits, now func() time.Time) *meter {
	return &meter{limits: limits, now: now, clients: make(map[string]*usage)}
}

// reached says which limit does not allow so many messages and recipients more; "" is none.
func (m *meter) reached(client string, messages, recipients int) string {
	if m.limits == (Limits{}) {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over(client, amount{messages, recipients})
}

// take counts a message, unless that would be over a limit.
func (m *meter) take(client string, recipients int) string {
	if m.limits == (Limits{}) {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if limit := m.over(client, amount{1, recipients}); limit != "" {
		return limit
	}
	m.add(client, amount{1, recipients})
	return ""
}

// giveBack takes back what was counted and not taken in the end.
func (m *meter) giveBack(client string, less amount) {
	if m.limits == (Limits{}) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(client, amount{-less.messages, -less.recipients})
}

func (m *meter) over(client string, more amount) string {
	u := m.clients[client]
	if u == nil {
		u = &usage{}
	}
	hour, day := u.hour.sum(m.slot(hourSlot), hourSlots), u.day.sum(m.slot(daySlot), daySlots)
	for _, l := range [...]struct {
		name        string
		limit, used int
	}{
		{"messages_per_hour", m.limits.MessagesPerHour, hour.messages + more.messages},
		{"messages_per_day", m.limits.MessagesPerDay, day.messages + more.messages},
		{"recipients_per_hour", m.limits.RecipientsPerHour, hour.recipients + more.recipients},
		{"recipients_per_day", m.limits.RecipientsPerDay, day.recipients + more.recipients},
	} {
		if l.limit > 0 && l.used > l.limit {
			return l.name
		}
	}
	return ""
}

func (m *meter) add(client string, more amount) {
	u := m.clients[client]
	if u == nil {
		if len(m.clients) >= maxClients {
			m.forget()
		}
		u = &usage{}
		m.clients[client] = u
	}
	u.hour.add(m.slot(hourSlot), hourSlots, more)
	u.day.add(m.slot(daySlot), daySlots, more)
}

// slot is the number of the slot that it is now.
func (m *meter) slot(seconds int64) int64 { return m.now().Unix() / seconds }

// forget makes room for a tenth of the clients.
func (m *meter) forget() {
	now, enough := m.slot(daySlot), maxClients-maxClients/10
	for name, u := range m.clients {
		if u.day.sum(now, daySlots) == (amount{}) {
			delete(m.clients, name)
		}
	}
	for name := range m.clients {
		if len(m.clients) <= enough {
			return
		}
		delete(m.clients, name)
	}
}

// sum is what was counted in the window that ends with a slot.
func (w *window) sum(now int64, slots int) (sum amount) {
	w.correct(now, slots)
	for s := max(w.last-int64(slots)+1, now-int64(slots)+1); s <= w.last; s++ {
		a := w.slots[s%int64(slots)]
		sum.messages += a.messages
		sum.recipients += a.recipients
	}
	return sum
}

func (w *window) add(now int64, slots int, more amount) {
	w.correct(now, slots)
	for w.last < now { // what is in the slots between is of long ago
		w.last = max(w.last+1, now-int64(slots)+1)
		w.slots[w.last%int64(slots)] = amount{}
	}
	a := &w.slots[w.last%int64(slots)]
	a.messages = max(0, a.messages+more.messages) // what is given back may have been taken in a slot before
	a.recipients = max(0, a.recipients+more.recipients)
}

// correct forgets what was counted when the clock was wrong: it is set back a little at times, but not by a whole window.
func (w *window) correct(now int64, slots int) {
	if w.last-now >= int64(slots) {
		*w = window{}
	}
}
