package main

import (
	"bufio"
	"bytes"
	"io"
	"net/mail"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/smtp"
)

func ptr(s string) *string { return &s }

// Options as programs write them.
func TestParseSendmail(t *testing.T) {
	for _, test := range []struct {
		args string // divided by single blanks
		want sendmailOptions
	}{
		{"", sendmailOptions{}},
		{"ann@x bob@x", sendmailOptions{recipients: []string{"ann@x", "bob@x"}}},
		{"-t -i", sendmailOptions{extract: true, dots: true}},
		{"-ti", sendmailOptions{extract: true, dots: true}},
		{"-oi -t", sendmailOptions{extract: true, dots: true}},
		{"-o i -om -oem -odb ann", sendmailOptions{dots: true, recipients: []string{"ann"}}},
		{"-fann@x bob", sendmailOptions{sender: ptr("ann@x"), recipients: []string{"bob"}}},
		{"-f ann@x bob", sendmailOptions{sender: ptr("ann@x"), recipients: []string{"bob"}}},
		{"-tif ann@x", sendmailOptions{extract: true, dots: true, sender: ptr("ann@x")}},
		{"-r <> bob", sendmailOptions{sender: ptr("<>"), recipients: []string{"bob"}}},
		{"-f  bob", sendmailOptions{sender: ptr(""), recipients: []string{"bob"}}},
		{"-i -FCronDaemon -B8BITMIME -oem ann", sendmailOptions{dots: true, fullName: "CronDaemon", body: smtp.Body8Bit, recipients: []string{"ann"}}},
		{"-B 7bit ann", sendmailOptions{body: smtp.Body7Bit, recipients: []string{"ann"}}},
		{"-N success,delay -R hdrs -V id+1 ann", sendmailOptions{notify: smtp.NotifySuccess | smtp.NotifyDelay, ret: smtp.RetHeaders, envID: "id+1", recipients: []string{"ann"}}},
		{"-Nnever -Rfull ann", sendmailOptions{notify: smtp.NotifyNever, ret: smtp.RetFull, recipients: []string{"ann"}}},
		{"-bs", sendmailOptions{mode: modeSession}},
		{"-b s", sendmailOptions{mode: modeSession}},
		{"-bm -v ann", sendmailOptions{verbose: true, recipients: []string{"ann"}}},
		{"-bp", sendmailOptions{mode: modeQueue}},
		{"-bi", sendmailOptions{mode: modeNothing}},
		{"-q", sendmailOptions{mode: modeNothing}},
		{"-q15m", sendmailOptions{mode: modeNothing}},
		{"-O DeliveryMode=b -Am -h 5 -p esmtp -X /tmp/log -L tag -em -G -U -n -m -d0.1 ann", sendmailOptions{recipients: []string{"ann"}}},
		{"-t -- -ann", sendmailOptions{extract: true, recipients: []string{"-ann"}}},
		{"-C /etc/l.toml ann", sendmailOptions{config: "/etc/l.toml", recipients: []string{"ann"}}},
		{"--config /etc/l.toml -t", sendmailOptions{config: "/etc/l.toml", extract: true}},
		{"--config=/etc/l.toml", sendmailOptions{config: "/etc/l.toml"}},
		{"--help", sendmailOptions{help: true}},
	} {
		got, err := parseSendmail(words(test.args))
		got.recipients, test.want.recipients = slices.Clip(append([]string{}, got.recipients...)), append([]string{}, test.want.recipients...)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v", test.args, got, err)
		}
	}
	for args, says := range map[string]string{
		"-Z":               "unknown option -Z",
		"-tZ":              "unknown option -Z",
		"-f":               "-f has no value",
		"-ti -f":           "-f has no value",
		"-bd":              "lmtpd serve",
		"-bv":              "m, s, p or i",
		"-BBINARYMIME ann": "has lines",
		"-N sometimes ann": "malformed",
		"ann -t":           "-t after a recipient",
		"--verbose":        "unknown option --verbose",
		"--config":         "--config is empty",
		"--config= ann":    "--config is empty",
	} {
		if _, err := parseSendmail(words(args)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func words(args string) []string {
	if args == "" {
		return nil
	}
	return strings.Split(args, " ")
}

// FuzzParseSendmail reads any command line: nothing panics, and every recipient is a word of it.
func FuzzParseSendmail(f *testing.F) {
	for _, s := range []string{"-t -i", "-fann@x -- -bob", "-oi -f  ann", "--config=x", "-", "-f", "-bp"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, args string) {
		o, err := parseSendmail(words(args))
		if err != nil {
			return
		}
		if n := len(words(args)) - len(o.recipients); !slices.Equal(o.recipients, words(args)[n:]) {
			t.Errorf("%q: recipients %q", args, o.recipients)
		}
	})
}

// Lists of addresses as people write them.
func TestReadAddresses(t *testing.T) {
	for _, test := range []struct {
		list string
		want string // divided by blanks
	}{
		{"ann@x", "ann@x"},
		{"ann", "ann@host.example"},
		{"ann, bob@x,", "ann@host.example bob@x"},
		{", ,ann,,", "ann@host.example"},
		{"", ""},
		{"Ann Example <ann@x>", "ann@x"},
		{`"Example, Ann" <ann@x>, Bob <bob>`, "ann@x bob@host.example"},
		{"<ann@x>", "ann@x"},
		{"ann@x (Ann, of \\) (all) people)", "ann@x"},
		{"(Ann) ann @ x . org (here)", "ann@x.org"},
		{"friends: ann@x, Bob <bob@x>;, carl", "ann@x bob@x carl@host.example"},
		{"undisclosed-recipients:;", ""},
		{"=?utf-8?q?B=C3=B6b=2C?= <bob@x>", "bob@x"},
		{"Böb <bob@x>", "bob@x"},
		{"ünn@exämple.org", "ünn@exämple.org"},
		{`"ann b"@x`, `"ann b"@x`},
		{`"a@b"`, `"a@b"@host.example`},
		{"<@a,@b:ann@x>", "ann@x"},
		{"ann@[IPv6:2001:db8::1], bob@[192.0.2.1]", "ann@[IPv6:2001:db8::1] bob@[192.0.2.1]"},
		{"Dr. J. Doe <doe@x>", "doe@x"},
		{"ann@x\t,\n\tbob@x", "ann@x bob@x"},
		{"<>", ""},
	} {
		paths, err := mailboxesOf(test.list, "host.example")
		var got []string
		for _, p := range paths {
			got = append(got, p.String())
		}
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%q: %q, %v", test.list, got, err)
		}
	}
	for _, list := range []string{"ann bob", "ann@x bob@x", "Ann <ann@x", "ann@x>", "(ann", `"ann`, "ann@", "@x", "<ann@x> bob", "<a><b>",
		"a@b@c", "<a<b@x>", "ann@[1", "ann@x\x00", "Ann <a b@x> c", "<ann@x>:", "a\\", "ann@x..y"} {
		if paths, err := mailboxesOf(list, "host.example"); err == nil {
			t.Errorf("%q is read as %q", list, paths)
		}
	}
}

// FuzzReadAddresses compares with the standard library, which knows fewer forms: what it reads is read alike.
func FuzzReadAddresses(f *testing.F) {
	for _, s := range []string{"ann@x, Bob <bob@x>", "friends: ann@x;", `"a b"@x`, "ann@x (c(d))", "a.b . c@x", "<@a:b@c>", "a:b:c;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		got, err := mailboxesOf(list, "host.example")
		parser := mail.AddressParser{}
		theirs, theirErr := parser.ParseList(list)
		if theirErr != nil || err != nil {
			return
		}
		var want []smtp.Path
		for _, a := range theirs {
			at := strings.LastIndexByte(a.Address, '@')
			want = append(want, smtp.Path{Local: a.Address[:at], Domain: a.Address[at+1:]})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, and not %q", list, got, want)
		}
	})
}

func TestTextInput(t *testing.T) {
	for _, test := range []struct{ in, want, untilDot string }{
		{"", "", ""},
		{"a", "a\r\n", "a\r\n"},
		{"a\nb\n", "a\r\nb\r\n", "a\r\nb\r\n"},
		{"a\r\nb\r\n", "a\r\nb\r\n", "a\r\nb\r\n"},
		{"10%\r20%\r\nend", "10%\r\n20%\r\nend\r\n", "10%\r\n20%\r\nend\r\n"},
		{"a\r\r\nb\r", "a\r\nb\r\n", "a\r\nb\r\n"},
		{"\n\n", "\r\n\r\n", "\r\n\r\n"},
		{"a\n.\nb\n", "a\r\n.\r\nb\r\n", "a\r\n"},
		{".\nb\n", ".\r\nb\r\n", ""},
		{"a\r\n.\r\nb", "a\r\n.\r\nb\r\n", "a\r\n"},
		{"a\n.", "a\r\n.\r\n", "a\r\n"},
		{"..\n.a\na.\n", "..\r\n.a\r\na.\r\n", "..\r\n.a\r\na.\r\n"},
		{"a\n..", "a\r\n..\r\n", "a\r\n..\r\n"},
		{".\r.\n", ".\r\n.\r\n", ""},
	} {
		for _, src := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in)), iotest.DataErrReader(strings.NewReader(test.in))} {
			if got, err := io.ReadAll(newTextInput(src, false)); err != nil || string(got) != test.want {
				t.Errorf("%q became %q, %v", test.in, got, err)
			}
		}
		if got, err := io.ReadAll(newTextInput(strings.NewReader(test.in), true)); err != nil || string(got) != test.untilDot {
			t.Errorf("%q until the dot became %q, %v", test.in, got, err)
		}
	}
	if _, err := io.ReadAll(newTextInput(iotest.ErrReader(io.ErrClosedPipe), true)); err != io.ErrClosedPipe {
		t.Errorf("a broken pipe: %v", err)
	}
}

func TestReadHeader(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, test := range []struct{ in, fields, body string }{
		{"A: b\r\n\r\nbody\r\n", "A: b\r\n", "body\r\n"},
		{"A: b\r\n c\r\nD:e\r\n\r\n", "A: b\r\n c\r\n|D:e\r\n", ""},
		{"A: b\r\n", "A: b\r\n", ""},
		{"", "", ""},
		{"hello\r\nA: b\r\n", "", "hello\r\nA: b\r\n"},
		{"A: b\r\nhello world: x\r\n", "A: b\r\n", "hello world: x\r\n"},
		{"From ann Sat Nov 28\r\nA: b\r\n\r\nFrom x\r\n", "A: b\r\n", "From x\r\n"},
		{"A: b\r\nFrom ann Sat Nov 28\r\n", "A: b\r\n", "From ann Sat Nov 28\r\n"},
		{"A: " + long + "\r\n " + long + "\r\n\r\n" + long, "A: " + long + "\r\n " + long + "\r\n", long},
		{" folded\r\n", "", " folded\r\n"},
		{": x\r\n", "", ": x\r\n"},
	} {
		h, rest, err := readHeader(strings.NewReader(test.in))
		if err != nil {
			t.Errorf("%.100q: %v", test.in, err)
			continue
		}
		var fields []string
		for _, f := range h {
			fields = append(fields, f.text)
		}
		if body, _ := io.ReadAll(rest); strings.Join(fields, "|") != test.fields || string(body) != test.body {
			t.Errorf("%.100q: %.100q and %.100q", test.in, fields, body)
		}
	}
	if _, _, err := readHeader(io.MultiReader(strings.NewReader("A: "), io.LimitReader(zeros{}, 3<<20))); err != errHeaderTooLong {
		t.Errorf("endless header: %v", err)
	}
}

// zeros are endless.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Whom a message is for is in its header, or in that of the one who sent it again.
func TestHeaderRecipients(t *testing.T) {
	for text, want := range map[string]string{
		"To: ann, Bob\r\n <bob@x>\r\nCC : carl\r\nBcc: dora\r\nFrom: eve\r\n":      "ann@h bob@x carl@h dora@h",
		"To: ann\r\nResent-To: bob\r\nResent-Bcc: carl\r\n":                        "bob@h carl@h",
		"To: undisclosed-recipients:;\r\n":                                         "",
		"To:\r\n\r\nTo: body\r\n":                                                  "",
		"To: ann\r\nTo: bob\r\n":                                                   "ann@h bob@h",
		"To: =?utf-8?q?A_=3Cx=40y=3E?= <ann@x>, (a comment, with a comma) bob\r\n": "ann@x bob@h",
	} {
		h, _, err := readHeader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		paths, err := h.recipients("h")
		var got []string
		for _, p := range paths {
			got = append(got, p.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	h, _, _ := readHeader(strings.NewReader("Cc: ann bob\r\n"))
	if _, err := h.recipients("h"); err == nil || !strings.HasPrefix(err.Error(), "cc: malformed address") {
		t.Errorf("%v", err)
	}
}

// FuzzReadHeader takes any text apart: nothing of it is lost.
func FuzzReadHeader(f *testing.F) {
	for _, s := range []string{"A: b\r\n c\r\n\r\nbody", "From x\r\nTo: a\r\n", "hello\n", "To: (\r\n", "A:b\r\r\n:\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, _ := io.ReadAll(newTextInput(bytes.NewReader(b), false))
		h, rest, err := readHeader(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(rest)
		first, _ := bufio.NewReader(bytes.NewReader(text)).ReadString('\n')
		whole := string(text)
		if isMailboxLine([]byte(first)) {
			whole = whole[len(first):]
		}
		head := strings.TrimSuffix(string(h.bytes()), "\r\n")
		if whole != head+string(body) && whole != head+"\r\n"+string(body) {
			t.Errorf("%q became %q and %q", text, head, body)
		}
		_, _ = h.recipients("host.example")
	})
}

func TestSpool(t *testing.T) {
	for _, size := range []int{0, 1, asideMemory, asideMemory + 1, 3*asideMemory + 17} {
		text := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		s, err := putAside(iotest.HalfReader(strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := io.ReadAll(s.reader()); err != nil || string(got) != text || s.Size() != int64(size) {
				t.Errorf("%d octets: %d, %v", size, len(got), err)
			}
		}
		b, last := make([]byte, 10), min(size, 3)
		if n, err := s.ReadAt(b, int64(size-last)); n != last || err != io.EOF || string(b[:n]) != text[size-last:] {
			t.Errorf("the end of %d: %d, %v", size, n, err)
		}
		if s.eight {
			t.Error("octets beyond ASCII")
		}
		s.Close()
	}
	if s, _ := putAside(strings.NewReader("für")); !s.eight {
		t.Error("no octets beyond ASCII")
	}
}

// mailq is the listing of the queue, of the same configuration, and whatever that answers.
func TestPrintQueue(t *testing.T) {
	var got []string
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	application := a.application()
	application.Commands = slices.DeleteFunc(application.Commands, func(c *cli.Command) bool { return c.Name == "queue" })
	application.Commands = append(application.Commands, &cli.Command{Name: "queue", Subcommands: []*cli.Command{{
		Name:  "list",
		Flags: []cli.Flag{&cli.StringFlag{Name: "config"}},
		Action: func(c *cli.Context) error {
			got = append(got, c.String("config"))
			return cli.Exit("", exTempFail)
		},
	}}})
	for _, args := range [][]string{asSendmail("mailq", []string{"-C", "a.toml"}), asSendmail("sendmail", []string{"-bp", "--config=b.toml"})} {
		if err := application.RunContext(t.Context(), args); exitCode(err) != exTempFail {
			t.Errorf("%q: %v", args, err)
		}
	}
	if !slices.Equal(got, []string{"a.toml", "b.toml"}) {
		t.Errorf("listed those of %q", got)
	}
}
