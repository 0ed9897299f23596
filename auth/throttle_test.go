package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
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
	return door{auth.Guard(newServer(""), auth.NewThrottle(time.Now, nil), plain), &log}
}

// slowDoor is one behind which passwords are looked at for a second, all of them at the same time.
func slowDoor() door {
	var log bytes.Buffer
	slow := auth.NewServer(auth.Config{Mechanisms: []string{"PLAIN"}, Accounts: slowly{known}})
	return door{auth.Guard(slow, auth.NewThrottle(time.Now, nil), slog.New(slog.NewTextHandler(&log, nil))), &log}
}

type slowly struct{ people }

func (s slowly) Verify(ctx context.Context, name, password string) (string, error) {
	<-time.After(time.Second)
	return s.people.Verify(ctx, name, password)
}

// try tries a password by PLAIN, and says how long the answer took.
func (d door) try(addr, name, password string) (string, time.Duration, error) {
	ch := auth.Channel{Session: "S1", Secured: true}
	if addr != "unix" {
		ch.Peer = netip.MustParseAddr(addr)
	}
	began := time.Now()
	_, account, err := d.Begin("PLAIN", ch).Next(context.Background(), []byte("\x00"+name+"\x00"+password))
	return account, time.Since(began), err
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
			_, delay, err := d.try("192.0.2.9", fmt.Sprint("name", i), "wrong")
			if !errors.Is(err, auth.ErrCredentials) {
				t.Fatalf("attempt %d: %v", i+1, err)
			}
			delays = append(delays, delay.String())
		}
		if got := strings.Join(delays, " "); got != "0s 1s 2s 4s 8s 8s 8s 8s 8s 8s 8s 8s" {
			t.Errorf("delays %s", got)
		}
		if _, _, err := d.try("192.0.2.9", "ann", "secret"); !isBanned(err) {
			t.Errorf("after twelve failures: %v", err)
		}
		if account, _, err := d.try("192.0.2.8", "ann", "secret"); account != "ann" {
			t.Errorf("another address: %v", err)
		}
		time.Sleep(5 * time.Minute)
		if account, _, err := d.try("192.0.2.9", "ann", "secret"); account != "ann" {
			t.Errorf("after the ban: %v", err)
		}
	})
}

// However a name is written, its failures are one name's.
func TestThrottleFolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := auth.NewThrottle(time.Now, func(string) string { return "ann" })
		for i := range 12 {
			th.Fail(netip.Addr{}, fmt.Sprint("spelling ", i))
		}
		if err := th.Admit(netip.Addr{}, "ann"); !isBanned(err) {
			t.Errorf("%v", err)
		}
	})
}

// A shutdown waits for nobody who guesses.
func TestThrottleStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := auth.NewThrottle(time.Now, nil)
		guard := auth.Guard(newServer(""), th, slog.New(slog.DiscardHandler))
		th.Stop()
		began := time.Now()
		for range 5 {
			ch := auth.Channel{Peer: netip.MustParseAddr("192.0.2.9"), Secured: true}
			guard.Begin("PLAIN", ch).Next(t.Context(), []byte("\x00ann\x00wrong"))
		}
		if time.Since(began) > 0 {
			t.Errorf("waited %v", time.Since(began))
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
		if _, _, err := d.try("2001:db8::ffff", "tim", "tanstaaftanstaaf"); !isBanned(err) {
			t.Errorf("the same /64: %v", err)
		}
		if _, _, err := d.try("2001:db8:0:1::1", "tim", "tanstaaftanstaaf"); err != nil {
			t.Errorf("another /64: %v", err)
		}
	})
}

// A name is banned for strangers after many failures, and not for where its owner has been.
func TestThrottleName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		if _, _, err := d.try("198.51.100.1", "ann", "secret"); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			d.try(fmt.Sprintf("192.0.2.%d", i+1), "ANN", "wrong")
		}
		if _, _, err := d.try("203.0.113.1", "ann", "secret"); !isBanned(err) {
			t.Errorf("a stranger with the right password: %v", err)
		}
		if _, _, err := d.try("203.0.113.1", "ann", "wrong"); !isBanned(err) {
			t.Errorf("a stranger learns that a password is wrong: %v", err)
		}
		if _, _, err := d.try("203.0.113.1", "tim", "tanstaaftanstaaf"); err != nil {
			t.Errorf("another name: %v", err)
		}
		if _, _, err := d.try("198.51.100.1", "ann", "secret"); err != nil {
			t.Errorf("the owner: %v", err)
		}
	})
}

// Behind a unix socket or a loopback address may be all users of the host: one of them does not shut the others out.
func TestThrottleUnix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for _, addr := range []string{"unix", "127.0.0.1", "::1"} {
			for range 50 {
				d.try(addr, "tim", "wrong")
			}
			if account, delay, err := d.try(addr, "ann", "secret"); account != "ann" || delay > 0 {
				t.Errorf("%s: %v after %v", addr, err, delay)
			}
			if _, _, err := d.try(addr, "tim", "tanstaaftanstaaf"); !isBanned(err) {
				t.Errorf("%s: who has failed: %v", addr, err)
			}
		}
	})
}

// Nobody learns of more passwords by trying them at the same time, nor sooner: all are judged before the first failure counts,
// and the right one is among them.
func TestThrottleParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := slowDoor()
		began, told := time.Now(), make(chan error, 100)
		for i := range 100 {
			go func() {
				password := "wrong"
				if i == 50 {
					password = "secret"
				}
				_, _, err := d.try("192.0.2.9", "ann", password)
				told <- err
			}()
		}
		count := 0
		for range 100 {
			if err := <-told; !isBanned(err) {
				count++
			}
		}
		if count > 14 { // the right one, and one wrong one before it that it takes back
			t.Errorf("%d answers were given", count)
		}
		if took := time.Since(began); took < 71*time.Second {
			t.Errorf("twelve failures took %v, and one after another take 71s", took)
		}
	})
}

// Many addresses at once learn no more of a name than one after another.
func TestThrottleParallelName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, told := slowDoor(), make(chan error, 250)
		for i := range 250 {
			go func() {
				_, _, err := d.try(fmt.Sprintf("192.0.2.%d", i), "ann", "wrong")
				told <- err
			}()
		}
		count := 0
		for range 250 {
			if err := <-told; !isBanned(err) {
				count++
			}
		}
		if count != 100 {
			t.Errorf("%d answers were given", count)
		}
	})
}

// Who hangs up before a failure is told waits for it with the next attempt.
func TestThrottleHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		ch := auth.Channel{Peer: netip.MustParseAddr("192.0.2.9"), Secured: true}
		for range 4 {
			d.Begin("PLAIN", ch).Next(gone, []byte("\x00ann\x00wrong"))
		}
		if account, delay, err := d.try("192.0.2.9", "ann", "secret"); account != "ann" || delay != 7*time.Second {
			t.Errorf("%v after %v", err, delay)
		}
	})
}

// With an account of one's own, what was guessed of others' is not made up for.
func TestThrottleOwnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for i := range 12 {
			if _, _, err := d.try("192.0.2.9", fmt.Sprint("name", i), "wrong"); !errors.Is(err, auth.ErrCredentials) {
				t.Fatalf("attempt %d: %v", i+1, err)
			}
			if i%4 == 0 {
				d.try("192.0.2.9", "tim", "wrong")
			}
			d.try("192.0.2.9", "tim", "tanstaaftanstaaf")
		}
		if _, _, err := d.try("192.0.2.9", "ann", "secret"); !isBanned(err) {
			t.Errorf("after twelve failures: %v", err)
		}
	})
}

// An IPv4 address is the same within IPv6, and others are not.
func TestThrottleMapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for range 12 {
			d.try("::ffff:192.0.2.9", "ann", "wrong")
		}
		if _, _, err := d.try("192.0.2.9", "tim", "tanstaaftanstaaf"); !isBanned(err) {
			t.Errorf("the same: %v", err)
		}
		if _, _, err := d.try("::ffff:192.0.2.8", "tim", "tanstaaftanstaaf"); err != nil {
			t.Errorf("another: %v", err)
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
		if _, delay, _ := d.try("192.0.2.9", "ann", "wrong"); delay > 0 {
			t.Errorf("after a success: %v", delay)
		}
		for range 5 {
			d.try("192.0.2.9", "ann", "wrong")
		}
		time.Sleep(31 * time.Minute)
		if _, delay, _ := d.try("192.0.2.9", "ann", "wrong"); delay > 0 {
			t.Errorf("after half an hour: %v", delay)
		}
	})
}

// What could not be looked up counts for nothing.
func TestThrottleUndecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for range 50 {
			if _, delay, err := d.try("192.0.2.9", "later", "secret"); !errors.Is(err, errLater) || delay > 0 {
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
	th := auth.NewThrottle(time.Now, nil)
	last := netip.MustParseAddr("198.51.100.1")
	for range 11 {
		th.Fail(last, "")
	}
	for i := range 60_000 {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		th.Fail(addr, fmt.Sprint("name", i))
		if i%1000 == 0 {
			th.Admit(last, "")
		}
	}
	if n := th.Remembered(); n != [3]int{10_000, 10_000, 10_000} {
		t.Errorf("%v are remembered", n)
	}
	th.Fail(last, "")
	if err := th.Admit(last, ""); !isBanned(err) {
		t.Errorf("who goes on trying is forgotten: %v", err)
	}
}
