package dovecot

import (
	"encoding/base64"
	"fmt"

	"lmtpd/auth"
)

// authLine is the line that begins a request. A nil response is none.
func (e *exchange) authLine(r *request, response []byte) []byte {
	line := fmt.Appendf(nil, "AUTH\t%d\t%s", r.id, e.mechanism)
	add := func(parameter string) { line = append(append(line, '\t'), escaper.Replace(parameter)...) }
	add("service=" + e.client.cfg.Service)
	add("final-resp-ok")
	for _, p := range channelParameters(e.channel) {
		add(p)
	}
	if name := e.proven(); name != "" {
		add("cert_username=" + name)
	}
	switch {
	case response == nil:
	case len(response) == 0 && r.conn.minor < 2:
		add("resp==") // to these servers an empty one is none
	default:
		add("resp=" + base64.StdEncoding.EncodeToString(response)) // nothing may follow it
	}
	return append(line, '\n')
}

// channelParameters tell Dovecot of a channel.
func channelParameters(ch auth.Channel) []string {
	var list []string
	switch {
	case ch.Secured && ch.Binding != nil:
		list = append(list, "secured=tls")
	case ch.Secured:
		list = append(list, "secured")
	}
	if hasCertificate(ch) {
		list = append(list, "valid-client-cert")
	}
	if ch.Session != "" {
		list = append(list, "session="+ch.Session)
	}
	if ch.Peer.IsValid() {
		list = append(list, "rip="+ch.Peer.Unmap().WithZone("").String())
	}
	return list
}

// proven is who the client is by its certificate, or for EXTERNAL by the unix socket. With other mechanisms Dovecot goes by it
// only if it is configured to (auth_ssl_username_from_cert).
func (e *exchange) proven() string {
	switch {
	case e.mechanism == "EXTERNAL":
		return e.name
	case hasCertificate(e.channel):
		return e.channel.Names[0]
	}
	return ""
}

// hasCertificate says whether the names of a channel are those of a certificate: it is TLS and no unix socket.
func hasCertificate(ch auth.Channel) bool {
	return ch.Binding != nil && ch.Peer.IsValid() && len(ch.Names) > 0
}
