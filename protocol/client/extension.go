package client

import "strings"

// Extensions are what a server offers in its reply to the hello: keywords in capitals, and what followed each of
// them (RFC 5321 §4.1.1.1).
type Extensions map[string]string

// Has says whether keyword, in capitals, is offered.
func (e Extensions) Has(keyword string) bool {
	_, ok := e[keyword]
	return ok
}

// parseExtensions reads the lines of a reply to the hello after the first, which is the server's name.
//
// QUIRK: "AUTH=PLAIN" is read as "AUTH PLAIN", as old servers wrote it before RFC 2554. Some have both, so the mechanisms of several
// lines are put together.
func parseExtensions(text string) Extensions {
	e := Extensions{}
	_, text, _ = strings.Cut(text, "\n")
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		n := strings.IndexAny(line, " =")
		if n < 0 {
			n = len(line)
		}
		keyword := strings.ToUpper(line[:n])
		value := strings.TrimLeft(line[n:], " =")
		switch {
		case keyword == "AUTH" && e.Has(keyword):
			e[keyword] += " " + value
		case keyword != "" && !e.Has(keyword):
			e[keyword] = value
		}
	}
	return e
}
