package password

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Dovecot verifies what Hash makes, of every scheme.
func TestDovecotVerifies(t *testing.T) {
	needDoveadm(t)
	for _, scheme := range Schemes() {
		made, err := Hash(scheme, secret)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := doveadm("pw", "-t", made, "-p", secret); err != nil || !strings.Contains(out, "(verified)") {
			t.Errorf("%s: %v, %s", made, err, out)
		}
		if out, err := doveadm("pw", "-t", made, "-p", "another"); err == nil {
			t.Errorf("%s and another password: %s", made, out)
		}
	}
}

// We verify what Dovecot makes, of every scheme that both know, in every encoding.
func TestVerifiesDovecots(t *testing.T) {
	needDoveadm(t)
	list, err := doveadm("pw", "-l")
	if err != nil {
		t.Fatal(err)
	}
	both := 0
	for _, scheme := range strings.Fields(list) {
		if _, ok := schemes[scheme]; !ok {
			continue
		}
		both++
		for _, suffix := range []string{"", ".HEX", ".B64"} {
			made, err := doveadm("pw", "-s", scheme+suffix, "-p", secret)
			if err != nil {
				t.Errorf("%s%s: %v, %s", scheme, suffix, err, made)
				continue
			}
			made = strings.TrimSuffix(made, "\n")
			if err := Verify(made, secret); err != nil {
				t.Errorf("%s: %v", made, err)
			}
			if err := Verify(made, "another"); err != ErrMismatch {
				t.Errorf("%s and another password: %v", made, err)
			}
		}
	}
	if both < 20 {
		t.Errorf("Dovecot knows only %d of our schemes: %s", both, list)
	}
}

// A password has as many octets as Dovecot takes for crypt(3), and no more.
func TestDovecotsLongest(t *testing.T) {
	needDoveadm(t)
	longest := strings.Repeat("x", maxPassword)
	made, err := Hash(Default, longest)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := doveadm("pw", "-t", made, "-p", longest); err != nil {
		t.Errorf("the longest: %v, %s", err, out)
	}
	if made, err := doveadm("pw", "-s", Default, "-p", longest+"x"); err == nil && !strings.Contains(made, "}*") {
		t.Errorf("one more: %s", made)
	}
}

func needDoveadm(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("doveadm"); err == nil {
		return
	}
	if os.Getenv("LMTPD_PEERS") == "required" {
		t.Fatal("doveadm is missing: apt-get install dovecot-core")
	}
	t.Skip("doveadm is missing: apt-get install dovecot-core")
}

// doveadm runs Dovecot's own tool and returns what it printed.
func doveadm(args ...string) (string, error) {
	out, err := exec.Command("doveadm", args...).CombinedOutput()
	return string(out), err
}

// What Dovecot keeps for a mechanism has the same key as the password itself.
func TestDovecotsKeys(t *testing.T) {
	needDoveadm(t)
	for _, scheme := range []string{"CRAM-MD5", "CRAM-MD5.B64", "HMAC-MD5"} {
		outer, inner, err := CRAMKey(madeBy(t, scheme))
		wantOuter, wantInner, wantErr := CRAMKey("{PLAIN}" + secret)
		if err != nil || wantErr != nil || !same(outer, wantOuter) || !same(inner, wantInner) {
			t.Errorf("%s: %x, %x, %v; of the password %x, %x, %v", scheme, outer, inner, err, wantOuter, wantInner, wantErr)
		}
	}
	for _, mechanism := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
		for _, suffix := range []string{"", ".HEX", ".B64"} {
			k, err := SCRAMKey(mechanism, madeBy(t, mechanism+suffix))
			if err != nil {
				t.Errorf("%s%s: %v", mechanism, suffix, err)
				continue
			}
			want, err := DeriveSCRAM(mechanism, secret, k.Salt, k.Rounds)
			if err != nil || k.text() != want.text() {
				t.Errorf("%s%s: %s, %v; of the password %s", mechanism, suffix, k.text(), err, want.text())
			}
		}
	}
}

// madeBy is what Dovecot stores of secret in a scheme.
func madeBy(t *testing.T, scheme string) string {
	t.Helper()
	made, err := doveadm("pw", "-s", scheme, "-p", secret)
	if err != nil {
		t.Fatalf("%s: %v, %s", scheme, err, made)
	}
	return strings.TrimSuffix(made, "\n")
}
