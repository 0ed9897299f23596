package relay

import (
	"testing"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// at returns the address of a server on the network.
func at(name string) client.Address {
	return client.Address{Dialect: client.ESMTP(), Network: "tcp", Name: name + ":25"}
}

func path(t *testing.T, s string) smtp.Path {
	t.Helper()
	if s == "" {
		return smtp.Path{}
	}
	p, err := smtp.ParseMailbox(s, smtp.UTF8)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The first route that takes sender and recipient is theirs.
func TestDestination(t *testing.T) {
	r := open(t, Config{Routes: []Route{
		{Servers: []client.Address{at("a")}, Senders: []string{"example.org"}, Recipients: []string{"partner.example"}},
		{Servers: []client.Address{at("b"), at("c")}, Recipients: []string{"partner.example", "*.partner.example"}},
		{Servers: []client.Address{at("d")}, Senders: []string{"example.org"}, Login: Login{Name: "me"}},
	}})
	for _, tt := range []struct{ from, to, want string }{
		{"ann@example.org", "bob@partner.example", "smtp://a:25"},
		{"ann@EXAMPLE.org", "bob@Partner.Example", "smtp://a:25"},
		{"ann@sub.example.org", "bob@partner.example", "smtp://b:25,smtp://c:25"},
		{"", "bob@partner.example", "smtp://b:25,smtp://c:25"},
		{"ann@example.org", "bob@a.b.partner.example", "smtp://b:25,smtp://c:25"},
		{"", "bob@xpartner.example", ""},
		{"ann@example.org", "bob@elsewhere.example", "smtp://d:25 as me"},
		{"ann@example.net", "bob@elsewhere.example", ""},
		{"", "bob@elsewhere.example", ""},
		{"", "postmaster", ""},
	} {
		from, to := path(t, tt.from), path(t, tt.to)
		if got := r.Destination(from, to); got != tt.want || r.Relays(from, to) != (tt.want != "") {
			t.Errorf("from <%s> to <%s>: %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}

// Routes over the same servers are different destinations: they may have different limits.
func TestSameServersTwice(t *testing.T) {
	route := Route{Servers: []client.Address{at("a")}, Recipients: []string{"a.example"}}
	other := route
	other.Recipients = []string{"b.example"}
	third := other
	third.Recipients = nil
	r := open(t, Config{Routes: []Route{route, other, third}})
	for to, want := range map[string]string{"x@a.example": "smtp://a:25", "x@b.example": "smtp://a:25 #2", "x@c.example": "smtp://a:25 #3"} {
		if got := r.Destination(smtp.Path{}, path(t, to)); got != want {
			t.Errorf("%s: %q, want %q", to, got, want)
		}
	}
}
