// Command lmtpd is a mail delivery agent: it takes messages from an MTA over LMTP (RFC 2033), keeps each one
// durably in mailboxes, and answers once for every recipient.
//
// This package is the shell around the rest: the configuration and its mistakes, the wiring of listeners,
// delivery agent and stores, signals, and the commands of the command line. It knows no SMTP itself.
package main

import (
	"context"
	"os"
)

func main() {
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(a.run(context.Background(), os.Args))
}
