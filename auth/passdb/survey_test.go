package passdb

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"lmtpd/auth/account"
)

func TestSurvey(t *testing.T) {
	const cram = "{CRAM-MD5}0000000000000000000000000000000000000000000000000000000000000000"
	plaintext := []string{"PLAIN", "LOGIN"}
	for _, tt := range []struct {
		stored []string
		want   []string // before those in plaintext
	}{
		{nil, nil},
		{[]string{"", "!", "{CRYPT}*"}, nil}, // nobody can log in
		{[]string{"{PLAIN}x"}, []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}},
		{[]string{"{PLAIN}x", cram}, []string{"CRAM-MD5"}},
		{[]string{"{clear}x", scram1}, []string{"SCRAM-SHA-1"}},
		{[]string{"{PLAIN}x", scram2, ""}, []string{"SCRAM-SHA-256"}},
		{[]string{scram1, scram2}, nil},
		{[]string{"{PLAIN}x", cheap}, nil},
		{[]string{costly}, nil},
		{[]string{"{PLAIN}x", foreign, "{SCRAM-SHA-1}4096,x"}, []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}},
	} {
		var s Survey
		for _, stored := range tt.stored {
			s.Add(account.Account{Name: "ann", Password: stored})
		}
		s.Add(account.Account{Name: "barred", Password: cheap, Disabled: account.Disabled{Login: true}})
		if got, want := s.Mechanisms(), slices.Concat(tt.want, plaintext); !reflect.DeepEqual(got, want) {
			t.Errorf("with %v, %v can be offered; want %v", tt.stored, got, want)
		}
	}
}

// Who stands in the way of what is told, and nothing of what is stored.
func TestSurveyObstacles(t *testing.T) {
	var s Survey
	s.Add(account.Account{Name: "ann", Password: "{PLAIN}hunter2"})
	s.Add(account.Account{Name: "bob", Password: scram1})
	s.Add(account.Account{Name: "cat", Password: costly})
	s.Add(account.Account{Name: "dan", Password: "{hunter2}x"})
	want := map[string]string{
		"SCRAM-SHA-256": "bob cat",
		"SCRAM-SHA-1":   "cat",
		"CRAM-MD5":      "bob cat",
		"PLAIN":         "dan",
		"LOGIN":         "dan",
	}
	for _, o := range s.Offers() {
		var names []string
		for _, against := range o.Obstacles {
			names = append(names, against.Account)
			if against.Why == "" || strings.Contains(against.Why, "hunter2") {
				t.Errorf("%s of %s: %s", o.Mechanism, against.Account, against.Why)
			}
		}
		if got := strings.Join(names, " "); got != want[o.Mechanism] || o.Can != isPlaintext(o.Mechanism) {
			t.Errorf("%s: %q in its way, and it can be offered: %v; want %q", o.Mechanism, got, o.Can, want[o.Mechanism])
		}
	}
}

// What cannot be listed permits passwords in plaintext alone, whatever others have.
func TestSurveyUnlisted(t *testing.T) {
	var s Survey
	s.Add(account.Account{Name: "ann", Password: "{PLAIN}x"})
	s.AddUnlisted("system")
	if got := s.Mechanisms(); !reflect.DeepEqual(got, []string{"PLAIN", "LOGIN"}) {
		t.Errorf("%v can be offered", got)
	}
	if o := s.Offers()[0]; len(o.Obstacles) != 1 || !strings.Contains(o.Obstacles[0].Why, "system") {
		t.Errorf("%v", o)
	}
}
