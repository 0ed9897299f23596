package delivery_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
)

// Content of every size around a block's comes back octet for octet, from memory and from a file.
func TestContentSizes(t *testing.T) {
	for name, memory := range map[string]int64{"memory": 0, "file": 1, "file after a block": 17 << 10} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, func(c *delivery.Config) { c.Memory = memory })
			for _, size := range []int{0, 1, 100, 16<<10 - 1, 16 << 10, 16<<10 + 1, 64 << 10, 2<<20 + 5, 5 << 20} {
				content := strings.Repeat("0123456789abcde\n", size/16+1)[:size]
				env := envelope("size@example.org")
				if got := h.deliver(env, iotest.HalfReader(strings.NewReader(content))); !strings.HasPrefix(got[0], "250") {
					t.Fatalf("%d octets: %s", size, got[0])
				}
				kept := h.store.All("size@example.org", "")
				if last := kept[len(kept)-1]; !strings.HasSuffix(last, "+0000\r\n"+content) {
					t.Fatalf("%d octets came back as %d", size, len(last))
				}
			}
		})
	}
}

// A content that breaks off is nobody's: no reply, no file, no outcome in the log, and its memory is free.
func TestContentBreaksOff(t *testing.T) {
	var dir string
	h := newHost(t, func(c *delivery.Config) { dir, c.Memory = c.TempDir, 128<<10 })
	for range 100 {
		for _, size := range []int{0, 10, 32 << 10, 1 << 20} {
			r := io.MultiReader(strings.NewReader(strings.Repeat("x", size)), iotest.ErrReader(io.ErrUnexpectedEOF))
			if got := h.deliver(envelope("ann@example.org"), r); got != nil {
				t.Fatalf("replies %q", got)
			}
		}
	}
	if n := len(h.store.All("ann@example.org", "")); n > 0 || strings.Contains(h.log.String(), "status=") {
		t.Errorf("%d kept, logged %q", n, h.log.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// A refusal that the content ends with is every recipient's reply, and is logged as such.
func TestContentRefused(t *testing.T) {
	h := newHost(t)
	tooBig := smtp.Reply{Code: 552, Status: smtp.StatusTooBig, Text: "Message too big"}
	got := h.deliver(envelope("ann@example.org", "ben@example.org"), io.MultiReader(strings.NewReader(letter), iotest.ErrReader(tooBig)))
	if len(got) != 2 || got[1] != "552 5.3.4 <ben@example.org> Message too big" {
		t.Errorf("replies %q", got)
	}
	if n := strings.Count(h.log.String(), "status=bounced"); n != 2 {
		t.Errorf("logged %s", h.log.String())
	}
	if !strings.Contains(h.log.String(), "mailbox=ben@example.org") || strings.Contains(h.log.String(), "size=") {
		t.Errorf("the log does not tell the mailbox, or tells a size that nobody knows: %s", h.log.String())
	}
}

// A temporary file that cannot be made is a doubt about every recipient.
func TestNoTemporaryFile(t *testing.T) {
	h := newHost(t, func(c *delivery.Config) { c.TempDir, c.Memory = c.TempDir+"/missing", 1 })
	got := h.deliver(envelope("ann@example.org"), strings.NewReader(letter))
	if len(got) != 1 || !strings.HasPrefix(got[0], "451 4.3.0") {
		t.Errorf("replies %q", got)
	}
	if n := len(h.store.All("ann@example.org", "")); n > 0 {
		t.Errorf("%d kept", n)
	}
}

func TestHops(t *testing.T) {
	hop := "Received: from a by b;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n"
	long := "X-Long: " + strings.Repeat("x", 40<<10) + "\r\n"
	for name, tc := range map[string]struct {
		content string
		loop    bool
	}{
		"three":                   {strings.Repeat(hop, 3) + "\r\n", false},
		"four":                    {strings.Repeat(hop, 4) + "\r\n", true},
		"in the body":             {"\r\n" + strings.Repeat(hop, 9), false},
		"any case":                {strings.Repeat(strings.ToUpper(hop), 4), true},
		"other fields":            {strings.Repeat("Received-SPF: pass\r\nX-Received: x\r\n", 9) + "\r\n", false},
		"over the block's end":    {strings.Repeat(long+hop, 4) + "\r\n", true},
		"over it, but not enough": {strings.Repeat(long+hop, 3) + "\r\n", false},
		"LF alone":                {strings.ReplaceAll(strings.Repeat(hop, 4), "\r\n", "\n"), true},
		"body after LF alone":     {"Subject: x\n\n" + strings.Repeat(hop, 4), false},
		"nothing":                 {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, func(c *delivery.Config) { c.MaxHops = 3 })
			got := h.deliver(envelope("ann@example.org"), strings.NewReader(tc.content))
			if loop := strings.HasPrefix(got[0], "554 5.4.6"); loop != tc.loop {
				t.Errorf("%s", got[0])
			}
		})
	}
}

// FuzzContent: whatever comes is kept octet for octet, or refused as a loop, wherever the blocks end.
func FuzzContent(f *testing.F) {
	f.Add([]byte(letter), uint16(7))
	f.Add([]byte(strings.Repeat("Received: x\r\n", 5)+"\r\n"), uint16(1))
	f.Fuzz(func(t *testing.T, content []byte, memory uint16) {
		h := newHost(t, func(c *delivery.Config) { c.MaxHops, c.Memory = 3, int64(memory)+1 })
		got := h.deliver(envelope("ann@example.org"), bytes.NewReader(content))
		if want := hops(content) > 3; want != strings.HasPrefix(got[0], "554") {
			t.Fatalf("%d hops: %s", hops(content), got[0])
		} else if want {
			return
		}
		if kept := h.store.All("ann@example.org", ""); len(kept) != 1 || !strings.HasSuffix(kept[0], string(content)) {
			t.Fatalf("kept %q", kept)
		}
	})
}

// hops counts plainly.
func hops(content []byte) (n int) {
	for line := range strings.SplitAfterSeq(string(content), "\n") {
		if strings.TrimSuffix(line, "\n") == "" || line == "\r\n" {
			return n
		}
		if len(line) > 9 && strings.HasSuffix(line, "\n") && strings.EqualFold(line[:9], "received:") {
			n++
		}
	}
	return n
}

func BenchmarkDeliver(b *testing.B) {
	for _, size := range []int{10 << 10, 1 << 20} {
		b.Run(map[bool]string{true: "10KB", false: "1MB"}[size < 1<<20], func(b *testing.B) {
			a, err := delivery.New(benchConfig(b))
			if err != nil {
				b.Fatal(err)
			}
			content := bytes.Repeat([]byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n"), size/64)
			env := envelope("ann@example.org")
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if r := a.Deliver(b.Context(), env, bytes.NewReader(content)); !r[0].Positive() {
					b.Fatal(r)
				}
			}
		})
	}
}

// When the disk fails, a refusal that the content ends with still goes before the doubt.
func TestRefusalGoesBeforeDoubt(t *testing.T) {
	tooBig := smtp.Reply{Code: 552, Status: smtp.StatusTooBig, Text: "Message too big"}
	h := newHost(t, func(c *delivery.Config) { c.TempDir, c.Memory = c.TempDir+"/missing", 1 })
	got := h.deliver(envelope("ann@example.org"), io.MultiReader(strings.NewReader(letter), iotest.ErrReader(tooBig)))
	if len(got) != 1 || !strings.HasPrefix(got[0], "552 5.3.4") || !strings.Contains(h.log.String(), "status=bounced") {
		t.Errorf("replies %q, logged %s", got, h.log.String())
	}
}

// Sweep removes what a crash has left, and nothing that is young or somebody else's.
func TestSweep(t *testing.T) {
	var dir string
	h := newHost(t, func(c *delivery.Config) { dir = c.TempDir })
	for name, age := range map[string]time.Duration{"content-1": 2 * time.Hour, "content-2": time.Minute, "other": 2 * time.Hour} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, noon.Add(-age), noon.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if removed, err := h.Sweep(t.Context()); removed != 1 || err != nil {
		t.Errorf("%d removed, %v", removed, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "content-1")); !os.IsNotExist(err) {
		t.Error("the old file is still there")
	}
}
