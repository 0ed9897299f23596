package client_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"lmtpd/auth"
	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// A message for two recipients goes over LMTP, and each has a result.
func Example() {
	address, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	conn, err := client.Dial(ctx, address, client.Options{Hello: "client.example.org"})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	m := client.Message{
		From: smtp.Path{Local: "carol", Domain: "example.org"},
		Recipients: []smtp.Recipient{
			{To: smtp.Path{Local: "ann", Domain: "example.org"}},
			{To: smtp.Path{Local: "bob", Domain: "example.org"}},
		},
		Content: strings.NewReader("Subject: dinner\n\nis ready\n"),
	}
	results, err := conn.Send(ctx, m)
	if err != nil {
		fmt.Println("the connection was lost:", err) // the results still tell what is known
	}
	for i, r := range results {
		switch {
		case r.Delivered():
			fmt.Println(m.Recipients[i].To, "has it")
		case r.Outcome == client.Known:
			fmt.Println(m.Recipients[i].To, "does not:", r.Reply)
		default:
			fmt.Println(m.Recipients[i].To, "is", r.Outcome)
		}
	}
	if err := conn.Quit(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ann@example.org has it
	// bob@example.org does not: 452 4.2.2 Mailbox full
}

// Mail is submitted to a provider: over TLS, authenticated by the strongest mechanism that both sides know.
func ExampleConn_Auth() {
	address, err := client.ParseAddress("submission://smtp.example.net")
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	conn, err := client.Dial(ctx, address, client.Options{
		Security: client.Security{Start: client.Required, Config: &tls.Config{MinVersion: tls.VersionTLS13}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	err = conn.Auth(ctx, "", auth.Credentials{Name: "carol", Password: os.Getenv("PASSWORD")})
	if refusal, refused := errors.AsType[smtp.Reply](err); refused {
		log.Fatalf("the server says %s; it offers %s", refusal, conn.AuthTypes())
	}
}

// Connections are kept for the next message.
func ExamplePool() {
	address, stop := exampleServer()
	defer stop()
	pool := &client.Pool{
		Dial: func(ctx context.Context) (*client.Conn, error) {
			fmt.Println("dial")
			return client.Dial(ctx, address, client.Options{})
		},
		Idle: 10 * time.Second,
	}
	defer pool.Close()
	for range 2 {
		results, server, err := pool.Send(context.Background(), client.Message{
			Recipients: []smtp.Recipient{{To: smtp.Path{Local: "ann", Domain: "example.org"}}},
			Content:    strings.NewReader("Subject: dinner\n\nis ready\n"),
		})
		fmt.Println(server, results[0].Reply, err)
	}
	// Output:
	// dial
	// mx.example.org 250 2.1.5 Kept <nil>
	// mx.example.org 250 2.1.5 Kept <nil>
}

// A server may be named by the SHA-256 of its certificate, as openssl x509 -fingerprint -sha256 shows it.
func ExampleSecurity_fingerprint() {
	const shown = "4F:2A:8D:0C:0B:6E:1E:9D:3C:5A:7B:80:91:A2:B3:C4:D5:E6:F7:08:19:2A:3B:4C:5D:6E:7F:80:91:A2:B3:C4"
	raw, err := hex.DecodeString(strings.ReplaceAll(shown, ":", ""))
	if err != nil || len(raw) != len(client.Fingerprint{}) {
		log.Fatalf("%q is no SHA-256", shown)
	}
	security := client.Security{Start: client.Required, Fingerprint: client.Fingerprint(raw)}
	fmt.Printf("%x\n", security.Fingerprint[:4])
	// Output: 4f2a8d0c
}

func ExampleParseAddress() {
	for _, url := range []string{"lmtp+unix:/run/lmtpd/lmtp", "smtps://smtp.example.net", "lmtp://[::1]"} {
		a, err := client.ParseAddress(url)
		fmt.Println(a.Network, a.Name, a.TLS, err)
	}
	// Output:
	// unix /run/lmtpd/lmtp false <nil>
	// tcp smtp.example.net:465 true <nil>
	// tcp [::1]:24 false <nil>
}

// exampleServer takes mail for ann; the mailbox of bob is full.
func exampleServer() (a client.Address, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go takeMail(nc)
		}
	}()
	return client.Address{Dialect: client.LMTP(), Network: "tcp", Name: l.Addr().String()}, func() { l.Close() }
}

func takeMail(nc net.Conn) {
	defer nc.Close()
	fmt.Fprint(nc, "220 mx.example.org ready\r\n")
	var finals []string
	data := false
	for in := bufio.NewScanner(nc); in.Scan(); {
		line := in.Text()
		switch verb, _, _ := strings.Cut(line, " "); {
		case data && line == ".":
			fmt.Fprint(nc, strings.Join(finals, ""))
			finals, data = nil, false
		case data:
		case verb == "LHLO":
			fmt.Fprint(nc, "250-mx.example.org\r\n250 PIPELINING\r\n")
		case verb == "RCPT" && strings.Contains(line, "<bob@"):
			finals = append(finals, "452 4.2.2 Mailbox full\r\n")
			fmt.Fprint(nc, "250 2.1.5 Fine\r\n")
		case verb == "RCPT":
			finals = append(finals, "250 2.1.5 Kept\r\n")
			fmt.Fprint(nc, "250 2.1.5 Fine\r\n")
		case verb == "DATA":
			data = true
			fmt.Fprint(nc, "354 Go on\r\n")
		case verb == "QUIT":
			fmt.Fprint(nc, "221 Bye\r\n")
			return
		default:
			fmt.Fprint(nc, "250 2.0.0 Fine\r\n")
		}
	}
}
