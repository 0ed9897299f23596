package main

import (
	"encoding/json"
	"strconv"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"lmtpd/store"
)

// A usageLine is what a mailbox holds, and what it may hold. A limit that there is not is null.
type usageLine struct {
	Mailbox      string `json:"mailbox"`
	Messages     int64  `json:"messages"`
	Octets       int64  `json:"octets"`
	MessageLimit *int64 `json:"message_limit"`
	OctetLimit   *int64 `json:"octet_limit"`
}

func newUsageLine(m store.Mailbox, u store.Usage) usageLine {
	return usageLine{m.Name, u.Messages, u.Octets, limit(m.Quota.Messages), limit(m.Quota.Octets)}
}

func limit(n int64) *int64 {
	if n <= 0 {
		return nil
	}
	return &n
}

// recountMailbox counts a mailbox anew. The daemon, if one runs, goes on from what was counted.
func recountMailbox(c *cli.Context, m mailbox) error {
	usage, err := m.store.Recount(c.Context, m.Mailbox)
	if err != nil {
		return trouble("count "+m.Name, err)
	}
	line := newUsageLine(m.Mailbox, usage)
	if c.Bool("json") {
		enc := json.NewEncoder(c.App.Writer)
		enc.SetIndent("", "  ")
		return enc.Encode(line)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
	printColumns(w, []any{line.Mailbox, line.Messages, line.Octets, limitWord(line.MessageLimit), limitWord(line.OctetLimit)})
	return w.Flush()
}

// limitWord writes a limit, and a dash for none.
func limitWord(limit *int64) string {
	if limit == nil {
		return "-"
	}
	return strconv.FormatInt(*limit, 10)
}
