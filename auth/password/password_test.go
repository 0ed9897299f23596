package password

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

const secret = "secret pä"

// long is more than a block of MD5 has, and more than bcrypt takes.
var long = strings.Repeat("x", 80)

// stored are facts: what "doveadm pw" of Dovecot 2.3.19 made of secret, and below it the crypt(3) of libxcrypt 4.4.33.
var stored = []string{
	"{PLAIN}secret pä",
	"{CLEAR}secret pä",
	"{CLEARTEXT}secret pä",
	"{PLAIN.B64}c2VjcmV0IHDDpA==",
	"{PLAIN.HEX}7365637265742070c3a4",
	"{MD5}89ca2ad6603a8925e17daae983c9d932",
	"{MD5}$1$7ISmFps3$.O0MQQD/DDiWcF7pr0Exh.",
	"{PLAIN-MD5}89ca2ad6603a8925e17daae983c9d932",
	"{LDAP-MD5}icoq1mA6iSXhfarpg8nZMg==",
	"{SHA}TkmXn7Dc4BFlDrJ6ET3l9TprS/E=",
	"{SHA1}TkmXn7Dc4BFlDrJ6ET3l9TprS/E=",
	"{SHA1}4e49979fb0dce011650eb27a113de5f53a6b4bf1",
	"{SHA.HEX}4e49979fb0dce011650eb27a113de5f53a6b4bf1",
	"{SHA256}8Ni5aXYBBnGIJ85WUzpNIure/KWf4urbC5gbH4YMXMM=",
	"{SHA256.B64}8Ni5aXYBBnGIJ85WUzpNIure/KWf4urbC5gbH4YMXMM=",
	"{SHA512}efIzYN/i3e41ZNTBZ5k3fbBkWtlWNVKIrQMYoIxAdDiwwfYuoANNx5PvOwV7aKc/sGk8vYD0wUraSrdnUzaf0w==",
	"{SMD5}lEXVWufZJ+ciWqWlbqcyIgTx4y4=",
	"{SMD5.HEX}6de0b737d31c78ea4fc040b9c436e42942a5a4e6",
	"{SSHA}l26+HYneJqMLJIRWdWrQQuwGuzrLjBqk",
	"{SSHA256}YOIzxh+NCUJyRLFq+eLrDvfZpW8GNAEjdsxbHNX6gC+KYu+p",
	"{SSHA256.HEX}3373bb071750a795349ba182bc14bdcbfd5b4b6174d3b874fc3dcc574d9688cfe228fce2",
	"{SSHA512}H3jB4SPrvPPkVv1kvqHiZa2fuYYU4l246ndwA9wECtdOjQDeZG/dloY7JSBcc8m6Nu3AU/DFEmO2zdoGSxKLevw+sNs=",
	"{MD5-CRYPT}$1$5XadDCyc$/61C0nKyBpw.yILi.ROPx/",
	"{SHA256-CRYPT}$5$BiPcT29qFnh6O7HQ$CY0qI1mRvWYdMo08al16GIxdTR/uQnWp4Jknlfq/pK0",
	"{SHA256-CRYPT}$5$rounds=1000$r.Ico6FXDpoTYILG$/wzSNKNGBuioTFDwiIHFEFrzB/vQP/SQhrLj9bIE/q0",
	"{SHA256-CRYPT.B64}JDUkZTgvZW04UGxXanNsdmI1ZyQwTUdwcHRQRG5UR1AvcGZ3UTkvT1FhemJtUUl4RVdnN0h1WGtjRVlrd3o4",
	"{SHA512-CRYPT}$6$lCEvsQL1HIfpnwy4$Z6IQ9tt06/JwNECY0sSG6ul0ZqWO128hbK7f/cD3KVi71iAzh0iXAlRoikkRWH1yLN8ZQDjmUn/TE.aMCF4QO/",
	"{SHA512-CRYPT}$6$rounds=1000$PWfAaXbu7z4xI1kQ$CqSEj63w8a/KCZ36EVDRpVwbOQt/2pVLU/1TIRwZXOrJ/Hj/7HDscxpCwUCS/pEAEU8dl5GtQ.kPMjjuypib8/",
	"{sha512-crypt}$2y$05$LCuVradq/dsPp3DAJ7mv7ez22VNUP.e0Zjlyvqh7D7e7K7FHoi/Wq",
	"{BLF-CRYPT}$2y$04$KQA8jFF75SEKYB4FuWKr4OBMYDscPOxQUE4buSWavQeAcsNH6ig/2",
	"{CRYPT}$2y$05$ei845niyjUKbffIGC10BfeBEHLBoAuRndX3ycF/jiH.cdMkwfDamm",
	"{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$7AhrpKjtQeZN3wFgIDplNQ$2eX/315OFFAEipE2wG9jUc26+BbZmZtHD/iDv7rQ9x4",
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$5VBddXf2bV2x5vL1rWF78A$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY",
	"{PBKDF2}$1$Nubvbc2pPwyRsnJt$5000$7374f927891e4102e1a7a4a64ee589c003018001",
	"{PBKDF2.B64}JDEkekFMaVQySEJBa3ZwNVNWLiQ1MDAwJGEwZThjNDlmZmVkNmEyM2YzY2NhNjJhODk3YmUwNjg3MTAwMDJhNTI=",
	"{CRAM-MD5}ca6c9acccb5e53d96f496f2e6a4807353dfb072ffb1800ce803affc920885275",
	"{CRAM-MD5.B64}ymyazMteU9lvSW8uakgHNT37By/7GADOgDr/ySCIUnU=",
	"{HMAC-MD5}ca6c9acccb5e53d96f496f2e6a4807353dfb072ffb1800ce803affc920885275",
	"{SCRAM-SHA-1}4096,dHjIlfUz27ftl56kSKuVMQ==,GLPR4GIxpvU4butlNYVLKnP4irU=,fOIZ9M4Su6LtO7WaIpftnx/cJag=",
	"{SCRAM-SHA-256}4096,8aawAVsplFtHz1NmFWBnpQ==,yQ+2hO87TXUyQqJsQy4PZrXd+d+GjY+1/bNGseisn1Y=,lqwA1ek7AHghhaLDEYuyraPVaqrnrVahL5JxL35I3oY=",

	"$6$$vVC2q2tf.XRWjDQbDjgaW8eEOnyQhTZ6wmaTQoNsJJrKuL95dVFoyuEaKU/MRc1BE8ZO4sFnOWX1Ur6QIlUDt0",
	"$6$aaaaaaaaaaaaaaaa$P30PGCUqb3bXASMX/8OP9D2DPdDoerIQkqQGr7NQsX7jJQQcIRw3PfGb2tFjR8OSwt/nlufflPVTFB0U03H0B1",
	"$5$rounds=1000$saltsalt$HzkIySjOwCOpNiAG4j7botZn/mPPU/VpEDpfMGI69y4",
	"$1$saltsalt$O/pmvdEVcoTPvrpz6s3ma1",
	"$2a$04$abcdefghijklmnopqrstuu0/DO20c4yQHHSqNjOEKYpOqLkmTM4ua",
	"$2b$04$abcdefghijklmnopqrstuu0/DO20c4yQHHSqNjOEKYpOqLkmTM4ua",
	"$y$j9T$abcdefghijklmnopqrstu/$fJwMnu/Mgab.7PLs7gsOfah1ueV5.qRElPlCXLdj10B",
	"{CRYPT}$y$jAT$abcdefghijklmnop$/OGkC0uL7Zh4MLTKlAvsShWLFUt5d62xGbr0yK0NyE6",
}

func TestVerify(t *testing.T) {
	for _, s := range stored {
		if err := Verify(s, secret); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if err := Verify(s, secret[:len(secret)-1]); err != ErrMismatch {
			t.Errorf("%s and less: %v", s, err)
		}
	}
}

func TestVerifyLong(t *testing.T) {
	for password, all := range map[string][]string{
		long[:70]: {
			"{CRAM-MD5}8103bb3a2a4b96a9ca9cce4efecc8d22ebe7163dff7401afb5aa16d4edcf9f1f",
			"{SSHA512}CapNwRgTjuCTg8bw71wiztcYLROMFc5E04KfZsxgyyfLSy3bOmsd26gm2K2XlItdzKfqHXy6sF4SWLrzFjXPGrtOsHs=",
			"{PBKDF2}$1$UB2J/aS2ynHR9Qzi$5000$42690b2c5ab8ee29f3f578a415747be9fbaca3ff",
			"{SCRAM-SHA-1}4096,zUOm67tJdGSSz9p3m3SIOg==,1wg/idlH++8egciH7Nm6nO8/pbQ=,NtJd9pzOK3YDrrjj7WOIvkkz298=",
		},
		long:      {"{BLF-CRYPT}$2y$04$EkVBQsN5BnbtOISDpr6kF.XosXATgV3buV570KRPM7V.b5VLs9jfK"},
		long[:72]: {"{BLF-CRYPT}$2y$04$EkVBQsN5BnbtOISDpr6kF.XosXATgV3buV570KRPM7V.b5VLs9jfK"}, // all that bcrypt looks at
	} {
		for _, s := range all {
			if err := Verify(s, password); err != nil {
				t.Errorf("%s: %v", s, err)
			}
			if err := Verify(s, password[:69]); err != ErrMismatch {
				t.Errorf("%s and less: %v", s, err)
			}
		}
	}
}

// What no password matches is a fact, whatever is tried.
func TestVerifyLocked(t *testing.T) {
	for _, s := range []string{"", "!", "*", "*LK*", "!$6$x$y", "{CRYPT}", "{CRYPT}!", "{crypt}*0"} {
		for _, password := range []string{secret, s, "!", "*"} {
			if err := Verify(s, password); err != ErrMismatch {
				t.Errorf("%q and %q: %v", s, password, err)
			}
		}
	}
	for _, password := range []string{"", "a\x00b", "\x00", strings.Repeat("x", maxPassword+1)} {
		if err := Verify("{PLAIN}"+password, password); err != ErrMismatch {
			t.Errorf("%.10q is no password: %v", password, err)
		}
	}
	if most := strings.Repeat("x", maxPassword); Verify("{PLAIN}"+most, most) != nil {
		t.Error("the longest password does not match")
	}
}

// What cannot be verified is no mismatch, and the error keeps what is stored to itself.
func TestVerifyCannot(t *testing.T) {
	const sha512 = "Z6IQ9tt06/JwNECY0sSG6ul0ZqWO128hbK7f/cD3KVi71iAzh0iXAlRoikkRWH1yLN8ZQDjmUn/TE.aMCF4QO/"
	for s, want := range map[string]error{
		"{NTLM}x":           nil,
		"{SHA512.XYZ}x":     nil,
		"{SHA512.secret}x":  nil,
		"{secret}":          nil,
		"{secret}x":         nil,
		"{SECRET.HEX}x":     nil,
		"{SHA512.}x":        errMalformed,
		"{}x":               errMalformed,
		"{secret":           errMalformed,
		"{a secret}x":       errMalformed,
		"secret":            errForm,
		"abvOVwEVZZ8hM":     errForm, // DES
		"$plaintext$secret": errForm,
		"{SHA512-CRYPT}x":   errForm,
		"$2x$04$abcdefghijklmnopqrstuu.YJeZS3RBRf7EW4W1Dz8IJjkFAO5A/i": errForm,
		"{SHA}TkmXn7Dc4BFlDrJ6ET3l9TprS/E":                             errMalformed,
		"{SHA}secret==":                                                errMalformed,
		"{SHA.HEX}4e49979fb0dce011650eb27a113de5f53a6b4b":              errMalformed,
		"{SSHA.HEX}":     errMalformed,
		"{SSHA}c2VjcmV0": errMalformed,
		"{MD5}89ca":      errMalformed,
		"{CRAM-MD5}00":   errMalformed,
		"{PBKDF2}$2$salt$5000$7374f927891e4102e1a7a4a64ee589c003018001":     errMalformed,
		"{PBKDF2}$1$salt$0$7374f927891e4102e1a7a4a64ee589c003018001":        errMalformed,
		"{PBKDF2}$1$salt$99999999$7374f927891e4102e1a7a4a64ee589c003018001": errWork,
		"{PBKDF2}$1$salt$1$73":                         errMalformed,
		"{SCRAM-SHA-1}4096,c2FsdA==,c2FsdA==,c2FsdA==": errMalformed,
		"{SCRAM-SHA-1}4096,c2FsdA==":                   errMalformed,
		"{SCRAM-SHA-1}x,zUOm67tJdGSSz9p3m3SIOg==,1wg/idlH++8egciH7Nm6nO8/pbQ=,NtJd9pzOK3YDrrjj7WOIvkkz298=":        errMalformed,
		"{SCRAM-SHA-1}4096,zUOm67tJdGSSz9p3m3SIOg==,!,NtJd9pzOK3YDrrjj7WOIvkkz298=":                                errMalformed,
		"{SCRAM-SHA-1}99999999,zUOm67tJdGSSz9p3m3SIOg==,1wg/idlH++8egciH7Nm6nO8/pbQ=,NtJd9pzOK3YDrrjj7WOIvkkz298=": errWork,
		"$6$salt$secret":                                               errMalformed,
		"$6$aaaaaaaaaaaaaaaaa$" + sha512:                               errMalformed, // 17 octets of salt
		"$6$rounds=999$salt$" + sha512:                                 errMalformed,
		"$6$rounds=05000$salt$" + sha512:                               errMalformed,
		"$6$rounds=999999999$salt$" + sha512:                           errWork,
		"$6$rounds=1000,x=1$salt$" + sha512:                            errMalformed,
		"$6$rounds=1000$salt$" + sha512 + "$" + "x":                    errMalformed,
		"$2b$03$abcdefghijklmnopqrstuu0/DO20c4yQHHSqNjOEKYpOqLkmTM4ua": errMalformed,
		"$2b$31$abcdefghijklmnopqrstuu0/DO20c4yQHHSqNjOEKYpOqLkmTM4ua": errWork,
		"$2b$04$abcdefghijklmnopqrstuu":                                errMalformed,
		"$argon2id$v=19$m=65536,t=3,p=1$salt":                          errMalformed,
		"$argon2id$v=16$m=65536,t=3,p=1$5VBddXf2bV2x5vL1rWF78A$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY":   errMalformed,
		"$argon2id$v=19$m=65536,t=3$5VBddXf2bV2x5vL1rWF78A$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY":       errMalformed,
		"$argon2id$v=19$m=65536,t=0,p=1$5VBddXf2bV2x5vL1rWF78A$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY":   errMalformed,
		"$argon2id$v=19$m=0,t=1,p=0$5VBddXf2bV2x5vL1rWF78A$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY":       errMalformed,
		"$argon2id$v=19$m=8,t=1,p=2$5VBddXf2bV2x5vL1rWF78A$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY":       errMalformed,
		"$argon2id$v=19$m=8,t=1,p=1$5VBddXf2bV2x5vL1rWF78$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY":        errMalformed,
		"$argon2id$v=19$m=2097152,t=1,p=1$5VBddXf2bV2x5vL1rWF78A$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY": errWork,
		"$argon2id$v=19$m=1048576,t=9,p=1$5VBddXf2bV2x5vL1rWF78A$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY": errWork,
		"$y$jKT$abcdefghijklmnop$/OGkC0uL7Zh4MLTKlAvsShWLFUt5d62xGbr0yK0NyE6":                                 errWork,
		"$y$jzz$abcdefghijklmnop$/OGkC0uL7Zh4MLTKlAvsShWLFUt5d62xGbr0yK0NyE6":                                 errWork,
		"$y$/9T$abcdefghijklmnop$/OGkC0uL7Zh4MLTKlAvsShWLFUt5d62xGbr0yK0NyE6":                                 errMalformed,
		"{CRYPT}$1$saltsaltlong$O/pmvdEVcoTPvrpz6s3ma1":                                                       errMalformed,
		"{SHA512-CRYPT.B64}" + base64.StdEncoding.EncodeToString([]byte("$6$a:b$"+sha512)):                    errMalformed,
	} {
		err := Verify(s, "secret")
		if err == nil || errors.Is(err, ErrMismatch) || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if _, text, ok := strings.Cut(s, "}"); ok && len(text) > 1 && strings.Contains(err.Error(), text) || strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("%s: the error tells it: %v", s, err)
		}
	}
}

func TestScheme(t *testing.T) {
	for stored, want := range map[string]string{
		"":                                   "",
		"$6$salt$hash":                       "CRYPT",
		"secret":                             "CRYPT",
		"!":                                  "CRYPT",
		"{CRYPT}!":                           "CRYPT",
		"{plain}secret":                      "PLAIN",
		"{Ssha256.Hex}00":                    "SSHA256",
		"{SHA512-CRYPT}x":                    "SHA512-CRYPT",
		"{NTLM}x":                            "NTLM",
		"{des-crypt}x":                       "DES-CRYPT",
		"{secret}":                           Unknown,
		"{secret}$6$salt$hash":               Unknown,
		"{secret.HEX}x":                      Unknown,
		"{secret":                            Unknown,
		"{a secret}x":                        Unknown,
		"{}x":                                Unknown,
		"{":                                  Unknown,
		"{" + strings.Repeat("x", 40) + "}x": Unknown,
	} {
		if got := Scheme(stored); got != want {
			t.Errorf("the scheme of %q is %q, want %q", stored, got, want)
		}
	}
	for _, s := range stored {
		if got := Scheme(s); !strings.HasPrefix(strings.ToUpper(s)+"}", "{"+got) && got != "CRYPT" {
			t.Errorf("the scheme of %q is %q", s, got)
		}
	}
}

// What demands more than the bounds is not computed and no mismatch; what is within them is computed.
func TestWork(t *testing.T) {
	const (
		sha512 = "$salt$Z6IQ9tt06/JwNECY0sSG6ul0ZqWO128hbK7f/cD3KVi71iAzh0iXAlRoikkRWH1yLN8ZQDjmUn/TE.aMCF4QO/"
		sha256 = "$r.Ico6FXDpoTYILG$/wzSNKNGBuioTFDwiIHFEFrzB/vQP/SQhrLj9bIE/q0"
		bcrypt = "$abcdefghijklmnopqrstuu0/DO20c4yQHHSqNjOEKYpOqLkmTM4ua"
		argon2 = "$5VBddXf2bV2x5vL1rWF78A$y5m++iNkWIDqwi5onawQO2s25SNTf2A4tfxT61flGGY"
		yes    = "$abcdefghijklmnop$/OGkC0uL7Zh4MLTKlAvsShWLFUt5d62xGbr0yK0NyE6"
		pbkdf2 = "$7374f927891e4102e1a7a4a64ee589c003018001"
		scram  = ",zUOm67tJdGSSz9p3m3SIOg==,1wg/idlH++8egciH7Nm6nO8/pbQ=,NtJd9pzOK3YDrrjj7WOIvkkz298="
	)
	for _, tt := range []struct {
		octets         int // of the password
		within, beyond string
	}{
		{128, "$6$rounds=700000" + sha512, "$6$rounds=700001" + sha512},
		{128, "$5$rounds=700000" + sha256, "{SHA256-CRYPT}$5$rounds=700001" + sha256},
		{maxPassword, "$6$rounds=100000" + sha512, "$6$rounds=200000" + sha512},
		{maxPassword, "$5" + sha256, "$5$rounds=9999999" + sha256},
		{9, "$2b$14" + bcrypt, "$2b$15" + bcrypt},
		{9, "$2y$04" + bcrypt, "{BLF-CRYPT}$2y$31" + bcrypt},
		{9, "$argon2id$v=19$m=262144,t=3,p=1" + argon2, "$argon2id$v=19$m=262144,t=4,p=1" + argon2},
		{9, "$argon2id$v=19$m=65536,t=12,p=4" + argon2, "$argon2id$v=19$m=65536,t=13,p=4" + argon2},
		{9, "$argon2i$v=19$m=262144,t=1,p=1" + argon2, "{ARGON2I}$argon2i$v=19$m=262145,t=1,p=1" + argon2},
		{9, "$argon2id$v=19$m=8,t=98304,p=1" + argon2, "$argon2id$v=19$m=8,t=98305,p=1" + argon2},
		{9, "$y$jDT" + yes, "$y$jET" + yes},
		{9, "$y$jD." + yes, "$y$jDU" + yes},
		{9, "{PBKDF2}$1$salt$1500000" + pbkdf2, "{PBKDF2}$1$salt$1500001" + pbkdf2},
		{9, "{SCRAM-SHA-1}1500000" + scram, "{SCRAM-SHA-1}1500001" + scram},
	} {
		password := strings.Repeat("x", tt.octets)
		if err := demand(tt.within, password); err != nil {
			t.Errorf("%s is not computed: %v", tt.within, err)
		}
		if err := Verify(tt.beyond, password); !errors.Is(err, errWork) || errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v", tt.beyond, err)
		}
	}
}

// demand reads what is stored without doing the work.
func demand(stored, password string) error {
	_, text, err := parse(stored)
	switch {
	case err != nil:
	case strings.HasPrefix(stored, "{PBKDF2}"):
		_, err = parseRounds(strings.Split(text, "$")[3])
	case strings.HasPrefix(stored, "{SCRAM"):
		_, err = parseSCRAM(text, 20)
	default:
		_, err = parseCrypt(text, password)
	}
	return err
}

func TestHash(t *testing.T) {
	if !slices.Contains(Schemes(), Default) {
		t.Error("the default is no scheme")
	}
	for _, scheme := range Schemes() {
		one, err := Hash(scheme, secret)
		if err != nil || !strings.HasPrefix(one, "{"+scheme+"}") {
			t.Fatalf("%s: %q, %v", scheme, one, err)
		}
		if err := Verify(one, secret); err != nil {
			t.Errorf("%s: %v", one, err)
		}
		if err := Verify(one, "Secret pä"); err != ErrMismatch {
			t.Errorf("%s and another: %v", one, err)
		}
		other, err := Hash(strings.ToLower(scheme), secret)
		if err != nil || scheme != "CRAM-MD5" && one == other {
			t.Errorf("%s again: %q, %v", scheme, other, err)
		}
		if strings.ContainsAny(one, ": \n") {
			t.Errorf("%s does not go into a passwd-file", one)
		}
	}
}

func TestHashRefuses(t *testing.T) {
	for _, password := range []string{"", "a\x00", strings.Repeat("x", maxPassword+1)} {
		for _, scheme := range Schemes() {
			if got, err := Hash(scheme, password); err == nil {
				t.Errorf("%s of %.10q: %s", scheme, password, got)
			}
		}
	}
	if got, err := Hash("BLF-CRYPT", long); err == nil || !strings.Contains(err.Error(), "72") {
		t.Errorf("more than bcrypt takes: %s, %v", got, err)
	}
	for _, scheme := range []string{"", "PLAIN", "SHA", "DES-CRYPT", "x y"} {
		if got, err := Hash(scheme, secret); err == nil || !strings.Contains(err.Error(), Default) {
			t.Errorf("%q: %s, %v", scheme, got, err)
		}
	}
}
