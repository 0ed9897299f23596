package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// get returns the value of key, or nil, and marks the key as known.
func (t *table) get(key string) *entry {
	t.known = append(t.known, key)
	return t.values[key]
}

// done reports every key that nobody has asked for.
func (t *table) done() {
	for _, key := range t.order {
		if e := t.values[key]; !slices.Contains(t.known, key) {
			t.report.add(e.key, "unknown %s %q%s%s", noun(e), key, t.place(), didYouMean("", key, t.known))
		}
	}
}

// place ends "unknown key" with the table it is in.
func (t *table) place() string {
	if t.name == "" {
		return ""
	}
	return " in " + t.name
}

// where says where the value of key stands, or else the table.
func (t *table) where(key string) position {
	if e := t.values[key]; e != nil {
		return e.at
	}
	return t.at
}

// has says whether key is given.
func (t *table) has(key string) bool { return t.values[key] != nil }

// noun names a value for people.
func noun(e *entry) string {
	switch {
	case e.kind == unstable.Table && e.at == e.key, e.kind == unstable.ArrayTable:
		return "table"
	}
	return "key"
}

// kindName names a kind of value with its article.
func kindName(k unstable.Kind) string {
	switch k {
	case unstable.String:
		return "a string"
	case unstable.Bool:
		return "a boolean"
	case unstable.Integer:
		return "an integer"
	case unstable.Float:
		return "a fraction"
	case unstable.Array:
		return "a list"
	case unstable.Table:
		return "a table"
	case unstable.ArrayTable:
		return "a list of tables"
	}
	return "a date or time"
}

// wrong reports a value of the wrong kind.
func (t *table) wrong(key string, v *value, want string) {
	t.report.add(v.at, "%s: must be %s, not %s", key, want, kindName(v.kind))
}

// field reads a string and parses it into *dst.
func field[T any](t *table, key string, dst *T, parse func(string) (T, error)) {
	e := t.get(key)
	if e == nil {
		return
	}
	if e.kind != unstable.String {
		t.wrong(key, e.value, "a string")
		return
	}
	parsed, err := parse(e.text)
	if err != nil {
		t.report.add(e.at, "%s: %v", key, err)
		return
	}
	*dst = parsed
}

// fields reads a list of strings and parses each of them. seen hears of every good one and where it stands.
func fields[T any](t *table, key string, parse func(string) (T, error), seen func(T, position)) {
	e := t.get(key)
	if e == nil {
		return
	}
	if e.kind != unstable.Array {
		t.wrong(key, e.value, `a list of strings`)
		return
	}
	for _, item := range e.items {
		if item.kind != unstable.String {
			t.wrong(key, item, "a list of strings")
			continue
		}
		parsed, err := parse(item.text)
		if err != nil {
			t.report.add(item.at, "%s: %v", key, err)
			continue
		}
		seen(parsed, item.at)
	}
}

// count reads an integer of at least 1.
func (t *table) count(key string, dst *int) {
	e := t.get(key)
	if e == nil {
		return
	}
	if e.kind != unstable.Integer {
		t.wrong(key, e.value, "an integer")
		return
	}
	n, err := strconv.ParseInt(e.text, 0, 32)
	switch {
	case err != nil:
		t.report.add(e.at, "%s: %s is too large a number", key, e.text)
	case n < 1:
		t.report.add(e.at, "%s: must be at least 1", key)
	default:
		*dst = int(n)
	}
}

// flag reads true or false.
func (t *table) flag(key string, dst *bool) {
	e := t.get(key)
	switch {
	case e == nil:
	case e.kind != unstable.Bool:
		t.wrong(key, e.value, "true or false")
	default:
		*dst = e.text == "true"
	}
}

// size reads a size: "50MiB", or a plain number of octets.
func (t *table) size(key string, dst *int64) {
	e := t.get(key)
	if e == nil {
		return
	}
	if e.kind != unstable.String && e.kind != unstable.Integer {
		t.wrong(key, e.value, `a size such as "50MiB"`)
		return
	}
	text := e.text
	if n, err := strconv.ParseInt(text, 0, 64); err == nil && e.kind == unstable.Integer {
		text = strconv.FormatInt(n, 10) // TOML writes numbers in other bases too
	}
	n, err := parseSize(text)
	if err != nil {
		t.report.add(e.at, "%s: %v", key, err)
		return
	}
	*dst = n
}

// section returns the table [key]; an empty one if it is not there.
func (t *table) section(key string) *table {
	e := t.get(key)
	switch {
	case e == nil:
	case e.table != nil:
		return e.table
	case e.kind == unstable.ArrayTable:
		t.report.add(e.key, "%s is not a list: write [%s] once", key, key)
	default:
		t.wrong(key, e.value, "a table")
	}
	return &table{report: t.report}
}

// sections returns the tables of [[key]], or of the list of inline tables under it.
func (t *table) sections(key string) []*table {
	e := t.get(key)
	if e == nil {
		return nil
	}
	if e.kind == unstable.Table {
		t.report.add(e.key, "%s is a list: write [[%s]]", key, key)
		return nil
	}
	if e.kind != unstable.Array && e.kind != unstable.ArrayTable {
		t.wrong(key, e.value, "a list of tables")
		return nil
	}
	var tables []*table
	for _, item := range e.items {
		if item.table == nil {
			t.wrong(key, item, "a list of tables")
			continue
		}
		item.table.name = fmt.Sprintf("[[%s]]", key)
		tables = append(tables, item.table)
	}
	return tables
}

// isEmptyList says whether v is a list with nothing in it.
func (v *value) isEmptyList() bool { return v.kind == unstable.Array && len(v.items) == 0 }
