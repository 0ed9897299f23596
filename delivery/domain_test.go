package delivery_test

import (
	"strings"
	"testing"

	"lmtpd/delivery"
)

func TestFoldDomain(t *testing.T) {
	for in, want := range map[string]string{
		"Example.ORG":            "example.org",
		"Bücher.example":         "xn--bcher-kva.example",
		"xn--bcher-kva.example":  "xn--bcher-kva.example",
		"XN--Bcher-KVA.example":  "xn--bcher-kva.example",
		"straße.example":         "xn--strae-oqa.example",
		"under_score.example":    "under_score.example",
		"[192.0.2.1]":            "[192.0.2.1]",
		"bu\u0308cher.example":   "xn--bcher-kva.example", // not composed
		strings.Repeat("ü", 200): strings.Repeat("ü", 200),
		"":                       "",
	} {
		if got := delivery.FoldDomain(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// An internationalized domain is one domain in either form.
func TestInternationalDomain(t *testing.T) {
	h := newHost(t, func(c *delivery.Config) { c.Blocks[0].Domains = []string{"bücher.example"} })
	got := h.deliver(envelope("ann@xn--bcher-kva.example", "ann@BÜCHER.example"), strings.NewReader(letter))
	if len(got) != 2 || !strings.HasPrefix(got[0], "250") || !strings.HasPrefix(got[1], "250") {
		t.Errorf("replies %q", got)
	}
	if n := len(h.store.All("ann@xn--bcher-kva.example", "")); n != 1 {
		t.Errorf("%d kept, want 1", n)
	}
}
