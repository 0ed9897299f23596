package main

import (
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

func (b *builder) newTable(name string, at position) *table {
	return &table{name: name, at: at, values: map[string]*entry{}, report: b.report}
}

// expression adds one header or key-value line to the tree.
func (b *builder) expression(node *unstable.Node) {
	switch node.Kind {
	case unstable.Table:
		b.current = b.header(node)
	case unstable.ArrayTable:
		b.current = b.arrayHeader(node)
	case unstable.KeyValue:
		b.keyValue(b.current, node)
	}
}

// A part is one part of a dotted key.
type part struct {
	name string
	at   position
}

func (b *builder) parts(node *unstable.Node) []part {
	var parts []part
	for it := node.Key(); it.Next(); {
		key := it.Node()
		parts = append(parts, part{string(key.Data), b.position(int(key.Raw.Offset))})
	}
	return parts
}

// header finds or makes the table of a line "[a.b]".
func (b *builder) header(node *unstable.Node) *table {
	parts := b.parts(node)
	parent, last := b.descend(b.root, parts)
	old := parent.values[last.name]
	switch {
	case old == nil:
		return b.addTable(parent, last).table
	case old.kind == unstable.Table && old.implied:
		old.implied, old.key, old.table.at = false, last.at, last.at
		return old.table
	case old.kind == unstable.ArrayTable:
		b.report.add(last.at, "%s is a list here (line %d): write [[%s]]", dotted(parts), old.key.line, dotted(parts))
		return b.newTable("", last.at)
	}
	return b.twice(dotted(parts), last.at, old)
}

// arrayHeader adds a table to the list of a line "[[a.b]]".
func (b *builder) arrayHeader(node *unstable.Node) *table {
	parts := b.parts(node)
	parent, last := b.descend(b.root, parts)
	list := parent.values[last.name]
	if list == nil {
		list = &entry{value: &value{at: last.at, kind: unstable.ArrayTable}, key: last.at}
		parent.add(last.name, list)
	}
	if list.kind != unstable.ArrayTable {
		return b.twice(dotted(parts), last.at, list)
	}
	t := b.newTable("[["+dotted(parts)+"]]", last.at)
	list.items = append(list.items, &value{at: last.at, kind: unstable.Table, table: t})
	return t
}

// keyValue adds "key = value" to t. Where the parser does not say where a value stands it is taken to stand
// at its key, or, in an array, at the array.
func (b *builder) keyValue(t *table, node *unstable.Node) {
	parts := b.parts(node)
	parent, last := b.descend(t, parts)
	if old := parent.values[last.name]; old != nil {
		b.twice(dotted(parts), last.at, old)
		return
	}
	parent.add(last.name, &entry{value: b.value(node.Value(), last.at, "["+dotted(parts)+"]"), key: last.at})
}

// value makes a value of a node.
func (b *builder) value(node *unstable.Node, at position, name string) *value {
	if node.Raw.Length > 0 {
		at = b.position(int(node.Raw.Offset))
	}
	v := &value{at: at, kind: node.Kind, text: string(node.Data)}
	switch node.Kind {
	case unstable.Array:
		for it := node.Children(); it.Next(); {
			v.items = append(v.items, b.value(it.Node(), at, name))
		}
	case unstable.InlineTable:
		v.kind = unstable.Table
		v.table = b.newTable(name, at)
		for it := node.Children(); it.Next(); {
			b.keyValue(v.table, it.Node())
		}
	}
	return v
}

// descend walks from t along all but the last of parts, making tables on its way.
func (b *builder) descend(t *table, parts []part) (*table, part) {
	for i, p := range parts[:len(parts)-1] {
		next := t.values[p.name]
		switch {
		case next == nil:
			next = b.addTable(t, p)
			next.implied = true
			t = next.table
		case next.kind == unstable.ArrayTable:
			t = next.items[len(next.items)-1].table
		case next.table != nil:
			t = next.table
		default:
			t = b.twice(dotted(parts[:i+1]), p.at, next)
		}
	}
	return t, parts[len(parts)-1]
}

func (b *builder) addTable(parent *table, p part) *entry {
	e := &entry{value: &value{at: p.at, kind: unstable.Table, table: b.newTable("["+p.name+"]", p.at)}, key: p.at}
	parent.add(p.name, e)
	return e
}

// twice reports that key was given before, and returns a table for what belongs to it now.
func (b *builder) twice(key string, at position, before *entry) *table {
	b.report.add(at, "%s is given twice, first in line %d", key, before.key.line)
	return b.newTable("", at)
}

func (t *table) add(key string, e *entry) {
	t.values[key] = e
	t.order = append(t.order, key)
}

func dotted(parts []part) string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = printable(p.name)
	}
	return strings.Join(names, ".")
}
