package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// A signal ends the load in good order: every message that is told of is in a mailbox, and no other.
func TestBenchDaemon(t *testing.T) {
	d := startDaemon(t)
	load := startChild(t, d.command("bench", "--to", "user%d@example.org", "--mailboxes", "20", "--recipients", "3", "--sessions", "4",
		"--size", "600B-20KiB", "--duration", "1h", "--watch", fmt.Sprint(d.cmd.Process.Pid), "lmtp://"+d.port))
	d.awaitN(t, 100, `status=delivered`)
	load.signal(t, os.Interrupt)
	if code := load.wait(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	load.await(t, `^time .*, interrupted$`)
	copies, err := strconv.Atoi(load.await(t, `^recipients +(\d+) `)[1])
	if err != nil {
		t.Fatal(err)
	}
	there, err := filepath.Glob(filepath.Join(d.root, "example.org", "*", "new", "*"))
	if err != nil || len(there) != copies || copies < 100 {
		t.Errorf("%v: %d copies were taken, and %d are there", err, copies, len(there))
	}
	load.await(t, `^watched +\d+\.\d\d s of CPU, .*; at most [1-9]\d*\.\d MB in 1 process$`)
	if trouble := load.matching(`^(without|reply|error) `); len(trouble) != 0 {
		t.Errorf("%q", trouble)
	}
}

// What load is made of is mail: the program shows it, and it has the size that it was asked to have, but for what the daemon
// puts before it. That it comes in chunks makes no difference.
func TestBenchMessage(t *testing.T) {
	d := startDaemon(t)
	for user, how := range map[string][]string{"ann": nil, "bob": {"--chunking"}} {
		to := user + "@example.org"
		args := append([]string{"bench", "-n", "1", "-c", "1", "--size", "5000", "--to", to, "--from", "me@example.net"}, how...)
		d.run(t, append(args, "lmtp://"+d.port)...)
		text := d.run(t, "mailbox", "show", "--wire", "--config", d.config, to)
		at := regexp.MustCompile(`(?m)^From: <`).FindStringIndex(text)
		if at == nil || len(text)-at[0] != 5000 || !regexp.MustCompile(`(?m)^Return-Path: <me@example\.net>\r$`).MatchString(text[:at[0]]) {
			t.Errorf("the message for %s is\n%.2000s", user, text)
		}
	}
}
