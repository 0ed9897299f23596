package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
)

// A door is an Authenticator that is guarded, as one address comes to it.
type door struct {
	auth.Authenticator
	log *bytes.Buffer
}

func newDoor() door {
	var log bytes.Buffer
	plain := slog.New(slog.NewTextHandler(&log, nil))
	return door{auth.Guard(newServer(""), auth.NewThrottle(time.Now), plain), &log}
}

// try tries a password by PLAIN, and says how long the answer took.
func (d door) try(addr, name, password string) (string, error, time.Duration) {
	ch := auth.Channel{Session: "S1", Secured: true}
	if addr != "unix" {
		ch.Peer = netip.MustParseAddr(addr)
	}
	began := time.Now()
	_, account, err := d.Begin("PLAIN", ch).Next(context.Background(), []byte("\x00"+name+"\x00"+password))
	return account, err, time.Since(began)
}

func isBanned(err error) bool {
	_, is := errors.AsType[auth.Banned](err)
	return is
}

// Who fails again and again is told later and later, and then banned, for longer each time.
func TestThrottleAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		var delays []string
		for i := range 12 {
			_, err, delay := d.try("192.0.2.9", fmt.Sprint("name", i), "wrong")
			if !errors.Is(err, auth.ErrCredentials) {
				t.Fatalf("attempt %d: %v", i+1, err)
			}
			delays = append(delays, delay.String())
		}
		if got := strings.Join(delays, " "); got != "0s 1s 2s 4s 8s 8s 8s 8s 8s 8s 8s 8s" {
			t.Errorf("delays %s", got)
		}
		if _, err, _ := d.try("192.0.2.9", "ann", "secret"); !isBanned(err) {
			t.Errorf("after twelve failures: %v", err)
		}
		if account, err, _ := d.try("192.0.2.8", "ann", "secret"); account != "ann" {
			t.Errorf("another address: %v", err)
		}
		time.Sleep(5 * time.Minute)
		if account, err, _ := d.try("192.0.2.9", "ann", "secret"); account != "ann" {
			t.Errorf("after the ban: %v", err)
		}
	})
}

// IPv6 addresses of one site are one.
func TestThrottleIPv6(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for i := range 12 {
			d.try(fmt.Sprintf("2001:db8::%x", i+1), "ann", "wrong")
		}
		if _, err, _ := d.try("2001:db8::ffff", "tim", "tanstaaftanstaaf"); !isBanned(err) {
			t.Errorf("the same /64: %v", err)
		}
		if _, err, _ := d.try("2001:db8:0:1::1", "tim", "tanstaaftanstaaf"); err != nil {
			t.Errorf("another /64: %v", err)
		}
	})
}

// A name is banned for strangers after many failures, and not for where its owner has been.
func TestThrottleName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		if _, err, _ := d.try("198.51.100.1", "ann", "secret"); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			d.try(fmt.Sprintf("192.0.2.%d", i+1), "ANN", "wrong")
		}
		if _, err, _ := d.try("203.0.113.1", "ann", "secret"); !isBanned(err) {
			t.Errorf("a stranger with the right password: %v", err)
		}
		if _, err, _ := d.try("203.0.113.1", "tim", "tanstaaftanstaaf"); err != nil {
			t.Errorf("another name: %v", err)
		}
		if _, err, _ := d.try("198.51.100.1", "ann", "secret"); err != nil {
			t.Errorf("the owner: %v", err)
		}
	})
}

// Behind a unix socket may be all users of the host: one of them does not shut the others out.
func TestThrottleUnix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for range 200 {
			d.try("unix", "tim", "wrong")
		}
		if account, err, _ := d.try("unix", "ann", "secret"); account != "ann" {
			t.Errorf("%v", err)
		}
	})
}

// Nobody gets more attempts by making them at the same time.
func TestThrottleParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		d.try("192.0.2.9", "ann", "wrong")
		judged := make(chan error, 100)
		for range 100 {
			go func() {
				_, err, _ := d.try("192.0.2.9", "ann", "wrong")
				judged <- err
			}()
		}
		count := 1
		for range 100 {
			if err := <-judged; !isBanned(err) {
				count++
			}
		}
		if count > 12 {
			t.Errorf("%d passwords were looked at", count)
		}
	})
}

// A failure is forgotten, and a success wipes what was before it.
func TestThrottleForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for range 5 {
			d.try("192.0.2.9", "ann", "wrong")
		}
		d.try("192.0.2.9", "ann", "secret")
		if _, _, delay := d.try("192.0.2.9", "ann", "wrong"); delay > 0 {
			t.Errorf("after a success: %v", delay)
		}
		for range 5 {
			d.try("192.0.2.9", "ann", "wrong")
		}
		time.Sleep(31 * time.Minute)
		if _, _, delay := d.try("192.0.2.9", "ann", "wrong"); delay > 0 {
			t.Errorf("after half an hour: %v", delay)
		}
	})
}

// What could not be looked up counts for nothing.
func TestThrottleUndecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for range 50 {
			if _, err, delay := d.try("192.0.2.9", "later", "secret"); !errors.Is(err, errLater) || delay > 0 {
				t.Fatalf("%v after %v", err, delay)
			}
		}
	})
}

// A shutdown does not wait for delays.
func TestThrottleContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		for range 5 {
			ch := auth.Channel{Peer: netip.MustParseAddr("192.0.2.9"), Secured: true}
			d.Begin("PLAIN", ch).Next(ctx, []byte("\x00ann\x00wrong"))
		}
		if time.Since(began) > 0 {
			t.Errorf("waited %v", time.Since(began))
		}
	})
}

// Failures from very many addresses take a bounded amount of memory, and the last of them still count.
func TestThrottleBounded(t *testing.T) {
	th := auth.NewThrottle(time.Now)
	last := netip.MustParseAddr("198.51.100.1")
	for range 11 {
		th.Fail(last, "")
	}
	for i := range 60_000 {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		th.Fail(addr, fmt.Sprint("name", i))
		if i%1000 == 0 {
			if err := th.Begin(last); err == nil {
				th.Withdraw(last)
			}
		}
	}
	if n := th.Remembered(); n != 20_000 {
		t.Errorf("%d are remembered", n)
	}
	th.Fail(last, "")
	if err := th.Begin(last); !isBanned(err) {
		t.Errorf("who goes on trying is forgotten: %v", err)
	}
}

// One line for each exchange, without secrets.
func TestGuardLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		d.try("192.0.2.9", "ann\" peer=127.0.0.1", "hunter2")
		d.try("192.0.2.9", "ann", "secret")
		d.try("unix", "later", "hunter2")
		want := []string{
			`level=WARN msg="authentication failed" session=S1 user="ann\" peer=127.0.0.1" peer=192.0.2.9 mechanism=PLAIN cause="authentication credentials invalid"`,
			`level=INFO msg=authenticated session=S1 user=ann peer=192.0.2.9 mechanism=PLAIN account=ann`,
			`level=ERROR msg="authentication could not be decided" session=S1 user=later peer=unix mechanism=PLAIN cause="accounts are out of reach"`,
		}
		lines := strings.Split(strings.TrimSpace(d.log.String()), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%q", lines)
		}
		stamp := regexp.MustCompile(`^time=\S+ `)
		for i, line := range lines {
			if got := stamp.ReplaceAllString(line, ""); got != want[i] {
				t.Errorf("line %d:\n%s\n%s", i+1, got, want[i])
			}
		}
	})
}
