package token

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"lmtpd/auth"
)

// silent is a server that takes requests and says nothing.
type silent struct {
	asking, most atomic.Int32
}

func (s *silent) RoundTrip(r *http.Request) (*http.Response, error) {
	n := s.asking.Add(1)
	defer s.asking.Add(-1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A server that says nothing is given up after ten seconds, and it could not be told.
func TestTimeout(t *testing.T) {
	token := sign(t, jose.ES256, object{"kid": "1"}, claimsOf(nil))
	synctest.Test(t, func(t *testing.T) {
		i, err := NewIntrospection(IntrospectionConfig{URL: "http://localhost/", Terms: terms(), Transport: &silent{}, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		j, err := NewJWT(JWTConfig{URL: "http://localhost/", Terms: terms(), Transport: &silent{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		for _, tokens := range []auth.Tokens{i, j} {
			began := time.Now()
			_, err := tokens.Token(t.Context(), token)
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, auth.ErrCredentials) {
				t.Errorf("%T: %v, want that it took too long", tokens, err)
			}
			if took := time.Since(began); took != timeout {
				t.Errorf("%T: given up after %v", tokens, took)
			}
		}
	})
}

// No more than so many wait for a server at once; the others wait for them, and are given up, too.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s silent
		i, err := NewIntrospection(IntrospectionConfig{URL: "http://localhost/", Terms: terms(), Transport: &s, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 3 * maxAsked {
			wg.Go(func() {
				if _, err := i.Token(ctx, opaque); !errors.Is(err, context.Canceled) || errors.Is(err, auth.ErrCredentials) {
					t.Errorf("%v, want that it was given up", err)
				}
			})
		}
		synctest.Wait()
		if n := s.asking.Load(); n != maxAsked {
			t.Errorf("%d ask, want %d", n, maxAsked)
		}
		cancel()
		wg.Wait()
		if n := s.most.Load(); n != maxAsked {
			t.Errorf("%d asked at once, want %d", n, maxAsked)
		}
	})
}

// Who does not wait any longer does not end the look, which others wait for.
func TestImpatience(t *testing.T) {
	r, token := newRemote(t), sent(t, signers()[jose.ES256], "1")
	gate := make(chan struct{})
	r.gate = gate
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Token(ctx, token); !errors.Is(err, context.Canceled) || errors.Is(err, auth.ErrCredentials) {
		t.Errorf("%v, want that it was given up", err)
	}
	close(gate)
	check(t, r, token, sub, "")
	r.expect(t, 1)
}
