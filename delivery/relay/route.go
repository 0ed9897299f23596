package relay

import (
	"fmt"
	"slices"
	"strings"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// A Route is where some mail goes.
type Route struct {
	// Senders and Recipients are the domains of the reverse-paths and the forward-paths that the route is for, each in the form
	// that Config.Fold gives it. "*.example.org" is every domain below example.org, and not that one. None is all: without
	// Senders, the null reverse-path too, which is in no domain.
	Senders    []string
	Recipients []string

	Servers     []client.Address // tried in this order; one at least
	Login       Login
	Security    client.Security // for servers that are not on a unix socket
	Connections int             // to one server at once, 1 at least
}

// takes says whether mail between two domains goes this way.
func (r *Route) takes(from, to string) bool {
	return (len(r.Senders) == 0 || within(r.Senders, from)) && (len(r.Recipients) == 0 || within(r.Recipients, to))
}

// within says whether domain is one of a list, or below one of it.
func within(list []string, domain string) bool {
	return slices.ContainsFunc(list, func(d string) bool {
		if parent, below := strings.CutPrefix(d, "*"); below {
			return len(domain) > len(parent) && strings.HasSuffix(domain, parent)
		}
		return d == domain
	})
}

// name tells where a route leads to, and as whom.
func (r *Route) name() string {
	var servers []string
	for _, s := range r.Servers {
		servers = append(servers, s.String())
	}
	name := strings.Join(servers, ",")
	if r.Login.Name != "" {
		name += " as " + r.Login.Name
	}
	return name
}

// find returns the number of the first route that takes mail of a sender to a recipient; -1: none.
func (r *Relay) find(from, to smtp.Path) int {
	sender, recipient := r.fold(from.Domain), r.fold(to.Domain)
	return slices.IndexFunc(r.routes, func(route *route) bool { return route.takes(sender, recipient) })
}

// Relays says whether any route takes mail of a sender to a recipient.
func (r *Relay) Relays(from, to smtp.Path) bool { return r.find(from, to) >= 0 }

// Destination is the name of the route that mail of a sender to a recipient takes: its servers, and as whom this host logs in
// there. It is "" if there is none.
func (r *Relay) Destination(from, to smtp.Path) string {
	i := r.find(from, to)
	if i < 0 {
		return ""
	}
	return r.routes[i].destination
}

// unique returns name, with a number behind it if it is one of those that are taken.
func unique(name string, taken []*route) string {
	for n, tried := 1, name; ; n++ {
		if !slices.ContainsFunc(taken, func(r *route) bool { return r.destination == tried }) {
			return tried
		}
		tried = fmt.Sprintf("%s #%d", name, n+1)
	}
}
