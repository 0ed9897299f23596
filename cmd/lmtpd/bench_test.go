package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// runBench runs "lmtpd bench" on a server and returns its exit code and what it wrote.
func runBench(t *testing.T, url string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return runApp(t, append(append([]string{"bench"}, args...), url)...)
}

// benchJSON runs "lmtpd bench --json" and reads what it printed.
func benchJSON(t *testing.T, url string, args ...string) (int, benchReport) {
	t.Helper()
	code, stdout, stderr := runBench(t, url, append([]string{"--json"}, args...)...)
	var r benchReport
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || stderr != "" {
		t.Fatalf("exit %d, %v, %q, standard error %q", code, err, stdout, stderr)
	}
	return code, r
}

func TestBench(t *testing.T) {
	drop := startTaker(t, "tcp", "127.0.0.1:0")
	code, r := benchJSON(t, drop.url, "-c", "3", "-n", "20", "--size", "600", "--to", "user%d@x", "--mailboxes", "5-8", "--recipients", "2")
	if code != exOK || r.Messages != 20 || r.Delivered != 40 || r.Octets != 20*600 || r.Sessions != 3 || r.Server != drop.url {
		t.Errorf("exit %d, %+v", code, r)
	}
	l := r.Latency
	if !(0 < l.P50 && l.P50 <= l.P95 && l.P95 <= l.P99 && l.P99 <= l.P999 && l.P999 <= l.Max && l.Max <= r.Seconds*1000) {
		t.Errorf("in %g s latency was %+v", r.Seconds, l)
	}
	if r.Behind != 0 || r.Interrupted || len(r.Replies)+len(r.Errors) != 0 || r.Watched != nil {
		t.Errorf("there was no trouble, but %+v", r)
	}
	said := drop.lines()
	ids, users := map[string]int{}, map[string]int{}
	for _, id := range regexp.MustCompile(`Message-ID: \S+`).FindAllString(said, -1) {
		ids[id]++
	}
	for _, to := range regexp.MustCompile(`RCPT TO:\S+`).FindAllString(said, -1) {
		users[to]++
	}
	if len(ids) != 20 || len(users) > 4 || users["RCPT TO:<user5@x>"] == 0 || users["RCPT TO:<user8@x>"] == 0 {
		t.Errorf("messages %v to %v", ids, users)
	}
	if n := strings.Count(said, "LHLO"); n != 3 {
		t.Errorf("%d connections for 3 sessions", n)
	}
	if !strings.Contains(said, "MAIL FROM:<> SIZE=600 BODY=8BITMIME") {
		t.Error("the reverse-path is not null, or the size is not told")
	}
}

func TestBenchPrints(t *testing.T) {
	drop := startTaker(t, "unix", filepath.Join(t.TempDir(), "s"))
	code, out, diag := runBench(t, drop.url, "-n", "4", "-c", "1", "--to", "ann@x")
	want := regexp.MustCompile(`^time +\d+\.\d\d s
messages +4 +\d+/s
recipients +4 +\d+/s
content +0\.0 MB +\d+\.\d MB/s
latency +p50 \S+  p95 \S+  p99 \S+  p99\.9 \S+  max \S+ ms
generator +\d+\.\d\d s of CPU
$`)
	if code != exOK || diag != "" || !want.MatchString(out) {
		t.Errorf("exit %d, %q:\n%s", code, diag, out)
	}
}

// What the server refuses is told by its replies, and in the exit code.
func TestBenchRefused(t *testing.T) {
	for _, tt := range []struct {
		to    string
		code  int
		count func(benchReport) int64
		says  benchReply
	}{
		{"550@x", exUnavailable, func(r benchReport) int64 { return r.Refused }, benchReply{6, 550, "5.1.1", "<...> no such mailbox"}},
		{"452@x", exTempFail, func(r benchReport) int64 { return r.Deferred }, benchReply{6, 452, "4.2.2", "<...> full"}},
	} {
		drop := startTaker(t, "tcp", "127.0.0.1:0")
		code, r := benchJSON(t, drop.url, "-c", "2", "-n", "6", "--to", tt.to)
		if code != tt.code || tt.count(r) != 6 || len(r.Replies) != 1 || r.Replies[0] != tt.says || r.Messages != 0 || r.Latency.Max != 0 {
			t.Errorf("%s: exit %d, %+v", tt.to, code, r)
		}
		_, out, _ := runBench(t, drop.url, "-c", "1", "-n", "1", "--to", tt.to)
		if want := fmt.Sprintf("reply       1 × %d %s %s\n", tt.says.Code, tt.says.Status, tt.says.Text); !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// A message whose connection is lost may be there or not; the next gets a new connection.
func TestBenchHangUp(t *testing.T) {
	drop := startTaker(t, "tcp", "127.0.0.1:0")
	code, r := benchJSON(t, drop.url, "-c", "1", "-n", "3", "--to", "hangup@x")
	if code != exTempFail || r.Unknown != 3 || r.Messages != 0 || len(r.Errors) != 1 || r.Errors[0].Count != 3 {
		t.Errorf("exit %d, %+v", code, r)
	}
	if n := strings.Count(drop.lines(), "LHLO"); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

func TestBenchPerConnection(t *testing.T) {
	drop := startTaker(t, "tcp", "127.0.0.1:0")
	if code, r := benchJSON(t, drop.url, "-c", "1", "-n", "6", "--per-connection", "2", "--to", "ann@x"); code != exOK || r.Messages != 6 {
		t.Errorf("exit %d, %+v", code, r)
	}
	said := drop.lines()
	if lhlo, quit := strings.Count(said, "LHLO"), strings.Count(said, "QUIT"); lhlo != 3 || quit != 3 {
		t.Errorf("%d connections and %d ends, want 3 of both", lhlo, quit)
	}
}

func TestBenchMistakes(t *testing.T) {
	dir := t.TempDir()
	good := "unix:" + filepath.Join(dir, "none")
	for _, tt := range []struct {
		name, url string
		args      []string
		code      int
		says      string
	}{
		{"no recipient", good, nil, exUsage, "--to ADDRESS is missing"},
		{"no URL", "localhost", []string{"--to", "a@x"}, exUsage, "malformed server address"},
		{"bad recipient", good, []string{"--to", "a"}, exDataErr, "malformed path"},
		{"bad reverse-path", good, []string{"--to", "a@x", "--from", "me"}, exDataErr, "malformed path"},
		{"numbers for nobody", good, []string{"--to", "a@x", "--mailboxes", "3"}, exUsage, "no %d in --to"},
		{"no numbers", good, []string{"--to", "a%d@x", "--mailboxes", "3-2"}, exUsage, "no mailbox at all"},
		{"numbers in letters", good, []string{"--to", "a%d@x", "--mailboxes", "many"}, exUsage, "neither a number nor a range"},
		{"too many numbers", good, []string{"--to", "a%d@x", "--mailboxes", "99999999"}, exUsage, "at most 1000000"},
		{"too few mailboxes", good, []string{"--to", "a@x", "--recipients", "2"}, exUsage, "make only 1"},
		{"no session", good, []string{"--to", "a@x", "-c", "0"}, exUsage, "--sessions 0"},
		{"no message", good, []string{"--to", "a@x", "-n", "0"}, exUsage, "--messages 0"},
		{"no time", good, []string{"--to", "a@x", "-d", "0s"}, exUsage, "--duration 0s"},
		{"no rate", good, []string{"--to", "a@x", "--rate", "0"}, exUsage, "--rate 0"},
		{"rate that is no number", good, []string{"--to", "a@x", "--rate", "NaN"}, exUsage, "--rate NaN"},
		{"nothing per connection", good, []string{"--to", "a@x", "--per-connection", "0"}, exUsage, "--per-connection 0"},
		{"too small", good, []string{"--to", "a@x", "--size", "10"}, exUsage, "--size"},
		{"sizes upside down", good, []string{"--to", "a@x", "--size", "2KiB-1KiB"}, exUsage, "the smaller one"},
		{"nobody listens", good, []string{"--to", "a@x"}, exTempFail, "connect"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, diag := runBench(t, tt.url, tt.args...)
			if code != tt.code || out != "" || !strings.Contains(diag, tt.says) {
				t.Errorf("exit %d, %q, %q; want %d and %q", code, out, diag, tt.code, tt.says)
			}
		})
	}
}

// An interrupt ends the load, and what was measured is told.
func TestBenchInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	drop := startTaker(t, "tcp", "127.0.0.1:0")
	drop.before = func(n int) {
		if n == 3 {
			interrupt()
		}
	}
	var out, diag strings.Builder
	a := &app{stdout: &out, stderr: &diag}
	code := a.run(ctx, []string{"lmtpd", "bench", "-c", "1", "--duration", "1h", "--to", "ann@x", drop.url})
	if code != exOK || diag.String() != "" || !regexp.MustCompile(`^time .*, interrupted\nmessages +3 `).MatchString(out.String()) {
		t.Errorf("exit %d, %q:\n%s", code, diag.String(), out.String())
	}
}
