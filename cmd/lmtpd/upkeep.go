package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"lmtpd/store"
)

const (
	// indexEvery is how often indexes are brought up to date.
	indexEvery = time.Second
	// indexRetry is how long an index that failed is left alone.
	indexRetry = time.Minute
	// certificatesEvery is how often certificates are looked at where no client comes.
	certificatesEvery = time.Hour
)

// upkeep looks after the stores while the daemon runs.
func (d *daemon) upkeep(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { d.sweep(ctx) })
	if d.certificates != nil {
		all.Go(func() { d.lookAtCertificates(ctx) })
	}
	if d.pickup != nil {
		all.Go(func() { d.pickup.Run(ctx) })
	}
	for _, s := range d.searchers {
		all.Go(func() { d.index(ctx, s) })
	}
	all.Wait()
}

// lookAtCertificates has the log told of what is wrong with them, or soon will be.
func (d *daemon) lookAtCertificates(ctx context.Context) {
	tick := time.NewTicker(certificatesEvery)
	defer tick.Stop()
	for {
		d.certificates.Look()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// index keeps the index of a store up. Looking at very many databases takes a tenth of the time at most.
func (d *daemon) index(ctx context.Context, s store.Searcher) {
	told := ""
	for pause := time.Duration(0); ; {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		began := time.Now()
		contents, err := s.Index(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if pause = indexRetry; err.Error() != told {
				told = err.Error()
				d.log.Warn("the full-text index is behind", "cause", err)
			}
			continue
		case contents > 0:
			pause = indexEvery
		default:
			pause = max(indexEvery, 10*time.Since(began))
		}
		told = ""
	}
}

// searchersOf gives the stores of blocks that want an index, each once.
func searchersOf(blocks []Mailboxes, stores []store.Store) (all []store.Searcher) {
	for i, s := range stores {
		if searcher, can := s.(store.Searcher); can && slices.Index(stores, s) == i && wantsIndex(s, blocks, stores) {
			all = append(all, searcher)
		}
	}
	return all
}

// wantsIndex says whether one of the blocks that share a store wants an index.
func wantsIndex(s store.Store, blocks []Mailboxes, stores []store.Store) bool {
	for i, m := range blocks {
		if stores[i] == s && m.Search {
			return true
		}
	}
	return false
}
