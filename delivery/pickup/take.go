package pickup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"lmtpd/protocol/smtp"
)

// visit does what is to be done about one name.
func (p *Pickup) visit(ctx context.Context, e fs.DirEntry) {
	name := e.Name()
	switch {
	case !p.retries.due(name, p.cfg.Now()):
	case strings.HasPrefix(name, "."):
		p.tidy(ctx, e)
	default:
		p.take(ctx, name)
	}
}

// tidy removes what somebody has begun to write and left.
func (p *Pickup) tidy(ctx context.Context, e fs.DirEntry) {
	info, err := e.Info()
	if err != nil || p.cfg.Now().Sub(info.ModTime()) < stale {
		return
	}
	p.discard(ctx, e.Name(), errors.New("left unfinished"))
}

// take takes the message in one file, from who it is for to its end.
func (p *Pickup) take(ctx context.Context, name string) {
	f, err := open(p.dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if _, none := errors.AsType[errNoFile](err); none {
		p.discard(ctx, name, err)
		return
	}
	if err == nil {
		defer f.close()
		err = f.read()
	}
	if errors.Is(err, errMalformed) || errors.Is(err, fs.ErrPermission) {
		p.setAside(ctx, name, err)
		return
	}
	if err != nil {
		p.putOff(ctx, name, err)
		return
	}
	if err := p.identify(f); err != nil {
		p.putOff(ctx, name, err)
		return
	}
	// What is under way when the daemon is told to stop is finished: it would arrive twice.
	p.conclude(ctx, f, p.submit(context.WithoutCancel(ctx), f))
}

// identify says in the envelope whose message it is.
func (p *Pickup) identify(f *file) (err error) {
	env := f.env
	env.ID, env.Size, env.Answers = p.cfg.NewID(), f.octets, smtp.OneForAll
	env.Session = env.ID
	// Registered is no word for how it came here (RFC 5321 §4.4 lets Received have one that is not).
	env.With, env.Peer.Hello = "local", "localhost"
	if f.uid == 0 || int(f.uid) == os.Geteuid() {
		env.Submitter = true
		return nil
	}
	env.Account, err = p.cfg.Account(f.uid)
	return err
}

// submit hands the message over, and returns the replies for the recipients, by number. If one of them is deferred nothing is
// taken, so that no file has to tell who has a message already.
func (p *Pickup) submit(ctx context.Context, f *file) []smtp.Reply {
	env, all := *f.env, f.env.Recipients
	env.Recipients = nil
	replies := make([]smtp.Reply, len(all))
	// First whose the reverse-path is: whatever else is wrong, nobody hears of it who is not the sender.
	if r := p.cfg.Handler.Sender(ctx, &env); !r.Positive() {
		f.disowned = true
		return slices.Repeat([]smtp.Reply{r}, len(all))
	}
	if r := p.refusal(f); !r.IsZero() {
		p.cfg.Handler.Abandon(&env)
		return slices.Repeat([]smtp.Reply{r}, len(all))
	}
	var accepted []int
	for i, to := range all {
		r := p.cfg.Handler.Recipient(ctx, &env, to)
		if replies[i] = r; r.Positive() {
			env.Recipients, accepted = append(env.Recipients, to), append(accepted, i)
		}
	}
	if len(accepted) == 0 || slices.ContainsFunc(replies, deferred) {
		p.cfg.Handler.Abandon(&env)
		return replies
	}
	content := f.reading()
	final := p.cfg.Handler.Deliver(ctx, &env, content)
	answer := verdict(final, content.err)
	for _, i := range accepted {
		replies[i] = answer
	}
	return replies
}

// refusal is what a message is refused for whoever it is from.
func (p *Pickup) refusal(f *file) smtp.Reply {
	switch {
	case p.cfg.MaxSize > 0 && f.octets > p.cfg.MaxSize:
		return tooBig
	case p.cfg.MaxRecipients > 0 && len(f.env.Recipients) > p.cfg.MaxRecipients:
		return tooMany
	}
	return smtp.Reply{}
}

// failed is the reply where there is none.
var failed = smtp.Reply{Code: 451, Status: smtp.StatusSystem, Text: "Temporary failure, try again later"}

// verdict is the one reply for a message, as a client would hear it: a doubt about one recipient is one about all, and only if
// all are served is it taken.
func verdict(replies []smtp.Reply, ended error) smtp.Reply {
	if refusal, ok := errors.AsType[smtp.Reply](ended); ok {
		return refusal
	}
	if len(replies) == 0 {
		return failed
	}
	worst := replies[0]
	for _, r := range replies[1:] {
		if r.Transient() && !worst.Transient() || r.Permanent() && worst.Positive() {
			worst = r
		}
	}
	if worst.IsZero() {
		return failed
	}
	return worst
}

// deferred says whether it is to be tried again: what is no reply is a doubt, too.
func deferred(r smtp.Reply) bool { return !r.Positive() && !r.Permanent() }

// conclude ends the attempt. What is deferred for longer than its life is refused with the last that was heard.
func (p *Pickup) conclude(ctx context.Context, f *file, replies []smtp.Reply) {
	now := p.cfg.Now()
	transient := slices.IndexFunc(replies, deferred)
	if transient >= 0 && (ctx.Err() != nil || now.Sub(f.written) < p.cfg.Life) {
		p.putOff(ctx, f.name, replies[transient])
		return
	}
	if !p.giveBack(ctx, f, replies) {
		return
	}
	if err := p.remove(f.name); err != nil {
		p.cfg.Log.ErrorContext(ctx, "a dropped message is not removed and will be taken again", "file", f.name, "cause", err)
		p.retries.later(f.name, now)
		return
	}
	delete(p.retries, f.name)
	p.cfg.Log.InfoContext(ctx, "took a dropped message", "id", f.env.ID, "file", f.name, "uid", f.uid, "account", f.env.Account,
		"from", f.env.From.String(), "size", f.octets, "recipients", len(replies))
}

// giveBack tells the sender of those who cannot have the message, and says whether the file is done with. It does not try
// again: the others would have theirs twice.
func (p *Pickup) giveBack(ctx context.Context, f *file, replies []smtp.Reply) bool {
	env := *f.env
	env.Recipients = nil
	var refused []smtp.Reply
	for i, r := range replies {
		if !r.Positive() {
			env.Recipients, refused = append(env.Recipients, f.env.Recipients[i]), append(refused, r)
		}
	}
	if len(refused) == 0 {
		return true
	}
	if f.disowned {
		env.From = p.account(f)
	}
	err := error(refused[0])
	if !env.From.IsNull() && p.cfg.Return != nil { // nobody is told of what nobody has sent (RFC 5321 §6.1)
		if err = p.cfg.Return(ctx, &env, f, refused); err == nil {
			return true
		}
	}
	p.setAside(ctx, f.name, err)
	return false
}

// account is the address of whose file it is, the null path where there is none.
func (p *Pickup) account(f *file) smtp.Path {
	if f.env.Account == "" {
		return smtp.Path{}
	}
	path, err := smtp.ParseMailbox(f.env.Account, smtp.UTF8)
	if err != nil {
		path = smtp.Path{Local: f.env.Account, Domain: p.cfg.Hostname}
	}
	return path
}

// putOff lets a file alone for a while.
func (p *Pickup) putOff(ctx context.Context, name string, cause error) {
	if ctx.Err() != nil {
		return
	}
	wait := p.retries.later(name, p.cfg.Now())
	p.cfg.Log.WarnContext(ctx, "a dropped message is deferred", "file", name, "wait", wait, "cause", cause)
}

// discard removes what is no message.
func (p *Pickup) discard(ctx context.Context, name string, cause error) {
	err := p.remove(name)
	if err == nil {
		p.cfg.Log.WarnContext(ctx, "removed from the dropped messages", "file", name, "cause", cause)
		return
	}
	p.putOff(ctx, name, errors.Join(cause, err)) // a directory with something in it, say
}

// remove removes a name for good.
func (p *Pickup) remove(name string) error {
	err := unix.Unlinkat(int(p.dir.Fd()), name, 0)
	if err == unix.EISDIR || err == unix.EPERM { // EPERM: POSIX has it for a directory
		err = unix.Unlinkat(int(p.dir.Fd()), name, unix.AT_REMOVEDIR)
	}
	if err != nil {
		return &os.PathError{Op: "remove", Path: name, Err: err}
	}
	return p.dir.Sync()
}

// setAside moves a file to where an operator may look at it, and it is not looked at again.
func (p *Pickup) setAside(ctx context.Context, name string, cause error) {
	to := filepath.Join(p.cfg.Aside, name)
	if err := os.Rename(filepath.Join(p.cfg.Dir, name), to); err != nil {
		p.putOff(ctx, name, errors.Join(cause, err))
		return
	}
	p.cfg.Log.ErrorContext(ctx, "set a dropped message aside", "file", to, "cause", cause)
}
