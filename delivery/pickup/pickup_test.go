package pickup_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/delivery/pickup"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A desk takes messages, and answers for a recipient what the local-part says: 450 and 550 at RCPT, 451 and 552 after the content.
type desk struct {
	accounts []string // of the senders
	kept     []string // contents
	refused  []string // the recipients that senders were told of
	told     []string // which senders
	broken   error    // of what tells them
}

func (d *desk) Sender(_ context.Context, env *smtp.Envelope) smtp.Reply {
	if env.Account == "" && !env.Submitter {
		return smtp.Reply{Code: 530}
	}
	if env.Account != "" && env.From.Local != env.Account {
		return smtp.Reply{Code: 550}
	}
	return smtp.Reply{Code: 250}
}

func (d *desk) Recipient(_ context.Context, _ *smtp.Envelope, to smtp.Recipient) smtp.Reply {
	switch to.To.Local {
	case "450":
		return smtp.Reply{Code: 450}
	case "550":
		return smtp.Reply{Code: 550}
	}
	return smtp.Reply{Code: 250}
}

func (d *desk) Deliver(_ context.Context, env *smtp.Envelope, content io.Reader) []smtp.Reply {
	text, err := io.ReadAll(content)
	replies := make([]smtp.Reply, len(env.Recipients))
	for i, to := range env.Recipients {
		replies[i].Code = map[string]int{"451": 451, "552": 552}[to.To.Local]
		replies[i].Code = max(replies[i].Code, 250)
	}
	if err == nil && !slices.ContainsFunc(replies, func(r smtp.Reply) bool { return r.Code != 250 }) {
		d.kept, d.accounts = append(d.kept, string(text)), append(d.accounts, env.Account)
	}
	return replies
}

func (d *desk) Abandon(*smtp.Envelope) {}

func (d *desk) giveBack(_ context.Context, env *smtp.Envelope, _ store.Content, replies []smtp.Reply) error {
	if len(replies) != len(env.Recipients) {
		return errors.New("a reply for each recipient")
	}
	d.told = append(d.told, env.From.String())
	for _, to := range env.Recipients {
		d.refused = append(d.refused, to.To.String())
	}
	return d.broken
}

// A place is a directory with who takes messages from it.
type place struct {
	*pickup.Pickup
	desk
	cfg pickup.Config
	now time.Time
	log bytes.Buffer
}

func newPlace(t testing.TB) *place {
	t.Helper()
	p, dir := &place{now: time.Now()}, t.TempDir()
	p.cfg = pickup.Config{
		Dir:     filepath.Join(dir, "drop"),
		Aside:   filepath.Join(dir, "aside"),
		Handler: &p.desk,
		Return:  p.giveBack,
		Account: func(uid uint32) (string, error) {
			if uid == 4242 {
				return "", errors.New("cannot tell")
			}
			return map[uint32]string{1234: "ann"}[uid], nil
		},
		Hostname:      "host.example",
		MaxSize:       1000,
		MaxRecipients: 5,
		NewID:         func() string { return "ID1" },
		Now:           func() time.Time { return p.now },
		Log:           slog.New(slog.NewTextHandler(&p.log, nil)),
	}
	p.open(t)
	return p
}

func (p *place) open(t testing.TB) {
	t.Helper()
	opened, err := pickup.Open(p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.Close() })
	p.Pickup = opened
}

// round goes through the directory once.
func (p *place) round(t testing.TB) {
	t.Helper()
	if err := p.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// left is what still lies there, and what was set aside.
func (p *place) left(t testing.TB) (dropped, aside int) {
	return len(names(t, p.cfg.Dir)), len(names(t, p.cfg.Aside))
}

func to(locals ...string) *smtp.Envelope {
	env := &smtp.Envelope{From: smtp.Path{Local: "me", Domain: "x"}}
	for _, l := range locals {
		env.Recipients = append(env.Recipients, smtp.Recipient{To: smtp.Path{Local: l, Domain: "x"}})
	}
	return env
}

func (p *place) drop(t testing.TB, env *smtp.Envelope, content string) {
	t.Helper()
	if err := pickup.Drop(p.cfg.Dir, env, strings.NewReader(content)); err != nil {
		t.Fatal(err)
	}
}

const letter = "Subject: hello\r\n\r\nHello.\r\n"

// What was dropped is taken once, whole, and has its rights.
func TestPickup(t *testing.T) {
	p := newPlace(t)
	p.drop(t, to("ann"), letter)
	info, err := os.Stat(filepath.Join(p.cfg.Dir, names(t, p.cfg.Dir)[0]))
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if info, err = os.Stat(p.cfg.Dir); err != nil || info.Mode() != fs.ModeDir|fs.ModeSetgid|fs.ModeSticky|0o733 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	p.round(t)
	p.round(t)
	if dropped, aside := p.left(t); dropped+aside != 0 || !slices.Equal(p.kept, []string{letter}) {
		t.Errorf("kept %q, left %d, aside %d: %s", p.kept, dropped, aside, p.log.String())
	}
}

// A message is taken, given back, or tried again, and nobody has it twice.
func TestOutcomes(t *testing.T) {
	for _, test := range []struct {
		name    string
		env     *smtp.Envelope
		content string
		kept    int // after five minutes
		refused []string
		dropped int
		aside   int
	}{
		{"taken", to("ann", "bob"), letter, 1, nil, 0, 0},
		{"one refused", to("ann", "550"), letter, 1, []string{"550@x"}, 0, 0},
		{"all refused", to("550", "550"), letter, 0, []string{"550@x", "550@x"}, 0, 0},
		{"refused after the content", to("ann", "552"), letter, 0, []string{"ann@x", "552@x"}, 0, 0},
		{"one deferred", to("ann", "450", "550"), letter, 0, nil, 1, 0},
		{"deferred after the content", to("ann", "451"), letter, 0, nil, 1, 0},
		{"too big", to("ann"), strings.Repeat("x", 1001), 0, []string{"ann@x"}, 0, 0},
		{"as big as may be", to("ann"), strings.Repeat("x", 1000), 1, nil, 0, 0},
		{"too many", to("a", "b", "c", "d", "e", "f"), letter, 0, []string{"a@x", "b@x", "c@x", "d@x", "e@x", "f@x"}, 0, 0},
		{"smuggled", to("ann"), "a\n.\r\nMAIL", 0, []string{"ann@x"}, 0, 0},
		{"CR alone", to("ann"), "a\rb\r\n", 0, []string{"ann@x"}, 0, 0},
		{"empty", to("ann"), "", 1, nil, 0, 0},
		{"of nobody, refused", &smtp.Envelope{Recipients: to("550").Recipients}, letter, 0, nil, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t)
			p.drop(t, test.env, test.content)
			for range 3 {
				p.round(t)
				p.now = p.now.Add(2 * time.Minute)
			}
			dropped, aside := p.left(t)
			if len(p.kept) != test.kept || !slices.Equal(p.refused, test.refused) || dropped != test.dropped || aside != test.aside {
				t.Errorf("kept %q, refused %q, left %d, aside %d\n%s", p.kept, p.refused, dropped, aside, p.log.String())
			}
		})
	}
}

// What is deferred is let alone for longer and longer, and after its life its sender hears of it.
func TestDeferred(t *testing.T) {
	p := newPlace(t)
	p.drop(t, to("450", "ann"), letter)
	tries := 0
	for end := p.now.Add(5 * 24 * time.Hour); p.now.Before(end); p.now = p.now.Add(30 * time.Second) {
		before := strings.Count(p.log.String(), "deferred")
		p.round(t)
		tries += strings.Count(p.log.String(), "deferred") - before
	}
	if tries < 200 || tries > 260 || len(p.refused) != 0 {
		t.Errorf("%d attempts, refused %q", tries, p.refused)
	}
	p.now = p.now.Add(time.Hour)
	p.round(t)
	if dropped, _ := p.left(t); dropped != 0 || !slices.Equal(p.refused, []string{"450@x", "ann@x"}) && !slices.Equal(p.refused, []string{"450@x"}) {
		t.Errorf("left %d, refused %q", dropped, p.refused)
	}
}

// A sender who cannot be told is no reason to send the others theirs again and again.
func TestCannotReturn(t *testing.T) {
	p := newPlace(t)
	p.broken = errors.New("disk full")
	p.drop(t, to("ann", "550"), letter)
	for range 3 {
		p.round(t)
		p.now = p.now.Add(time.Hour)
	}
	if dropped, aside := p.left(t); dropped != 0 || aside != 1 || len(p.kept) != 1 {
		t.Errorf("kept %q, left %d, aside %d", p.kept, dropped, aside)
	}
}

// All that an envelope says is the same afterwards.
func TestEnvelope(t *testing.T) {
	p := newPlace(t)
	witness := &witness{}
	p.cfg.Handler = witness
	p.open(t)
	want := &smtp.Envelope{
		From: smtp.Path{Local: `o"x y`, Domain: "x"}, Body: smtp.Body8Bit, UTF8: smtp.UTF8, Ret: smtp.RetHeaders, EnvID: "a+b=c d",
		Recipients: []smtp.Recipient{
			{To: smtp.Path{Local: "ünn", Domain: "exämple.org"}, Notify: smtp.NotifyFailure | smtp.NotifyDelay},
			{To: smtp.Path{Local: "ann", Domain: "x"}, Notify: smtp.NotifyNever, Original: smtp.OriginalRecipient{Type: "rfc822", Address: "a+b@x"}},
			{To: smtp.Path{Local: "ann", Domain: "x"}, Original: smtp.OriginalRecipient{Type: "utf-8", Address: `ü\;@x`}},
		},
	}
	p.drop(t, want, letter)
	p.round(t)
	got := witness.env
	if got.From != want.From || got.Body != want.Body || got.UTF8 != want.UTF8 || got.Ret != want.Ret || got.EnvID != want.EnvID ||
		!slices.Equal(got.Recipients, want.Recipients) || got.Size != int64(len(letter)) || got.ID != "ID1" || !got.Submitter {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// A witness remembers the last envelope.
type witness struct {
	desk
	env smtp.Envelope
}

func (w *witness) Deliver(_ context.Context, env *smtp.Envelope, content io.Reader) []smtp.Reply {
	w.env = *env
	return w.desk.Deliver(context.Background(), env, content)
}

// Whose file it is decides who has sent it, and who hears that it may not be sent: never whom it names as its sender.
func TestOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving files away takes root")
	}
	for _, test := range []struct {
		name     string
		uid      int
		from     string // at x
		content  string
		accounts []string
		told     []string
		dropped  int
		aside    int
	}{
		{"the daemon's own user", 0, "bob", letter, []string{""}, nil, 0, 0},
		{"an account", 1234, "ann", letter, []string{"ann"}, nil, 0, 0},
		{"under another's address", 1234, "bob", letter, nil, []string{"ann@host.example"}, 0, 0},
		{"too big under another's address", 1234, "bob", strings.Repeat("x", 1001), nil, []string{"ann@host.example"}, 0, 0},
		{"one who has no account", 4321, "ann", letter, nil, nil, 0, 1},
		{"one who cannot be told", 4242, "ann", letter, nil, nil, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t)
			env := to("carl")
			env.From.Local = test.from
			p.drop(t, env, test.content)
			if err := os.Chown(filepath.Join(p.cfg.Dir, names(t, p.cfg.Dir)[0]), test.uid, -1); err != nil {
				t.Fatal(err)
			}
			p.round(t)
			if dropped, aside := p.left(t); !slices.Equal(p.accounts, test.accounts) || !slices.Equal(p.told, test.told) || dropped != test.dropped || aside != test.aside {
				t.Errorf("accounts %q, told %q, left %d, aside %d\n%s", p.accounts, p.told, dropped, aside, p.log.String())
			}
		})
	}
}

// A daemon that runs takes what is there at once, and later what comes, and stops when it is told to.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.drop(t, to("ann"), letter)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.Run(ctx)
		}()
		synctest.Wait()
		if len(p.kept) != 1 {
			t.Errorf("at first %q", p.kept)
		}
		p.drop(t, to("bob"), letter)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(p.kept) != 2 {
			t.Errorf("then %q", p.kept)
		}
		stop()
		<-ended
	})
}
