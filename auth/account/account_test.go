package account_test

import (
	"testing"

	"lmtpd/auth/account"
)

func TestAnyHasEveryName(t *testing.T) {
	for _, name := range []string{"ann", "Ann@example.org", "ann+x@example.org", ""} {
		a, err := account.Any{}.Lookup(t.Context(), name)
		if err != nil || a.UID != -1 || a.GID != -1 {
			t.Errorf("Lookup(%q) = %+v, %v", name, a, err)
		}
	}
	if a, _ := (account.Any{}).Lookup(t.Context(), "Ann@Example.ORG"); a.Name != "ann@example.org" {
		t.Errorf("name %q is not folded", a.Name)
	}
}
