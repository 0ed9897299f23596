package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// maxConns is how many connections there are to a server at once.
const maxConns = 16

// An endpoint is a resource of a server that is trusted: what it says is believed, and what it is told is secret.
type endpoint struct {
	name   string // for logs: without the query, which may be secret
	url    string
	local  bool // it is on this host
	max    int64
	client *http.Client
}

// newEndpoint takes a URL: https, or http where the host is this one. http://unix:/path/of/socket:/path is a unix socket's.
// A transport, if it is not nil, is used in place of one of its own.
func newEndpoint(text string, max int64, transport http.RoundTripper) (*endpoint, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("not a URL") // the cause quotes it
	}
	own := newTransport()
	e := &endpoint{max: max, local: isLoopback(u.Hostname())}
	if socket, rest, ok := strings.Cut(u.Path, ":/"); ok && u.Host == "unix:" {
		e.local = true
		own.Proxy = nil
		own.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		}
		u.Host, u.Path, u.RawPath = "localhost", "/"+rest, ""
		e.name = "unix:" + socket
	}
	switch {
	case u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return nil, errors.New("not the URL of a resource: it needs a host, and has no user and no fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !e.local):
		return nil, errors.New("not https: what is said could be read, and changed, on the way")
	}
	if e.name == "" {
		e.name = u.Scheme + "://" + u.Host + u.EscapedPath()
	}
	if transport == nil {
		transport = own
	}
	e.url = u.String()
	e.client = &http.Client{Transport: transport, CheckRedirect: stay}
	return e, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        maxConns,
		MaxIdleConnsPerHost:    maxConns,
		IdleConnTimeout:        9 * timeout,
		TLSHandshakeTimeout:    timeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// stay follows no redirect: wherever it leads, that is not who is trusted.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// get returns what is there.
func (e *endpoint) get(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", e.name, err)
	}
	return e.ask(req)
}

// ask sends a request and returns what a response of 200 has in it. No error tells what was asked.
func (e *endpoint) ask(req *http.Request) ([]byte, error) {
	resp, err := e.client.Do(req)
	if err != nil {
		if of := (*url.Error)(nil); errors.As(err, &of) {
			err = of.Err // without the URL
		}
		return nil, fmt.Errorf("ask %s: %w", e.name, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask %s: answered %d %s", e.name, resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, e.max+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w", e.name, err)
	case int64(len(text)) > e.max:
		return nil, fmt.Errorf("ask %s: answered more than %d octets", e.name, e.max)
	}
	return text, nil
}
