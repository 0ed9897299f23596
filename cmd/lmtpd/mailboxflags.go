package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/store"
)

// A flagChange makes other flags of those that a message has.
type flagChange struct {
	set         bool // none of the old ones stay
	add, remove []store.Flag
}

func readFlagChange(c *cli.Context) (flagChange, error) {
	change := flagChange{set: c.IsSet("set")}
	for name, into := range map[string]*[]store.Flag{"set": &change.add, "add": &change.add, "remove": &change.remove} {
		for _, word := range c.StringSlice(name) {
			if word == "" && name == "set" {
				continue // --set= leaves none
			}
			f, err := parseFlag(word)
			if err != nil {
				return change, usage(c, "--%s: %v", name, err)
			}
			*into = append(*into, f)
		}
	}
	switch {
	case change.set && (c.IsSet("add") || c.IsSet("remove")):
		return change, usage(c, "--set replaces all flags: give it without --add and --remove")
	case !change.set && len(change.add)+len(change.remove) == 0:
		return change, usage(c, "give --add, --remove or --set")
	}
	return change, nil
}

// parseFlag reads a system flag, in any case, or a keyword, which is an atom (RFC 3501 §9).
func parseFlag(word string) (store.Flag, error) {
	system := []store.Flag{store.FlagSeen, store.FlagAnswered, store.FlagFlagged, store.FlagDeleted, store.FlagDraft}
	for _, f := range append(system, store.FlagPassed) {
		if strings.EqualFold(word, string(f)) {
			return f, nil
		}
	}
	switch {
	case strings.HasPrefix(word, `\`):
		return "", fmt.Errorf("%q is no flag that a message can have: there are %s and keywords", word, flagWords(system))
	case word == "" || strings.ContainsFunc(word, notInAtom):
		return "", fmt.Errorf("%q is no keyword", word)
	}
	return store.Flag(word), nil
}

func notInAtom(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r)
}

// of gives the flags of a message that has old.
func (change flagChange) of(old []store.Flag) []store.Flag {
	if change.set {
		old = nil
	}
	has := func(list []store.Flag, f store.Flag) bool {
		return slices.ContainsFunc(list, func(o store.Flag) bool { return strings.EqualFold(string(o), string(f)) })
	}
	var flags []store.Flag
	for _, f := range slices.Concat(old, change.add) {
		if !has(flags, f) && !has(change.remove, f) {
			flags = append(flags, f)
		}
	}
	return flags
}
