package main

import (
	"errors"
	"fmt"
	"strings"

	"lmtpd/delivery"
	"lmtpd/store"
)

// A StoreURL says what keeps mail and where.
type StoreURL struct {
	Kind     string         // "maildir", "sqlite"
	Template store.Template // the path of each mailbox, or of the database that it is in
}

func (u StoreURL) String() string { return u.Kind + ":" + u.Template.String() }

// shared says whether one path can hold many mailboxes, each under its name.
func (u StoreURL) shared() bool { return u.Kind == "sqlite" }

func (u StoreURL) places() delivery.Places {
	if u.shared() {
		return delivery.PlacesIgnored
	}
	return delivery.PlacesCount
}

// indexable says whether there can be a full-text index.
func (u StoreURL) indexable() bool { return u.Kind == "sqlite" }

// parseStore reads a store's URL: "maildir:TEMPLATE" or "sqlite:TEMPLATE".
func parseStore(s string) (StoreURL, error) {
	kind, path, _ := strings.Cut(s, ":")
	switch {
	case kind == "sqlite":
		return sqliteURL(path)
	case kind == "maildir":
		return maildirURL(path)
	case strings.HasPrefix(s, "/"):
		return StoreURL{}, fmt.Errorf("%q names no kind of store; write maildir:%s", s, s)
	}
	return StoreURL{}, fmt.Errorf("unknown kind of store %q%s", kind, didYouMean("", kind, []string{"maildir", "sqlite"}))
}

func maildirURL(path string) (StoreURL, error) {
	if path == "" {
		return StoreURL{}, errors.New("maildir needs a path, as in maildir:/var/mail/%d/%n")
	}
	if _, err := parsePath(path); err != nil {
		return StoreURL{}, err
	}
	t, err := store.ParseTemplate(path)
	return StoreURL{"maildir", t}, err
}

func sqliteURL(path string) (StoreURL, error) {
	if path == "" {
		return StoreURL{}, errors.New("sqlite needs a path, as in sqlite:/var/lib/lmtpd/mail.db")
	}
	if _, err := parsePath(path); err != nil {
		return StoreURL{}, err
	}
	t, err := store.ParseShared(path)
	return StoreURL{"sqlite", t}, err
}
