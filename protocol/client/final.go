package client

import (
	"fmt"

	"lmtpd/protocol/smtp"
)

// prdrFollows is the code of the reply that says that one for each recipient follows.
const prdrFollows = 353

// takeFinals reads the replies after the content: that of each recipient, or of all of them, as the dialect has it.
func (t *transaction) takeFinals() error {
	n := t.c.dialect.replies(len(t.accepted))
	for i := range n {
		r, err := t.final(i, n)
		if err != nil {
			return err
		}
		if r.Code == prdrFollows && t.m.prdr(t.c.ext) {
			return t.takeEach()
		}
		if err := inPlace(r); err != nil {
			return err
		}
		t.conclude(t.c.dialect.answered(i, t.accepted), r)
	}
	return nil
}

// takeEach reads the reply of each recipient and then that for the message (draft-hall-prdr). Whoever is refused is so by then; the
// others have the message only if the last one says so, too.
func (t *transaction) takeEach() error {
	taken := make([]smtp.Reply, len(t.accepted))
	for i, number := range t.accepted {
		r, err := t.final(i, len(t.accepted)+1)
		if err == nil {
			err = inPlace(r)
		}
		if err != nil {
			return err
		}
		if taken[i] = r; !r.Positive() {
			t.conclude([]int{number}, r)
		}
	}
	r, err := t.final(len(t.accepted), len(t.accepted)+1)
	if err == nil {
		err = inPlace(r)
	}
	if err != nil {
		return err
	}
	for i, number := range t.accepted {
		switch {
		case !taken[i].Positive():
		case r.Positive():
			t.conclude([]int{number}, taken[i])
		default:
			t.conclude([]int{number}, r)
		}
	}
	return nil
}

// final reads one of the replies after the content.
func (t *transaction) final(i, n int) (smtp.Reply, error) {
	r, err := t.c.w.read(t.c.timeouts.Final)
	if err != nil {
		return r, fmt.Errorf("reply %d of %d after the content: %w", i+1, n, err)
	}
	return r, nil
}

// inPlace says that a reply cannot be one to content.
func inPlace(r smtp.Reply) error {
	if r.Code >= 300 && r.Code < 400 {
		return fmt.Errorf("reply after the content: %w: unexpected %.100q", ErrOutOfStep, r.String())
	}
	return nil
}

// conclude gives recipients their last word.
func (t *transaction) conclude(recipients []int, r smtp.Reply) {
	for _, i := range recipients {
		t.results[i] = Result{Outcome: Known, Reply: r}
	}
}
