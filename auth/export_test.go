package auth

// Remembered says how many addresses and names a Throttle remembers.
func (t *Throttle) Remembered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed.order.Len()
}
