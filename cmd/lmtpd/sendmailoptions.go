package main

import (
	"fmt"
	"strings"

	"lmtpd/protocol/smtp"
)

// sendmailOptions are what a command line in the manner of sendmail says.
type sendmailOptions struct {
	mode    sendmailMode
	extract bool // -t: recipients are those of the header, too
	dots    bool // -i: a dot on a line of its own is text
	verbose bool
	help    bool

	sender   *string // -f: the reverse-path; nil: not given
	fullName string  // -F
	config   string

	body   smtp.Body
	notify smtp.Notify
	ret    smtp.Ret
	envID  string

	recipients []string
}

// sendmailMode is what is to be done, as -b and the name of the program have it.
type sendmailMode int

const (
	modeMessage sendmailMode = iota // send the message on standard input
	modeSession                     // ESMTP on standard input and output
	modeQueue                       // print the queue
	modeNothing                     // what is done by itself here: aliases are read anew, the queue is run
)

// argument says what of a command line belongs to an option.
type argument int

const (
	noArgument   argument = iota
	ownArgument           // the rest of the word, or else the next one
	restArgument          // the rest of the word, which may be nothing
)

// A sendmailOption is one letter. set may be nil: it means nothing here.
type sendmailOption struct {
	argument argument
	set      func(o *sendmailOptions, value string) error
}

// sendmailLetters are the options that Postfix's sendmail knows, and those of Sendmail that programs use.
func sendmailLetters() map[byte]sendmailOption {
	return map[byte]sendmailOption{
		'A': {ownArgument, nil}, // which configuration
		'B': {ownArgument, (*sendmailOptions).setBody},
		'C': {ownArgument, func(o *sendmailOptions, v string) error { o.config = v; return nil }},
		'E': {noArgument, nil},
		'F': {ownArgument, func(o *sendmailOptions, v string) error { o.fullName = v; return nil }},
		'G': {noArgument, nil}, // from a gateway
		'I': {noArgument, func(o *sendmailOptions, _ string) error { o.mode = modeNothing; return nil }},
		'L': {ownArgument, nil}, // label in the log
		'N': {ownArgument, (*sendmailOptions).setNotify},
		'O': {ownArgument, nil}, // option=value
		'R': {ownArgument, (*sendmailOptions).setRet},
		'U': {noArgument, nil}, // first submission
		'V': {ownArgument, (*sendmailOptions).setEnvID},
		'X': {ownArgument, nil}, // a log of the dialogue
		'b': {ownArgument, (*sendmailOptions).setMode},
		'c': {noArgument, nil},
		'd': {restArgument, nil}, // debugging
		'e': {ownArgument, nil},  // how errors are told
		'f': {ownArgument, (*sendmailOptions).setSender},
		'h': {ownArgument, nil}, // hops
		'i': {noArgument, func(o *sendmailOptions, _ string) error { o.dots = true; return nil }},
		'm': {noArgument, nil}, // the sender too
		'n': {noArgument, nil}, // no aliases
		'o': {ownArgument, func(o *sendmailOptions, v string) error { o.dots = o.dots || v == "i"; return nil }},
		'p': {ownArgument, nil}, // protocol
		'q': {restArgument, func(o *sendmailOptions, _ string) error { o.mode = modeNothing; return nil }},
		'r': {ownArgument, (*sendmailOptions).setSender},
		't': {noArgument, func(o *sendmailOptions, _ string) error { o.extract = true; return nil }},
		'v': {noArgument, func(o *sendmailOptions, _ string) error { o.verbose = true; return nil }},
		'x': {noArgument, nil},
	}
}

// parseSendmail reads arguments as getopt(3) does: options may stand together in one word, and come before all recipients; "--"
// ends them. --config and --help are ours.
func parseSendmail(args []string) (o sendmailOptions, err error) {
	letters := sendmailLetters()
	for len(args) > 0 {
		word := args[0]
		if word == "--" {
			o.recipients = args[1:]
			return o, nil
		}
		if len(word) < 2 || word[0] != '-' {
			break
		}
		args = args[1:]
		if strings.HasPrefix(word, "--") {
			args, err = o.long(word[2:], args)
		} else {
			args, err = o.short(letters, word[1:], args)
		}
		if err != nil {
			return o, err
		}
	}
	for _, to := range args {
		if strings.HasPrefix(to, "-") {
			return o, fmt.Errorf("%s after a recipient: options come first", to)
		}
	}
	o.recipients = args
	return o, nil
}

// short reads the letters of one word, and returns the words that are left.
func (o *sendmailOptions) short(letters map[byte]sendmailOption, word string, args []string) ([]string, error) {
	for ; word != ""; word = word[1:] {
		option, known := letters[word[0]]
		if !known {
			return nil, fmt.Errorf("unknown option -%.1s", word)
		}
		value, letter := "", word[:1]
		if option.argument != noArgument {
			value, word = word[1:], letter
		}
		if option.argument == ownArgument && value == "" {
			if len(args) == 0 {
				return nil, fmt.Errorf("-%s has no value", letter)
			}
			value, args = args[0], args[1:]
		}
		if option.set == nil {
			continue
		}
		if err := option.set(o, value); err != nil {
			return nil, fmt.Errorf("-%s %q: %w", letter, value, err)
		}
	}
	return args, nil
}

func (o *sendmailOptions) long(word string, args []string) ([]string, error) {
	name, value, given := strings.Cut(word, "=")
	switch {
	case name == "help" && !given:
		o.help = true
		return args, nil
	case name != "config":
		return nil, fmt.Errorf("unknown option --%s", name)
	case !given && len(args) > 0:
		value, args = args[0], args[1:]
	}
	if value == "" {
		return nil, fmt.Errorf("--config is empty")
	}
	o.config = value
	return args, nil
}

func (o *sendmailOptions) setMode(v string) error {
	switch v {
	case "m":
		o.mode = modeMessage
	case "s":
		o.mode = modeSession
	case "p":
		o.mode = modeQueue
	case "i":
		o.mode = modeNothing
	case "d", "D":
		return fmt.Errorf("the daemon is lmtpd serve")
	default:
		return fmt.Errorf("m, s, p or i")
	}
	return nil
}

func (o *sendmailOptions) setSender(v string) error {
	o.sender = &v
	return nil
}

func (o *sendmailOptions) setBody(v string) (err error) {
	o.body, err = smtp.ParseBody(smtp.Upper(v))
	if o.body == smtp.BodyBinary {
		err = fmt.Errorf("what is read has lines")
	}
	return err
}

func (o *sendmailOptions) setNotify(v string) (err error) {
	o.notify, err = smtp.ParseNotify(v)
	return err
}

func (o *sendmailOptions) setRet(v string) (err error) {
	o.ret, err = smtp.ParseRet(v)
	return err
}

func (o *sendmailOptions) setEnvID(v string) error {
	o.envID = v
	_, err := smtp.ParseEnvID(string(smtp.AppendXtext(nil, v)))
	return err
}
