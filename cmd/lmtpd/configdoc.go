package main

import (
	"bytes"
	"errors"
	"regexp"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// A value is a value of the document and the place where it stands.
type value struct {
	at    position
	kind  unstable.Kind
	text  string   // a scalar; a string without quotes and escapes
	items []*value // an array, or the tables of an array of tables
	table *table   // a table, inline or not
}

// A table is a table of the document. What is read from it is marked as known; see table.done.
type table struct {
	name   string // as its header would be written: "[limits]", "[[listen]]"
	at     position
	values map[string]*entry
	order  []string
	known  []string
	torn   bool // there was a syntax error in it: what seems to be missing may not be
	report *report
}

// An entry is a value and the key it was given under.
type entry struct {
	*value
	key     position
	implied bool // made only because a table below it has a header
}

// parseDocument reads TOML into a tree that knows where everything stood. The library's decoder knows places
// too, but stops at the first value of a wrong type and tells of unknown keys only when there was none; here
// every mistake is to be told in one run. So the tree is built from the parser's expressions, and after a
// syntax error reading goes on at the next line that looks like an expression.
func parseDocument(data []byte, r *report) *table {
	data = data[:len(data):len(data)] // the parser finds places by capacity
	b := &builder{data: data, report: r}
	b.root = b.newTable("", position{1, 1})
	b.current = b.root
	before := len(r.found)
	for b.base < len(data) {
		if !b.parse() {
			break
		}
	}
	if len(r.found) == before {
		b.strict()
	}
	return b.root
}

// A builder makes the tree.
type builder struct {
	data    []byte
	base    int // where the parser's input begins in data
	parser  unstable.Parser
	report  *report
	root    *table
	current *table // that key-value lines belong to
}

// parse reads expressions up to the end or to a syntax error, and says whether there is something to go on with.
func (b *builder) parse() bool {
	input := b.data[b.base:]
	b.parser.Reset(input)
	end := 0 // of the expressions read so far
	for b.parser.NextExpression() {
		node := b.parser.Expression()
		b.expression(node)
		end = max(end, b.reach(node))
	}
	err := b.parser.Error()
	if err == nil {
		return false
	}
	var bad *unstable.ParserError
	if !errors.As(err, &bad) {
		b.report.add(position{1, 1}, "%v", err)
		return false
	}
	at := int(b.parser.Range(bad.Highlight).Offset)
	b.report.add(b.position(at), "%s", bad.Message)
	b.current.torn = true
	return b.resume(end, at)
}

// expressionLine matches the start of a line that is a key with a value, or a table's header.
const expressionLine = `(?m)^[ \t]*(?:\[\[?[ \t]*[A-Za-z0-9_."'-]+[ \t]*\]|[A-Za-z0-9_."'-]+[ \t]*=)`

// resume finds where to go on after an error at octet at, the last good expression having ended at end.
func (b *builder) resume(end, at int) bool {
	input := b.data[b.base:]
	start := end
	if end > 0 {
		start = nextLine(input, end)
	}
	for start < at && isBlank(input[start:nextLine(input, start)]) {
		start = nextLine(input, start)
	}
	if bytes.HasPrefix(bytes.TrimLeft(input[start:], " \t"), []byte("[")) {
		// Nobody knows whose the next keys are: they go to a table that is not looked at.
		b.current = b.newTable("", position{})
	}
	next := nextLine(input, start)
	found := regexp.MustCompile(expressionLine).FindIndex(input[next:])
	if found == nil {
		return false
	}
	b.base += next + found[0]
	return true
}

// nextLine returns where the line after octet i begins.
func nextLine(s []byte, i int) int {
	if n := bytes.IndexByte(s[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(s)
}

// isBlank says whether line is empty or a comment.
func isBlank(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}

// reach returns the last octet known to belong to node or one of its children.
func (b *builder) reach(node *unstable.Node) int {
	end := int(node.Raw.Offset + node.Raw.Length)
	for it := node.Children(); it.Next(); {
		end = max(end, b.reach(it.Node()))
	}
	return end
}

// position turns an octet of the parser's input into line and column of the file.
func (b *builder) position(offset int) position {
	before := b.data[:b.base+offset]
	line := bytes.Count(before, []byte("\n")) + 1
	return position{line, len(before) - bytes.LastIndexByte(before, '\n')}
}

// strict lets the library judge the whole document by the rules that the tree does not enforce, such as a
// dotted key that reaches into an inline table.
func (b *builder) strict() {
	var whole map[string]any
	err := toml.Unmarshal(b.data, &whole)
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		line, col := bad.Position()
		b.report.add(position{line, col}, "%s", bad.Error()[len("toml: "):])
	} else if err != nil {
		b.report.add(position{1, 1}, "%v", err)
	}
}
