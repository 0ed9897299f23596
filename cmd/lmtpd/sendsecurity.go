package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/client"
)

// The words of --tls.
const (
	tlsNone          = "none"
	tlsOpportunistic = "opportunistic"
	tlsStart         = "starttls"
	tlsImplicit      = "implicit"
)

// readSecurity reads the flags of TLS.
func (s *connection) readSecurity(c *cli.Context) error {
	when := c.String("tls")
	if !c.IsSet("tls") {
		when = s.defaultTLS(c)
	}
	switch when {
	case tlsNone:
		s.options.Security.Start = client.NoStartTLS
	case tlsOpportunistic:
		s.options.Security.Start = client.Opportunistic
	case tlsStart:
		s.options.Security.Start = client.Required
	case tlsImplicit:
	default:
		return usage(c, "--tls %q: none, opportunistic, starttls or implicit", when)
	}
	if s.address.TLS && when != tlsImplicit {
		return usage(c, "--tls %s: TLS begins with the first octet at %s", when, s.address)
	}
	s.address.TLS = when == tlsImplicit
	if when == tlsNone && slices.ContainsFunc(certificateFlags(), c.IsSet) {
		return usage(c, "there is no certificate without TLS: give --tls")
	}
	return s.readCertificates(c)
}

// certificateFlags are about certificates, the server's and the client's.
func certificateFlags() []string { return []string{"ca", "fingerprint", "cert", "key"} }

// defaultTLS is when TLS begins if nobody says so. What is secret goes to nobody else than the server; within a host nobody
// listens, but what a server offers may still depend on TLS.
func (s *connection) defaultTLS(c *cli.Context) string {
	here := s.address.Network == "unix" || isLoopback(s.address.Host())
	switch {
	case s.address.TLS:
		return tlsImplicit
	case slices.ContainsFunc(certificateFlags(), c.IsSet), s.authenticate && !here:
		return tlsStart
	case s.address.Network == "unix", here && !s.authenticate && !c.Bool("auth-types"):
		return tlsNone
	}
	return tlsOpportunistic
}

// readCertificates reads which certificate to believe, and which to show.
func (s *connection) readCertificates(c *cli.Context) error {
	config := &tls.Config{}
	s.options.Security.Config = config
	if file := c.String("ca"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("--ca: %w", err)
		}
		if config.RootCAs = x509.NewCertPool(); !config.RootCAs.AppendCertsFromPEM(text) {
			return cli.Exit(fmt.Sprintf("--ca %s: there is no certificate in it", file), exDataErr)
		}
	}
	if c.IsSet("fingerprint") {
		print, err := parseFingerprint(c.String("fingerprint"))
		if err != nil {
			return usage(c, "--fingerprint: %s", err)
		}
		s.options.Security.Fingerprint = print
	}
	file, key := c.String("cert"), c.String("key")
	switch {
	case file == "" && key != "":
		return usage(c, "--key, and no --cert")
	case file == "":
		return nil
	case key == "":
		key = file
	}
	pair, err := tls.LoadX509KeyPair(file, key)
	if _, unreadable := errors.AsType[*os.PathError](err); err != nil && !unreadable {
		return cli.Exit(fmt.Errorf("--cert %s: %w", file, err), exDataErr)
	}
	config.Certificates = []tls.Certificate{pair}
	return err
}

// isUseless says whether an error would be the same the next time.
func isUseless(err error) bool {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	return certificate || slices.ContainsFunc([]error{
		client.ErrNotOffered, client.ErrNoTLS, client.ErrFingerprint, client.ErrNoMechanism, client.ErrUnproven,
	}, func(target error) bool { return errors.Is(err, target) })
}
