package main

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/server"
	"lmtpd/protocol/server/certificate"
)

// securable says whether a listener can have TLS.
func (l Listen) securable() bool { return l.TLS != TLSOff }

// start is how TLS begins there.
func (l Listen) start() server.TLSStart {
	if l.TLS == TLSImplicit {
		return server.ImplicitTLS
	}
	return server.StartTLS
}

// openCertificates reads the certificates of a daemon with listeners that can have TLS; nil is for one without.
func openCertificates(cfg *Config, log *slog.Logger) (*certificate.Store, error) {
	if !slices.ContainsFunc(cfg.Listen, Listen.securable) {
		return nil, nil
	}
	pairs := cfg.TLS.Certificates
	if len(pairs) == 0 {
		dir := filepath.Join(cfg.Data, selfSignedDir)
		p, fingerprint, err := certificate.SelfSigned(dir, cfg.Hostname, time.Now())
		if err != nil {
			return nil, fmt.Errorf("make a certificate to begin with: %w", err)
		}
		log.Warn("there is no certificate in the configuration: clients are shown a self-signed one, for a first try", "certificate", p.Certificate, "sha256", fingerprint)
		pairs = []certificate.Pair{p}
	}
	s, err := certificate.Open(certificate.Config{Pairs: pairs, ClientCA: cfg.TLS.CA, Client: cfg.TLS.Client, Now: time.Now, Log: log})
	if err != nil {
		return nil, cli.Exit(fmt.Errorf("the certificates cannot be used:\n%w", err), exConfig)
	}
	return s, nil
}
