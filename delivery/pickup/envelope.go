package pickup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"lmtpd/protocol/smtp"
)

// errMalformed says that a file is no message.
var errMalformed = errors.New("malformed message")

// maxOriginal bounds an original recipient, as ORCPT= does (RFC 3461 §4.2).
const maxOriginal = 500

// maxEnvID bounds an envelope ID, as ENVID= does (RFC 3461 §4.4).
const maxEnvID = 100

// An envelope is what stands of an smtp.Envelope in a file.
type envelope struct {
	From       string      `json:"from"` // "": the null reverse-path
	Recipients []recipient `json:"recipients"`
	Body       string      `json:"body,omitempty"`
	UTF8       bool        `json:"utf8,omitempty"`
	Ret        string      `json:"ret,omitempty"`
	EnvID      string      `json:"envid,omitempty"`
}

type recipient struct {
	To       string `json:"to"`
	Notify   string `json:"notify,omitempty"`
	Original string `json:"original,omitempty"` // type;address, neither of them encoded
}

// marshal writes what a file keeps of an envelope.
func marshal(env *smtp.Envelope) ([]byte, error) {
	e := envelope{From: env.From.String(), Body: string(env.Body), UTF8: env.UTF8 == smtp.UTF8, Ret: string(env.Ret), EnvID: env.EnvID}
	for _, r := range env.Recipients {
		to := recipient{To: r.To.String(), Notify: r.Notify.String()}
		if !r.Original.IsZero() {
			to.Original = r.Original.Type + ";" + r.Original.Address
		}
		e.Recipients = append(e.Recipients, to)
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b) // ends with LF
	out.SetEscapeHTML(false)
	if err := out.Encode(e); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// unmarshal reads an envelope. Strangers have written it, so that it is held to all that MAIL and RCPT are.
func unmarshal(b []byte) (*smtp.Envelope, error) {
	var e envelope
	in := json.NewDecoder(bytes.NewReader(b))
	in.DisallowUnknownFields()
	if err := in.Decode(&e); err != nil {
		return nil, fmt.Errorf("%w: envelope: %w", errMalformed, err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something after the envelope", errMalformed)
	}
	env, err := e.parse()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return env, nil
}

func (e *envelope) parse() (env *smtp.Envelope, err error) {
	env = &smtp.Envelope{EnvID: e.EnvID}
	if e.UTF8 {
		env.UTF8 = smtp.UTF8
	}
	if e.From != "" {
		if env.From, err = smtp.ParseMailbox(e.From, env.UTF8); err != nil {
			return nil, fmt.Errorf("reverse-path %q: %w", e.From, err)
		}
	}
	if e.Body != "" {
		if env.Body, err = smtp.ParseBody(e.Body); err != nil {
			return nil, fmt.Errorf("body %q: %w", e.Body, err)
		}
	}
	if e.Ret != "" {
		if env.Ret, err = smtp.ParseRet(e.Ret); err != nil {
			return nil, fmt.Errorf("ret %q: %w", e.Ret, err)
		}
	}
	if len(e.EnvID) > maxEnvID || !isText(e.EnvID) {
		return nil, fmt.Errorf("envelope ID %q: %w", e.EnvID, smtp.ErrBadParameter)
	}
	if len(e.Recipients) == 0 {
		return nil, errors.New("no recipients")
	}
	for _, r := range e.Recipients {
		to, err := r.parse(env.UTF8)
		if err != nil {
			return nil, fmt.Errorf("recipient %q: %w", r.To, err)
		}
		env.Recipients = append(env.Recipients, to)
	}
	return env, nil
}

func (r recipient) parse(enc smtp.Encoding) (to smtp.Recipient, err error) {
	if to.To, err = smtp.ParseMailbox(r.To, enc); err != nil {
		return to, err
	}
	if r.Notify != "" {
		if to.Notify, err = smtp.ParseNotify(r.Notify); err != nil {
			return to, err
		}
	}
	if r.Original == "" {
		return to, nil
	}
	kind, address, _ := strings.Cut(r.Original, ";")
	// The type is read as it stands in a command; the address may hold what is encoded there.
	o, err := smtp.ParseOriginalRecipient(kind + ";x")
	if err != nil || address == "" || len(r.Original) > maxOriginal || !isText(address) {
		return to, fmt.Errorf("original %q: %w", r.Original, smtp.ErrBadParameter)
	}
	to.Original = smtp.OriginalRecipient{Type: o.Type, Address: address}
	return to, nil
}

// isText says whether s may stand in a header field or in a log.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }
