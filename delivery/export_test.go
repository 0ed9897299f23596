package delivery

// MaxPartly is maxPartly.
const MaxPartly = maxPartly

// Remembered says how many copies are remembered of recipients that are to be tried again.
func (a *Agent) Remembered() int { return len(a.partly.now) + len(a.partly.old) }
