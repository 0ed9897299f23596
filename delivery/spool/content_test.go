package spool

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"lmtpd/protocol/smtp"
)

// Contents of any size arrive octet for octet, at the first attempt and at a later one, whichever way they are kept.
func TestContents(t *testing.T) {
	for _, size := range []int{0, 1, chunkSize - 12, chunkSize - 11, maxInMemory, maxWhole - 12, maxWhole - 11, maxWhole, 3*maxWhole + 5} {
		synctest.Test(t, func(t *testing.T) {
			c := &carrier{}
			c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
				if len(c.attempts()) == 1 {
					return all(m, Deferred, later), nil
				}
				return all(m, Relayed, smtp.Reply{Code: 250}), nil
			}
			s := open(t, config(tempPath(t), c))
			stop := run(t, s)
			text := strings.Repeat("0123456789abcdef", size/16+1)[:size]
			put(t, s, mail("ann@here.example", text, "bob@a.example"))
			synctest.Wait()
			if n := s.kept.Load(); n != 0 {
				t.Errorf("%d octets are still counted as in memory", n)
			}
			time.Sleep(6 * time.Minute)
			synctest.Wait()
			list := c.attempts()
			if len(list) != 2 {
				t.Errorf("%d attempts", len(list))
			}
			for i, one := range list {
				if one.content != "Received: x\r\n"+text {
					t.Errorf("%d octets: attempt %d has other ones, %d of them", size, i, len(one.content))
				}
			}
			empty(t, s)
			stop()
		})
	}
}

// Where there is no memory to keep contents in, they are read back.
func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		goOn := make(chan struct{})
		c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
			<-goOn
			return all(m, Relayed, smtp.Reply{Code: 250}), nil
		}
		cfg := config(tempPath(t), c)
		cfg.Memory, cfg.Concurrency = 3000, 2
		s := open(t, cfg)
		stop := run(t, s)
		text := strings.Repeat("x", 900)
		for range 10 {
			put(t, s, mail("ann@here.example", text, "bob@a.example"))
		}
		synctest.Wait()
		if n := s.kept.Load(); n > 3000 || n < 2000 {
			t.Errorf("%d octets in memory", n)
		}
		close(goOn)
		synctest.Wait()
		for _, one := range c.attempts() {
			if one.content != "Received: x\r\n"+text {
				t.Errorf("got %q", one.content)
			}
		}
		if len(c.attempts()) != 10 || s.kept.Load() != 0 {
			t.Errorf("%d attempts, %d octets in memory", len(c.attempts()), s.kept.Load())
		}
		stop()
	})
}

// Contents can be read from any place.
func TestReadAt(t *testing.T) {
	s := open(t, config(tempPath(t), &carrier{}))
	defer s.Close()
	text := bytes.Repeat([]byte("0123456789abcdef"), 3*chunkSize/16+10)
	m := mail("ann@here.example", "", "bob@a.example")
	m.Trace, m.Content = text[:100], octets(text[100:])
	put(t, s, m)
	for name, c := range map[string]interface {
		io.ReaderAt
		Size() int64
	}{
		"in memory":       octets(text),
		"traced":          traced{text[:100], octets(text[100:])},
		"in the database": &content{db: s.db, message: 1, size: int64(len(text)), at: -1},
	} {
		if c.Size() != int64(len(text)) {
			t.Errorf("%s: size %d", name, c.Size())
		}
		if err := iotest.TestReader(io.NewSectionReader(c, 0, c.Size()), text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		b := make([]byte, 10)
		if n, err := c.ReadAt(b, c.Size()-5); n != 5 || err != io.EOF {
			t.Errorf("%s: at the end %d, %v", name, n, err)
		}
		if n, err := c.ReadAt(b, c.Size()+5); n != 0 || err != io.EOF {
			t.Errorf("%s: beyond it %d, %v", name, n, err)
		}
	}
	// What is torn is an error, never less of a message.
	torn := &content{db: s.db, message: 1, size: int64(len(text)) + 1, at: -1}
	if _, err := io.ReadAll(io.NewSectionReader(torn, 0, torn.size)); err == nil {
		t.Error("a content that is shorter than its size is taken for whole")
	}
	gone := &content{db: s.db, message: 2, size: 10, at: -1}
	if _, err := gone.ReadAt(make([]byte, 10), 0); err == nil {
		t.Error("a content that is not there is taken for empty")
	}
}
