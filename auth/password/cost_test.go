package password

import (
	"errors"
	"strings"
	"testing"
)

func TestCostOf(t *testing.T) {
	const (
		sha512 = "$Z6IQ9tt06/JwNECY0sSG6ul0ZqWO128hbK7f/cD3KVi71iAzh0iXAlRoikkRWH1yLN8ZQDjmUn/TE.aMCF4QO/"
		md5    = "$O/pmvdEVcoTPvrpz6s3ma1"
	)
	for stored, want := range map[string]Cost{
		"{plain}secret":                                                 {"PLAIN", ""},
		"{PLAIN}$6$salt" + sha512:                                       {"PLAIN", ""},
		"{SSHA.HEX}" + strings.Repeat("00", 24):                         {"SSHA", ""},
		"{CRAM-MD5}" + strings.Repeat("0", 64):                          {"CRAM-MD5", ""},
		"{MD5}" + strings.Repeat("0", 32):                               {"MD5", ""},
		"{MD5}$1$saltsalt" + md5:                                        {"$1$", "1000"},
		"$1$" + md5:                                                     {"$1$", "1000"},
		"$6$salt" + sha512:                                              {"$6$", "5000"},
		"{SHA512-CRYPT}$6$salt" + sha512:                                {"$6$", "5000"},
		"{CRYPT}$6$rounds=5000$othersalt" + sha512:                      {"$6$", "5000"},
		"{BLF-CRYPT}$6$rounds=100000$salt" + sha512:                     {"$6$", "100000"},
		"{CRYPT}$2y$05$" + strings.Repeat(".", 53):                      {"$2y$", "05"},
		"$y$j9T$abcdefghijklmnop$" + sha512[1:44]:                       {"$y$", "9,T"},
		"$argon2id$v=19$m=65536,t=3,p=1$aaaa$aaaaaa":                    {"$argon2id$", "65536,3,1"},
		"{PBKDF2}$1$salt$5000$7374f927891e4102e1a7a4a64ee589c003018001": {"PBKDF2", "5000"},
		"{SCRAM-SHA-1}4096,dHjIlfUz27ftl56kSKuVMQ==,GLPR4GIxpvU4butlNYVLKnP4irU=,fOIZ9M4Su6LtO7WaIpftnx/cJag=": {"SCRAM-SHA-1", "4096"},
	} {
		if got, err := CostOf(stored); got != want || err != nil {
			t.Errorf("%s costs %v, %v; want %v", stored, got, err, want)
		}
	}
}

// There is a cost where Verify can tell, and the same error where it cannot.
func TestCostOfAgrees(t *testing.T) {
	for _, s := range stored {
		if got, err := CostOf(s); err != nil || got.Way == "" {
			t.Errorf("%s costs %v, %v", s, got, err)
		}
	}
	for s, want := range map[string]error{
		"":                            ErrMismatch,
		"!":                           ErrMismatch,
		"{CRYPT}*":                    ErrMismatch,
		"{SSHA}c2VjcmV0":              errMalformed,
		"{MD5}89ca":                   errMalformed,
		"{CRAM-MD5}00":                errMalformed,
		"{PBKDF2}$1$salt$1$73":        errMalformed,
		"{SCRAM-SHA-1}4096,c2FsdA==":  errMalformed,
		"secret":                      errForm,
		"$6$salt$secret":              errMalformed,
		"{PBKDF2}$1$salt$99999999$73": errWork,
		"$2b$31$abcdefghijklmnopqrstuu0/DO20c4yQHHSqNjOEKYpOqLkmTM4ua": errWork,
		"{NTLM}x": nil,
		"{x}y":    nil,
	} {
		got, err := CostOf(s)
		told := Verify(s, "secret")
		if err == nil || err.Error() != told.Error() || want != nil && !errors.Is(err, want) {
			t.Errorf("%s costs %v, %v; Verify says %v", s, got, err, told)
		}
	}
}
