package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/delivery/spool"
)

// A queuedMessage is a message of the queue in JSON.
type queuedMessage struct {
	ID         string            `json:"id"`
	Arrived    time.Time         `json:"arrived"`
	Octets     int64             `json:"octets"`
	From       string            `json:"from"`
	Account    string            `json:"account,omitempty"`
	EnvID      string            `json:"envid,omitempty"`
	Held       bool              `json:"held,omitempty"`
	Removed    bool              `json:"removed,omitempty"`
	Recipients []queuedRecipient `json:"recipients"`
}

// A queuedRecipient is one that is not done.
type queuedRecipient struct {
	To          string     `json:"to"`
	Destination string     `json:"destination"`
	State       string     `json:"state"`
	Next        *time.Time `json:"next,omitempty"`
	Attempts    int        `json:"attempts"`
	Notify      string     `json:"notify,omitempty"`
	Original    string     `json:"orcpt,omitempty"`
	Reply       string     `json:"reply,omitempty"`
	Server      string     `json:"server,omitempty"`
	Tried       *time.Time `json:"tried,omitempty"`
	Cause       string     `json:"cause,omitempty"`
}

// moment is a time that may be none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// listQueue lists messages as they are read, for there may be very many.
func listQueue(c *cli.Context, q *spool.Queue) error {
	f := spool.Filter{Sender: c.String("from"), Recipient: c.String("to"), Destination: c.String("destination")}
	for m, err := range q.List(c.Context, f) {
		if err == nil {
			err = printQueued(c, m)
		}
		if err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return nil
	}
	return printTotals(c, q)
}

// printTotals tells what there is in all, and which destinations cannot be used.
func printTotals(c *cli.Context, q *spool.Queue) error {
	resting, err := q.Resting(c.Context)
	if err != nil {
		return err
	}
	for _, r := range resting {
		fmt.Fprintf(c.App.Writer, "-- %s cannot be used since %s, and is tried again at %s: %s\n",
			printable(r.Destination), clock(r.Since), clock(r.Until), printable(r.Cause))
	}
	t, err := q.Totals(c.Context)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "-- %d messages, %d recipients, %s; %d held\n", t.Messages, t.Recipients, octets(t.Octets), t.Held)
	return err
}

// printQueued prints one message, as text or as JSON.
func printQueued(c *cli.Context, m spool.Item) error {
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(queued(m))
	}
	return writeQueued(c.App.Writer, queued(m))
}

func queued(m spool.Item) queuedMessage {
	line := queuedMessage{
		ID: m.ID, Arrived: m.Arrived, Octets: m.Size, From: m.From.String(), Account: m.Account, EnvID: m.EnvID, Held: m.Held, Removed: m.Removed,
		Recipients: make([]queuedRecipient, len(m.Recipients)),
	}
	for i, r := range m.Recipients {
		one := queuedRecipient{
			To: r.To.String(), Destination: r.Destination, State: r.State.String(), Next: moment(r.Next), Attempts: r.Attempts,
			Notify: r.Notify.String(), Server: r.Server, Tried: moment(r.Tried), Cause: r.Cause,
		}
		if !r.Original.IsZero() {
			one.Original = r.Original.Type + ";" + r.Original.Address
		}
		if !r.Reply.IsZero() {
			one.Reply = r.Reply.String()
		}
		line.Recipients[i] = one
	}
	return line
}

func writeQueued(w io.Writer, m queuedMessage) error {
	by := ""
	if m.Account != "" {
		by = " by " + m.Account
	}
	switch {
	case m.Removed:
		by += ", removed"
	case m.Held:
		by += ", held"
	}
	fmt.Fprintf(w, "%s  %s  %s  <%s>%s\n", m.ID, clock(m.Arrived), octets(m.Octets), printable(m.From), printable(by))
	for _, r := range m.Recipients {
		if _, err := fmt.Fprintf(w, "    <%s>  %s\n", printable(r.To), printable(r.meaning())); err != nil {
			return err
		}
	}
	return nil
}

// meaning says how a recipient stands.
func (r queuedRecipient) meaning() string {
	text := r.State
	if r.State == spool.Waiting.String() && r.Next != nil {
		text += " until " + clock(*r.Next)
	}
	text += fmt.Sprintf(", to %s, attempts: %d", r.Destination, r.Attempts)
	if why := cmp.Or(r.Reply, r.Cause); why != "" {
		if r.Server != "" {
			why = r.Server + ": " + why
		}
		text += " (" + why + ")"
	}
	return text
}

// clock is a time as people read it.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
