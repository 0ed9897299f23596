package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// startSmarthost starts a server that takes mail for good@ and refuses the rest, and returns its address. What it has taken is sent
// to taken.
func startSmarthost(t *testing.T, taken chan<- string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			smarthost(nc, taken)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// smarthost holds one session.
func smarthost(nc net.Conn, taken chan<- string) {
	defer nc.Close()
	in, content, inData := bufio.NewReader(nc), "", false
	fmt.Fprint(nc, "220 smarthost.example\r\n")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " ")
		switch {
		case inData && line == ".\r\n":
			inData = false
			taken <- content
			fmt.Fprint(nc, "250 2.0.0 taken\r\n")
		case inData:
			content += line
		case verb == "RCPT" && !strings.Contains(line, "good@"):
			fmt.Fprint(nc, "550 5.1.1 Who is that?\r\n")
		case verb == "RCPT":
			content = line
			fmt.Fprint(nc, "250 2.1.5 ok\r\n")
		case verb == "DATA":
			inData = true
			fmt.Fprint(nc, "354 go\r\n")
		case verb == "EHLO":
			fmt.Fprint(nc, "250-smarthost.example\r\n250 8BITMIME\r\n")
		case verb == "QUIT":
			fmt.Fprint(nc, "221 bye\r\n")
			return
		default:
			fmt.Fprint(nc, "250 ok\r\n")
		}
	}
}

// What is submitted for elsewhere goes to the smarthost, and what that refuses comes back to its sender.
func TestRelayed(t *testing.T) {
	taken := make(chan string, 1)
	m := startMSA(t, "[relay]\nserver = \"smtp://"+startSmarthost(t, taken)+"\"\ntls = \"none\"\n")
	c := m.client(t, 1)
	says(t, c, "EHLO client.example.net", "250")
	says(t, c, annPlain, "235")
	says(t, c, "MAIL FROM:<ann@example.org> ENVID=E1 RET=FULL", "250")
	for _, to := range []string{"good@example.net", "bad@example.net"} {
		says(t, c, "RCPT TO:<"+to+"> ORCPT=rfc822;first@example.com", "250")
	}
	says(t, c, "RCPT TO:<bob@example.org>", "250")
	says(t, c, "DATA", "354")
	says(t, c, "From: ann@example.org\r\nSubject: for three\r\n\r\nHello.\r\n.", "250 2.0.0 Queued ")
	var got string
	select {
	case got = <-taken:
	case <-time.After(time.Minute):
		t.Fatal("the smarthost has got nothing")
	}
	for _, want := range []string{"good@example.net", "Received: from unknown (authenticated)", "with ESMTPSA", "Subject: for three", "\r\nHello.\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the smarthost has got %q, without %q", got, want)
		}
	}
	if kept := m.kept(t, "bob"); len(kept) != 1 {
		t.Errorf("bob has %q", kept)
	}
	bounces := m.kept(t, "ann")
	if len(bounces) != 1 {
		t.Fatalf("ann has %d messages", len(bounces))
	}
	for _, want := range []string{"Return-Path: <>", "multipart/report", "Original-Envelope-Id: E1", "Original-Recipient: rfc822; first@example.com",
		"Final-Recipient: rfc822; bad@example.net", "Action: failed", "Status: 5.1.1", "Remote-MTA: dns; smarthost.example", "smtp; 550 5.1.1 Who is that?",
		"Subject: for three", "\nHello.\n"} {
		if !strings.Contains(bounces[0], want) {
			t.Errorf("the bounce lacks %q:\n%s", want, bounces[0])
		}
	}
	if strings.Contains(bounces[0], "Final-Recipient: rfc822; good@example.net") {
		t.Error("who has got it is in the bounce")
	}
}

// While there is no relay nobody is relayed for.
func TestNoRelay(t *testing.T) {
	m := startMSA(t, "")
	c := m.client(t, 1)
	says(t, c, "EHLO client.example.net", "250")
	says(t, c, annPlain, "235")
	says(t, c, "MAIL FROM:<ann@example.org>", "250")
	says(t, c, "RCPT TO:<good@example.net>", "550 5.7.1")
}
