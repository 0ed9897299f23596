package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/smtp"
)

// benchListed is how many replies and errors are printed for a reader; --json has all.
const benchListed = 20

// A benchReport is what --json tells of a load. Times are in seconds where nothing else is said.
type benchReport struct {
	Server      string  `json:"server"`
	Sessions    int     `json:"sessions"`
	Recipients  int     `json:"recipients_each"`
	Rate        float64 `json:"rate,omitempty"` // that was asked for
	Seconds     float64 `json:"seconds"`
	Interrupted bool    `json:"interrupted"`

	Messages            int64   `json:"messages"`
	MessagesPerSecond   float64 `json:"messages_per_second"`
	Behind              int64   `json:"behind"` // due and not begun
	Delivered           int64   `json:"delivered"`
	RecipientsPerSecond float64 `json:"recipients_per_second"`
	Deferred            int64   `json:"deferred"`
	Refused             int64   `json:"refused"`
	Unknown             int64   `json:"unknown"`
	NotSent             int64   `json:"not_sent"`
	Octets              int64   `json:"octets"`
	MBPerSecond         float64 `json:"mb_per_second"` // of 10⁶ octets

	Latency benchLatency `json:"latency_ms"`
	Own     float64      `json:"generator_cpu"`
	Watched *benchUse    `json:"watched,omitempty"`
	Replies []benchReply `json:"replies"` // other than 250
	Errors  []benchError `json:"errors"`
}

// A benchLatency has quantiles in milliseconds.
type benchLatency struct {
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// A benchUse is what the watched process and its descendants have used.
type benchUse struct {
	PID       int     `json:"pid"`
	CPU       float64 `json:"cpu"`
	Memory    int64   `json:"memory"` // octets at most
	Processes int     `json:"processes"`
	Problem   string  `json:"problem,omitempty"`
}

type benchReply struct {
	Count  int64  `json:"count"`
	Code   int    `json:"code"`
	Status string `json:"status,omitempty"`
	Text   string `json:"text"`
}

type benchError struct {
	Count int64  `json:"count"`
	Error string `json:"error"`
}

// newBenchReport puts together what was seen of a load that took so long.
func newBenchReport(l *benchLoad, took time.Duration) benchReport {
	n, h, seconds := l.tally.counts, &l.tally.latency, max(took, time.Nanosecond).Seconds()
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return benchReport{
		Sessions:            l.plan.sessions,
		Recipients:          l.plan.recipients,
		Rate:                l.plan.rate,
		Seconds:             seconds,
		Messages:            n.messages,
		MessagesPerSecond:   float64(n.messages) / seconds,
		Behind:              l.behind(n.begun),
		Delivered:           n.delivered,
		RecipientsPerSecond: float64(n.delivered) / seconds,
		Deferred:            n.deferred,
		Refused:             n.refused,
		Unknown:             n.unknown,
		NotSent:             n.notSent,
		Octets:              n.octets,
		MBPerSecond:         float64(n.octets) / 1e6 / seconds,
		Latency: benchLatency{ms(h.quantile(0.5)), ms(h.quantile(0.95)), ms(h.quantile(0.99)), ms(h.quantile(0.999)),
			ms(h.most)},
		Replies: benchReplies(l.tally.replies),
		Errors:  benchErrors(l.tally.errors),
	}
}

func benchReplies(counts map[smtp.Reply]int64) []benchReply {
	list := []benchReply{}
	for r, n := range counts {
		list = append(list, benchReply{n, r.Code, r.Enhanced(), r.Text})
	}
	slices.SortFunc(list, func(a, b benchReply) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text))
	})
	return list
}

func benchErrors(counts map[string]int64) []benchError {
	list := []benchError{}
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, benchError{counts[text], text})
	}
	slices.SortStableFunc(list, func(a, b benchError) int { return cmp.Compare(b.Count, a.Count) })
	return list
}

// printBench prints the report.
func printBench(c *cli.Context, r benchReport) error {
	if c.Bool("json") {
		enc := json.NewEncoder(c.App.Writer)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
	r.printRates(w)
	if r.Watched != nil {
		r.printWatched(w)
	}
	fmt.Fprintf(w, "generator\t%.2f s of CPU\n", r.Own)
	for _, reply := range r.Replies[:min(len(r.Replies), benchListed)] {
		text := smtp.Reply{Code: reply.Code, Text: reply.Text}.String()
		if reply.Status != "" {
			text = fmt.Sprintf("%d %s %s", reply.Code, reply.Status, reply.Text)
		}
		fmt.Fprintf(w, "reply\t%d × %s\n", reply.Count, printable(text))
	}
	for _, e := range r.Errors[:min(len(r.Errors), benchListed)] {
		fmt.Fprintf(w, "error\t%d × %s\n", e.Count, printable(e.Error))
	}
	return w.Flush()
}

func (r *benchReport) printRates(w io.Writer) {
	fmt.Fprintf(w, "time\t%.2f s", r.Seconds)
	if r.Interrupted {
		fmt.Fprint(w, ", interrupted")
	}
	fmt.Fprintf(w, "\nmessages\t%d\t%.0f/s", r.Messages, r.MessagesPerSecond)
	if r.Behind > 0 {
		fmt.Fprintf(w, "\t%d more were due and not begun", r.Behind)
	}
	fmt.Fprintf(w, "\nrecipients\t%d\t%.0f/s\n", r.Delivered, r.RecipientsPerSecond)
	if failed := r.Deferred + r.Refused + r.Unknown + r.NotSent; failed > 0 {
		fmt.Fprintf(w, "without\t%d\t%d deferred, %d refused, %d unknown, %d not sent\n", failed, r.Deferred, r.Refused, r.Unknown, r.NotSent)
	}
	fmt.Fprintf(w, "content\t%.1f MB\t%.1f MB/s\n", float64(r.Octets)/1e6, r.MBPerSecond)
	l := r.Latency
	fmt.Fprintf(w, "latency\tp50 %s  p95 %s  p99 %s  p99.9 %s  max %s ms\n", short(l.P50), short(l.P95), short(l.P99), short(l.P999), short(l.Max))
}

func (r *benchReport) printWatched(w io.Writer) {
	u := r.Watched
	each := time.Duration(u.CPU / float64(max(r.Delivered, 1)) * float64(time.Second))
	fmt.Fprintf(w, "watched\t%.2f s of CPU, %s for a recipient; at most %.1f MB in %d process", u.CPU, milliseconds(each),
		float64(u.Memory)/1e6, u.Processes)
	if u.Processes != 1 {
		fmt.Fprint(w, "es")
	}
	if u.Problem != "" {
		fmt.Fprintf(w, "; in the end: %s", printable(u.Problem))
	}
	fmt.Fprintln(w)
}

// milliseconds writes a duration for a reader.
func milliseconds(d time.Duration) string { return short(float64(d)/float64(time.Millisecond)) + " ms" }

// short writes a number with three digits that count, or all that stand before the point.
func short(f float64) string {
	if f >= 100 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}
