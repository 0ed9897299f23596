package main

import (
	"encoding/json"
	"testing"

	"lmtpd/store"
)

func TestMailboxRecount(t *testing.T) {
	data := t.TempDir()
	fill(t, data, "1234\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}},
		store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}, Folder: "Lists/Go"})
	code, stdout, stderr := runApp(t, "mailbox", "recount", "--data", data, "Ann")
	if want := "ann@localhost  2  12  -  -\n"; code != exOK || stdout != want || stderr != "" {
		t.Errorf("exit %d, %q, %q; want %q", code, stdout, stderr, want)
	}
	code, stdout, stderr = runApp(t, "mailbox", "recount", "--data", data, "--json", "ann")
	var line map[string]any
	if err := json.Unmarshal([]byte(stdout), &line); code != exOK || err != nil {
		t.Fatalf("exit %d, %v, %q", code, err, stderr)
	}
	if limit, there := line["octet_limit"]; line["mailbox"] != "ann@localhost" || line["octets"] != 12.0 || limit != nil || !there {
		t.Errorf("%v", line)
	}
	code, stdout, stderr = runApp(t, "mailbox", "recount", "--data", data, "eve")
	if want := "lmtpd: no such mailbox: eve@localhost\n"; code != exNoUser || stdout != "" || stderr != want {
		t.Errorf("exit %d, %q, %q; want %q", code, stdout, stderr, want)
	}
}

func TestUsageLine(t *testing.T) {
	m := store.Mailbox{Name: "ann@localhost", Quota: store.Quota{Usage: store.Usage{Octets: 1000}}}
	b, err := json.Marshal(newUsageLine(m, store.Usage{Messages: 2, Octets: 12}))
	if want := `{"mailbox":"ann@localhost","messages":2,"octets":12,"message_limit":null,"octet_limit":1000}`; err != nil || string(b) != want {
		t.Errorf("%s, %v, want %s", b, err, want)
	}
}
