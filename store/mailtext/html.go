package mailtext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// html adds what a browser would show.
func (e *extraction) html(text string) {
	defer e.body.add("\n")
	z := html.NewTokenizer(strings.NewReader(text))
	hidden := false // style sheets and scripts are text to the tokenizer
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			if !hidden {
				e.body.add(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := e.tag(z)
			hidden = tag == atom.Script || tag == atom.Style || tag == atom.Title
		case html.EndTagToken:
			e.tag(z)
			hidden = false
		}
	}
}

// tag ends a line, unless the tag is one that stands in the middle of words.
func (e *extraction) tag(z *html.Tokenizer) atom.Atom {
	name, _ := z.TagName()
	tag := atom.Lookup(name)
	switch tag {
	case atom.A, atom.B, atom.I, atom.U, atom.S, atom.Em, atom.Strong, atom.Span, atom.Font, atom.Small, atom.Big, atom.Sub, atom.Sup,
		atom.Code, atom.Tt, atom.Mark, atom.Wbr, atom.Ins, atom.Del:
	default:
		e.body.add("\n")
	}
	return tag
}
