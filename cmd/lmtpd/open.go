package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"lmtpd/store"
	"lmtpd/store/maildir"
	"lmtpd/store/mailtext"
	"lmtpd/store/sqlite"
)

// openStores opens the store of every block of mailboxes, each distinct one once: opened[i] is that of
// cfg.Mailboxes[i]. closeAll closes them; after an error it is nil and everything is closed already.
func openStores(cfg *Config, log *slog.Logger) (opened []store.Store, closeAll func() error, err error) {
	byURL := map[string]store.Store{}
	closeAll = func() error { return closeStores(byURL) }
	for _, block := range cfg.Mailboxes {
		url := block.Store.String()
		s, ok := byURL[url]
		if !ok {
			if s, err = openStore(cfg, block.Store, log); err != nil {
				return nil, nil, errors.Join(fmt.Errorf("open %s: %w", url, err), closeAll())
			}
			byURL[url] = s
		}
		opened = append(opened, s)
	}
	return opened, closeAll, nil
}

func closeStores(byURL map[string]store.Store) error {
	var errs []error
	for url, s := range byURL {
		if err := s.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", url, err))
		}
	}
	return errors.Join(errs...)
}

// openStore opens one store. This is where a kind of store becomes an implementation.
func openStore(cfg *Config, url StoreURL, log *slog.Logger) (store.Store, error) {
	switch url.Kind {
	case "maildir":
		return maildir.Open(maildir.Config{
			Template:    url.Template,
			Log:         log,
			PerDelivery: cfg.Limits.Deliveries,
			PerMailbox:  cfg.Limits.PerMailbox,
			Space:       store.NewSpace(cfg.Limits.MinFree, time.Now),
		})
	case "sqlite":
		return sqlite.Open(sqlite.Config{
			Template: url.Template,
			Log:      log,
			Space:    store.NewSpace(cfg.Limits.MinFree, time.Now),
			Extract:  mailtext.Extract,
		})
	}
	return nil, fmt.Errorf("no store of kind %s", url.Kind)
}
