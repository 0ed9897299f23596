package token

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxAnswer  = 64 << 10 // octets of what an introspection endpoint answers
	maxAsked   = 16       // questions to it at once
	maxAnswers = 4096     // that are remembered
	// remembered is how long a token is taken for active that was. Within it a client that opens many connections is
	// asked about once, and one whose token is revoked is still let in.
	remembered = time.Minute
)

// IntrospectionConfig is what an Introspection needs. URL, Terms.Member and Now are needed, and who asks unless the URL is on this host.
type IntrospectionConfig struct {
	URL string // of the introspection endpoint: https, or http on this host or, as http://unix:/path/of/socket:/path, on a unix socket

	ClientID, ClientSecret string // who asks, with client_secret_basic (RFC 6749 §2.3.1)
	Bearer                 string // or a token that lets ask (RFC 7662 §2.1)

	Terms     Terms
	Transport http.RoundTripper // nil: one of its own
	Now       func() time.Time
}

// Introspection asks the authorization server about tokens (RFC 7662).
type Introspection struct {
	cfg   IntrospectionConfig
	at    *endpoint
	slots chan struct{} // one for each question that is asked
	known *cache
}

// NewIntrospection makes one. It asks nothing yet; an error says what is wrong with the configuration.
func NewIntrospection(cfg IntrospectionConfig) (*Introspection, error) {
	at, err := newEndpoint(cfg.URL, maxAnswer, cfg.Transport)
	switch {
	case err != nil:
		return nil, fmt.Errorf("introspection endpoint: %w", err)
	case cfg.Terms.Member == "":
		return nil, errors.New("introspection: no member is said to have the name")
	case cfg.Bearer != "" && cfg.ClientID != "":
		return nil, errors.New("introspection: there is a client and a bearer token to ask with")
	case cfg.ClientSecret != "" && cfg.ClientID == "":
		return nil, errors.New("introspection: a client's secret, and no client")
	case cfg.Bearer == "" && cfg.ClientID == "" && !at.local:
		return nil, errors.New("introspection: no client to ask as")
	}
	return &Introspection{cfg: cfg, at: at, slots: make(chan struct{}, maxAsked), known: newCache(maxAnswers)}, nil
}

// Token returns the name that an active token was issued for. When the server cannot be asked, does not let us ask, or
// answers what cannot be understood, it could not be told.
func (i *Introspection) Token(ctx context.Context, token string) (string, error) {
	if err := checkToken(token); err != nil {
		return "", err
	}
	key, asked := sha256.Sum256([]byte(token)), i.cfg.Now()
	if name, ok := i.known.get(key, asked); ok {
		return name, nil
	}
	c, err := i.ask(ctx, token)
	if err != nil {
		return "", fmt.Errorf("introspection: %w", err)
	}
	name, err := i.cfg.Terms.judge(c, i.cfg.Now())
	if err != nil {
		return "", fmt.Errorf("introspection: %w", err)
	}
	until := asked.Add(remembered)
	if c.Expiry != nil && c.Expiry.Time().Before(until) {
		until = c.Expiry.Time()
	}
	i.known.put(key, answer{name, until})
	return name, nil
}

// ask returns what the server says of an active token.
func (i *Introspection) ask(ctx context.Context, token string) (*claims, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case i.slots <- struct{}{}:
		defer func() { <-i.slots }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait to ask %s: %w", i.at.name, err)
	}
	req, err := i.question(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", i.at.name, err)
	}
	text, err := i.at.ask(req)
	if err != nil {
		return nil, err
	}
	c, err := parseClaims(text)
	if err != nil {
		return nil, fmt.Errorf("%s answered: %w", i.at.name, err)
	}
	var active *bool
	switch err := c.members.read("active", &active); {
	case err != nil:
		return nil, fmt.Errorf("%s answered: %w", i.at.name, err)
	case active == nil:
		return nil, fmt.Errorf("%s did not answer whether the token is active", i.at.name)
	case !*active:
		return nil, refused("the token is not active")
	}
	return c, nil
}

// question makes the request about a token (RFC 7662 §2.1).
func (i *Introspection) question(ctx context.Context, token string) (*http.Request, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, i.at.url, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	switch {
	case i.cfg.Bearer != "":
		req.Header.Set("Authorization", "Bearer "+i.cfg.Bearer)
	case i.cfg.ClientID != "":
		// RFC 6749 §2.3.1: both are encoded as in a form before they are encoded for Basic.
		req.SetBasicAuth(url.QueryEscape(i.cfg.ClientID), url.QueryEscape(i.cfg.ClientSecret))
	}
	return req, nil
}
