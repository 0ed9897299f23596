package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms says which of our packages a package may import; README.md has the same table. "*" is all of them.
func rooms() map[string][]string {
	return map[string][]string{
		"protocol/smtp":               {},
		"protocol/session":            {"protocol/smtp", "auth"},
		"protocol/server":             {"protocol/smtp", "protocol/session", "protocol/server/certificate", "auth"},
		"protocol/server/certificate": {},
		"protocol/client":             {"protocol/smtp", "auth"},
		"protocol/smtptest":           {"*"},
		"auth":                        {},
		"auth/passdb":                 {"auth", "auth/account", "auth/password"},
		"auth/dovecot":                {"auth"},
		"auth/pam":                    {"auth"},
		"auth/token":                  {"auth"},
		"auth/account":                {"auth/account/host", "auth/account/textfile"},
		"auth/account/host":           {},
		"auth/account/textfile":       {},
		"auth/account/sqlite":         {"auth/account", "store/sqldb"},
		"auth/account/system":         {"auth/account", "auth/account/host"},
		"auth/password":               {},
		"store":                       {},
		"store/rights":                {"store"},
		"store/directory":             {},
		"store/maildir":               {"store", "store/directory", "store/rights"},
		"store/mailtext":              {"store"},
		"store/mbox":                  {"store"},
		"store/transfer":              {"store", "store/mbox"},
		"store/sqldb":                 {"store/directory"},
		"store/sqlite":                {"store", "store/directory", "store/sqldb"},
		"store/storetest":             {"store"},
		"delivery":                    {"protocol/smtp", "store", "auth/account", "delivery/alias", "delivery/dsn"},
		"delivery/submission/senders": {"protocol/smtp", "auth/account/textfile"},
		"delivery/submission":         {"protocol/smtp"},
		"delivery/alias":              {"protocol/smtp", "auth/account/textfile"},
		"delivery/spool":              {"protocol/smtp", "store", "store/sqldb", "store/directory", "delivery/dsn"},
		"delivery/relay":              {"protocol/smtp", "protocol/client", "auth", "store", "delivery/spool"},
		"delivery/dsn":                {"protocol/smtp", "store"},
		"delivery/pickup":             {"protocol/smtp", "store"},
		"delivery/srs":                {"protocol/smtp"},
		"delivery/sieve":              {},
		"cmd/lmtpd":                   {"*"},
	}
}

// forbidden says what of the standard library a package does without. net stands for what is below it too.
func forbidden() map[string][]string {
	return map[string][]string{
		"protocol/smtp":    {"net", "os", "crypto/tls", "time"},
		"protocol/session": {"net", "os", "crypto/tls"},
		"store":            {"net", "os", "crypto/tls"},
		"delivery":         {"net", "crypto/tls"},
	}
}

// longFunctions are the functions that may have more than 60 lines, and why.
func longFunctions() map[string]string {
	return map[string]string{}
}

// A source is one file of Go.
type source struct {
	name string // relative to the module's root, with slashes
	test bool
	file *ast.File
	fset *token.FileSet
}

func (s source) room() string { return path.Dir(s.name) }

func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.name, s.fset.Position(pos).Line)
}

func (s source) lines(from, to token.Pos) int {
	return s.fset.Position(to).Line - s.fset.Position(from).Line + 1
}

const moduleRoot = "../.."

// leftBehind lists what .gitignore names on the top level: programs, and the mail of those who tried them.
func leftBehind(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "/"); ok {
			names = append(names, strings.TrimSuffix(name, "/"))
		}
	}
	return names
}

// Who has tried the program has its data on the top level, and the tests say nothing of it.
func TestLeftBehind(t *testing.T) {
	if names := leftBehind(t); !slices.Contains(names, filepath.Base(defaultData)) || !slices.Contains(names, "lmtpd") {
		t.Errorf("ignored on the top level: %q, and not the program with its data", names)
	}
}

// readModule parses every file of Go in the module.
func readModule(t *testing.T) []source {
	t.Helper()
	var all []source
	fset, ignored := token.NewFileSet(), leftBehind(t)
	err := filepath.WalkDir(moduleRoot, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if filepath.Dir(name) == moduleRoot && slices.Contains(ignored, base) && d.IsDir() {
			return filepath.SkipDir
		}
		if d.IsDir() && name != moduleRoot && (strings.HasPrefix(base, ".") || base == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(base, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(moduleRoot, name)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(rel), strings.HasSuffix(base, "_test.go"), file, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no source found")
	}
	return all
}

// production leaves out what only tests are made of.
func production(all []source) []source {
	return slices.DeleteFunc(slices.Clone(all), func(s source) bool {
		return s.test || s.room() == "protocol/smtptest" || s.room() == "store/storetest"
	})
}

// No package imports what its row of the table does not name.
func TestImports(t *testing.T) {
	rooms, forbidden := rooms(), forbidden()
	for _, s := range readModule(t) {
		allowed, known := rooms[s.room()]
		if !known {
			t.Errorf("%s: the table has no package %s", s.name, s.room())
			continue
		}
		if s.test {
			continue // a test may use what it needs
		}
		for _, spec := range s.file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if ours, ok := strings.CutPrefix(name, "lmtpd/"); ok {
				if !slices.Contains(allowed, ours) && !slices.Contains(allowed, "*") {
					t.Errorf("%s: %s must not import %s", s.at(spec.Pos()), s.room(), ours)
				}
			}
			if forbiddenImport(forbidden[s.room()], name) {
				t.Errorf("%s: %s must not import %s", s.at(spec.Pos()), s.room(), name)
			}
		}
	}
}

func forbiddenImport(list []string, name string) bool {
	if name == "net/netip" { // addresses as values, no connections
		return false
	}
	return slices.ContainsFunc(list, func(f string) bool { return name == f || strings.HasPrefix(name, f+"/") })
}

// Only tests import what is made for tests.
func TestTestPackages(t *testing.T) {
	for _, s := range production(readModule(t)) {
		for _, spec := range s.file.Imports {
			if name := strings.Trim(spec.Path.Value, `"`); strings.HasSuffix(name, "test") || name == "testing" {
				t.Errorf("%s: imports %s outside tests", s.at(spec.Pos()), name)
			}
		}
	}
}

// The top level is fixed, and no package is named after nothing.
func TestTree(t *testing.T) {
	entries, err := os.ReadDir(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	allowed := append(leftBehind(t),
		"go.mod", "go.sum", "README.md", "cmd", "protocol", "delivery", "store", "auth", "testdata")
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, ".") && !slices.Contains(allowed, name) && isGoOrDir(e) {
			t.Errorf("%s does not belong on the top level", name)
		}
	}
	for _, s := range readModule(t) {
		switch name := s.file.Name.Name; name {
		case "util", "utils", "common", "types", "helper", "helpers", "misc":
			t.Errorf("%s: package %s is named after nothing", s.name, name)
		}
	}
}

// isGoOrDir lets what a build or an editor leaves behind pass.
func isGoOrDir(e fs.DirEntry) bool { return e.IsDir() || strings.HasSuffix(e.Name(), ".go") }

// Every package says what it is.
func TestPackageComments(t *testing.T) {
	said := map[string]bool{}
	for _, s := range readModule(t) {
		if !s.test {
			said[s.room()] = said[s.room()] || s.file.Doc != nil
		}
	}
	for room, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment", room)
		}
	}
}

// No file has more than 400 lines and no function more than 60.
func TestSizes(t *testing.T) {
	reasons := longFunctions()
	for _, s := range production(readModule(t)) {
		if n := s.lines(s.file.FileStart, s.file.FileEnd); n > 401 {
			t.Errorf("%s has %d lines", s.name, n-1)
		}
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			key := s.room() + "." + f.Name.Name
			if n := s.lines(f.Pos(), f.End()); n > 60 && reasons[key] == "" {
				t.Errorf("%s: %s has %d lines", s.at(f.Pos()), f.Name.Name, n)
			}
		}
	}
}

// No init, no state of a package, and one place where the process ends.
func TestNoHiddenState(t *testing.T) {
	sources := production(readModule(t))
	changed := map[string]bool{} // "room.name" of what something in the room assigns to
	for _, s := range sources {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					changed[s.room()+"."+root(left)] = n.Tok != token.DEFINE || changed[s.room()+"."+root(left)]
				}
			case *ast.IncDecStmt:
				changed[s.room()+"."+root(n.X)] = true
			}
			return true
		})
	}
	for _, s := range sources {
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: init", s.at(d.Pos()))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					checkPackageVars(t, s, d, changed)
				}
			}
		}
		if s.name != "cmd/lmtpd/main.go" {
			checkNoExit(t, s)
		}
	}
}

// root returns the variable that an assignment to e changes: a in a, a[1] and a.b.
func root(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}

// checkPackageVars lets through what nothing changes: errors, tables, compile-time assertions. It goes by names
// alone, so a local variable should not be called like one of the package.
func checkPackageVars(t *testing.T, s source, d *ast.GenDecl, changed map[string]bool) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for _, name := range v.Names {
			if name.Name == "_" {
				continue
			}
			if len(v.Values) == 0 && !isEmbedded(d) {
				t.Errorf("%s: %s is state of the package", s.at(name.Pos()), name.Name)
			}
			if changed[s.room()+"."+name.Name] {
				t.Errorf("%s: %s is a variable of the package, and changed", s.at(name.Pos()), name.Name)
			}
		}
	}
}

// isEmbedded says whether the compiler fills a variable with a file.
func isEmbedded(d *ast.GenDecl) bool {
	return d.Doc != nil && slices.ContainsFunc(d.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

func checkNoExit(t *testing.T, s source) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := sel.X.(*ast.Ident)
		if ok && (pkg.Name == "os" && sel.Sel.Name == "Exit" || pkg.Name == "log" && strings.HasPrefix(sel.Sel.Name, "Fatal")) {
			t.Errorf("%s: %s.%s ends the process", s.at(n.Pos()), pkg.Name, sel.Sel.Name)
		}
		return true
	})
}
