package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"lmtpd/delivery"
	"lmtpd/store"
)

// Terms say on what terms a block takes mail.
type Terms struct {
	Delimiters string // "+": each ends a local-part and begins its detail; "": there are no details
	Detail     delivery.Detail
	Quota      store.Quota // none; for accounts that have none of their own
	OverQuota  delivery.OverQuota
	Grace      delivery.Grace
}

func defaultTerms() Terms { return Terms{Delimiters: "+"} }

func readMailboxes(cfg *Config, t *table) {
	seen := map[string]position{}
	for _, section := range t.sections("mailboxes") {
		block := Mailboxes{Terms: defaultTerms()}
		fields(section, "domains", parseDomain, func(d string, at position) {
			if first, twice := seen[d]; twice {
				t.report.add(at, "domains: %s has its mailboxes in line %d already", d, first.line)
				return
			}
			seen[d] = at
			block.Domains = append(block.Domains, d)
		})
		switch {
		case section.torn && !section.has("domains"):
		case !section.has("domains"):
			t.report.add(section.at, `%s has no domains: give some, as in domains = ["example.org"]`, section.name)
		case section.values["domains"].isEmptyList():
			t.report.add(section.where("domains"), "domains: there is none")
		}
		field(section, "accounts", &block.Accounts, parseAccounts)
		field(section, "store", &block.Store, parseStore)
		readSearch(&block, section)
		field(section, "aliases", &block.Aliases, parsePath)
		readTerms(&block.Terms, section)
		section.done()
		cfg.Mailboxes = append(cfg.Mailboxes, block)
	}
}

// blocks is what package delivery makes of the blocks, each with its store.
func (cfg *Config) blocks(stores []store.Store, log *slog.Logger) ([]delivery.Block, error) {
	accounts, err := openAccounts(cfg, log)
	if err != nil {
		return nil, err
	}
	aliases, err := openAliases(cfg, log)
	if err != nil {
		return nil, err
	}
	blocks := make([]delivery.Block, len(stores))
	for i, m := range cfg.Mailboxes {
		blocks[i] = delivery.Block{
			Domains:    m.Domains,
			Accounts:   accounts[i],
			Store:      stores[i],
			Places:     m.Store.places(),
			Aliases:    aliases[i],
			Delimiters: m.Delimiters,
			Detail:     m.Detail,
			Quota:      m.Quota,
			OverQuota:  m.OverQuota,
			Grace:      m.Grace,
		}
	}
	return blocks, nil
}

// The words of the configuration for what package delivery offers, the default first.
var (
	detailWords    = []string{"inbox", "folder", "create"}
	overQuotaWords = []string{"defer", "refuse"}
	dsnWords       = []string{"on", "off"}
)

// readSearch reads whether there is a full-text index, which only databases have. A store that is wrong has been told already.
func readSearch(block *Mailboxes, t *table) {
	t.flag("search", &block.Search)
	if block.Search && !block.Store.indexable() && (block.Store.Kind != "" || !t.has("store")) {
		t.report.add(t.where("search"), "search: only a store in a database has an index, as in store = \"sqlite:/var/lib/lmtpd/mail.db\"")
	}
}

func readTerms(terms *Terms, t *table) {
	field(t, "delimiter", &terms.Delimiters, parseDelimiters)
	field(t, "detail", &terms.Detail, numbered[delivery.Detail](detailWords))
	t.size("quota", &terms.Quota.Octets)
	messages := 0
	t.count("quota_messages", &messages)
	terms.Quota.Messages = int64(messages)
	fields(t, "quota_ignore", parseFolder, func(folder string, _ position) {
		terms.Quota.Ignore = append(terms.Quota.Ignore, folder)
	})
	field(t, "over_quota", &terms.OverQuota, numbered[delivery.OverQuota](overQuotaWords))
	grace := false
	t.flag("quota_grace", &grace)
	if grace {
		terms.Grace = delivery.OneMessage
	}
}

// numbered makes a parser that gives the number of a word.
func numbered[T ~int](words []string) func(string) (T, error) {
	parse := oneOf(words...)
	return func(s string) (T, error) {
		word, err := parse(s)
		return T(slices.Index(words, word)), err
	}
}

// parseDelimiters reads the characters that may divide a local-part from its detail: any that are in a local-part without
// quotes (RFC 5321 §4.1.2) and no letters, digits or dots.
func parseDelimiters(s string) (string, error) {
	for i, r := range s {
		if !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) {
			return "", fmt.Errorf("%q cannot be a delimiter; usual are + and -", r)
		}
		if strings.ContainsRune(s[:i], r) {
			return "", fmt.Errorf("%q is there twice", r)
		}
	}
	return s, nil
}

// parseFolder reads the name of a folder other than INBOX, which no quota may ignore.
func parseFolder(s string) (string, error) {
	levels, err := store.Levels(s)
	switch {
	case err != nil:
		return "", fmt.Errorf("%q is not the name of a folder; levels are divided by /", s)
	case len(levels) == 0:
		return "", errors.New("INBOX always counts")
	}
	return strings.Join(levels, "/"), nil
}
