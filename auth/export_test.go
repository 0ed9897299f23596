package auth

// Remembered says how many addresses, names and pairs of them a Throttle remembers.
func (t *Throttle) Remembered() [3]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return [3]int{len(t.addrs.items), len(t.names.items), len(t.pairs.items)}
}
