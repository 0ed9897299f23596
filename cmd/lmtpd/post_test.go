package main

import (
	"errors"
	"testing"

	"lmtpd/delivery/spool"
)

// Mail that there was a way for, and is none any more, waits: [relay] may have been left out by mistake.
func TestNoWay(t *testing.T) {
	if outcomes, err := (&post{}).Attempt(t.Context(), noDestination, &spool.Message{}); !errors.Is(err, errNoRelay) || outcomes != nil {
		t.Errorf("%v, %v", outcomes, err)
	}
}
