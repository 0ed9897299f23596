package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// Exported functions take no bool and at most four parameters, because nobody can read a call of theirs.
func TestSignatures(t *testing.T) {
	for _, s := range production(readModule(t)) {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Name.IsExported() {
				checkSignature(t, s, f)
			}
		}
	}
}

func checkSignature(t *testing.T, s source, f *ast.FuncDecl) {
	for _, p := range f.Type.Params.List {
		if id, ok := p.Type.(*ast.Ident); ok && id.Name == "bool" {
			t.Errorf("%s: %s takes a bool", s.at(f.Pos()), f.Name.Name)
		}
	}
	// The context and, for what an interface prescribes, one more than the four.
	if n := f.Type.Params.NumFields(); n > 5 {
		t.Errorf("%s: %s takes %d parameters", s.at(f.Pos()), f.Name.Name, n)
	}
}

// Outside configuration and the files that tell the protocols apart, no code names the protocol.
func TestOneDialect(t *testing.T) {
	named := []string{"protocol/session/dialect.go", "protocol/client/dialect.go", "protocol/client/address.go"}
	for _, s := range production(readModule(t)) {
		if slices.Contains(named, s.name) || s.room() == "cmd/lmtpd" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CommentGroup, *ast.ImportSpec:
				return false
			case *ast.Ident:
				if strings.Contains(strings.ToUpper(n.Name), "LMTP") {
					t.Errorf("%s: %s names the protocol", s.at(n.Pos()), n.Name)
				}
			case *ast.BasicLit:
				word := strings.ReplaceAll(strings.ToUpper(n.Value), "LMTPD", "")
				if n.Kind == token.STRING && strings.Contains(word, "LMTP") {
					t.Errorf("%s: %s names the protocol", s.at(n.Pos()), n.Value)
				}
			}
			return true
		})
	}
}
