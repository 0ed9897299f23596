package pickup

import (
	"io"

	"lmtpd/protocol/smtp"
)

// What a message is refused for before anybody is asked.
var (
	strayLineEnd = smtp.Reply{Code: 550, Status: smtp.StatusSyntax, Text: "Content has a CR or LF alone"}
	tooBig       = smtp.Reply{Code: 552, Status: smtp.StatusTooBig, Text: "Message too big"}
	tooMany      = smtp.Reply{Code: 550, Status: smtp.StatusTooManyRecipients, Text: "Too many recipients"}
)

// A reading is the content of a file as it is handed on: io.EOF only where all of it was there, in lines that end in CRLF.
// A line end of another kind could be taken for one by the next server, and what follows for commands.
type reading struct {
	src  io.Reader
	left int64
	ends smtp.LineEnds
	err  error // what ended it
}

func (f *file) reading() *reading {
	return &reading{src: io.NewSectionReader(f.content, 0, f.octets), left: f.octets}
}

// Read implements io.Reader. A refusal is the reply for every recipient.
func (r *reading) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.src.Read(p)
	r.left -= int64(n)
	r.ends.Look(p[:n])
	if err == io.EOF {
		r.ends.End()
		switch {
		case r.left != 0: // it was cut while we read
			err = io.ErrUnexpectedEOF
		case r.ends.Bare():
			err = strayLineEnd
		}
	}
	r.err = err
	return n, err
}
