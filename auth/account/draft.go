package account

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lmtpd/auth/account/textfile"
)

// ErrExists says that there is an account of that name already.
var ErrExists = errors.New("account exists already")

// ErrUnsayable says that a passwd-file cannot hold an account as it is.
var ErrUnsayable = errors.New("a passwd-file cannot say that: mind colons, blanks and groups")

// A Draft is a passwd-file that is being changed. It keeps comments, the order of lines, and every line that no
// change is asked for, octet by octet. Names are folded, and taken as they stand: no local-part is looked for.
type Draft struct {
	file  string
	lines []string // with their ends
}

// newDraft makes a draft of a file's text, of which it must be known that it has no mistakes.
func newDraft(file, text string) (*Draft, error) {
	if _, err := parseTable(file, text); err != nil {
		return nil, err
	}
	return &Draft{file: file, lines: slices.Collect(strings.Lines(text))}, nil
}

func (d *Draft) text() string { return strings.Join(d.lines, "") }

// List returns the accounts in the order of the file.
func (d *Draft) List() ([]Account, error) {
	t, err := parseTable(d.file, d.text())
	if err != nil {
		return nil, err // ErrUntold: every line was parsed before it was put in
	}
	return t.accounts, nil
}

// Account returns the account of a name, or ErrNotFound.
func (d *Draft) Account(name string) (Account, error) {
	i, err := d.find(name)
	if err != nil {
		return Account{}, err
	}
	return parseOne(d.lines[i])
}

// Add puts an account at the end of the file, or returns ErrExists. An account that a line cannot say, such as one
// with a colon in its password, is an error.
func (d *Draft) Add(a Account) error {
	a.Name = Fold(a.Name)
	if _, err := d.find(a.Name); err == nil {
		return fmt.Errorf("add %s: %w", a.Name, ErrExists)
	}
	line := formatAccount(a).join()
	if err := says(line, a); err != nil {
		return fmt.Errorf("add %q: %w", a.Name, err)
	}
	if n := len(d.lines); n > 0 {
		if text, end := textfile.CutEnd(d.lines[n-1]); end == "" {
			d.lines[n-1] = text + d.end()
		}
	}
	d.lines = append(d.lines, line+d.end())
	return nil
}

// SetPassword replaces the hash of an account; "" is none.
func (d *Draft) SetPassword(name, hash string) error {
	return d.change(name, func(a *Account, f *fields) {
		a.Password, f[fieldPassword] = hash, hash
	})
}

// SetDisabled bars an account from login and delivery, or lets it again.
func (d *Draft) SetDisabled(name string, to Disabled) error {
	return d.change(name, func(a *Account, f *fields) {
		a.Disabled = to
		kept := slices.DeleteFunc(f.options(), func(option string) bool {
			key, _, _ := strings.Cut(option, "=")
			return key == optionNoLogin || strings.TrimPrefix(key, "userdb_") == optionNoDelivery
		})
		f.setOptions(append(kept, to.options()...))
	})
}

// Remove takes the line of an account away. The last one leaves a comment, so that a file without accounts is told
// from one that was emptied by accident.
func (d *Draft) Remove(name string) error {
	i, err := d.find(name)
	if err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	end := d.end()
	d.lines = slices.Delete(d.lines, i, i+1)
	if strings.TrimSpace(d.text()) == "" {
		d.lines = append(d.lines, "# no accounts"+end)
	}
	return nil
}

// change rewrites the line of an account, and checks that it says what the account has become.
func (d *Draft) change(name string, edit func(*Account, *fields)) error {
	i, err := d.find(name)
	if err != nil {
		return fmt.Errorf("change %s: %w", name, err)
	}
	text, end := textfile.CutEnd(d.lines[i])
	a, err := parseOne(text)
	if err != nil {
		return fmt.Errorf("change %s: %w", name, err)
	}
	before, f := a, splitFields(text)
	if edit(&a, &f); a.equal(before) {
		return nil
	}
	line := f.join()
	if err := says(line, a); err != nil {
		return fmt.Errorf("change %s: %w", name, err)
	}
	d.lines[i] = line + end
	return nil
}

// find returns the index of an account's line.
func (d *Draft) find(name string) (int, error) {
	name = Fold(name)
	i := slices.IndexFunc(d.lines, func(line string) bool {
		text, _ := textfile.CutEnd(line)
		return isAccount(text) && Fold(splitFields(text)[fieldName]) == name
	})
	if i < 0 {
		return 0, ErrNotFound
	}
	return i, nil
}

// end is how lines end in this file.
func (d *Draft) end() string {
	if len(d.lines) > 0 {
		if _, end := textfile.CutEnd(d.lines[0]); end != "" {
			return end
		}
	}
	return "\n"
}

// parseOne reads a line that has one account. Its errors have no place: the line may be in no file yet.
func parseOne(line string) (Account, error) {
	t, err := parseTable("", line)
	if mistakes := (Mistakes)(nil); errors.As(err, &mistakes) {
		return Account{}, errors.New(mistakes[0].What)
	}
	if err != nil {
		return Account{}, err
	}
	if len(t.accounts) != 1 {
		return Account{}, errors.New("it is no line of a passwd-file")
	}
	return t.accounts[0], nil
}

// says checks that a line means an account and nothing else. What it means instead is not told: a hash may have slipped
// into a field that a mistake would quote.
func says(line string, a Account) error {
	got, err := parseOne(line)
	switch {
	case errors.Is(err, ErrUntold):
		return err
	case err != nil || !got.equal(a):
		return ErrUnsayable
	}
	return nil
}

// formatAccount is the inverse of parsing a line.
func formatAccount(a Account) (f fields) {
	f[fieldName], f[fieldPassword], f[fieldHome] = a.Name, a.Password, a.Home
	f[fieldUID], f[fieldGID] = formatID(a.UID), formatID(a.GID)
	var options []string
	if a.Mail != "" {
		options = append(options, "userdb_mail="+a.Mail)
	}
	if rule := a.Quota.rule(); rule != "" {
		options = append(options, "userdb_quota_rule="+rule)
	}
	f.setOptions(append(options, a.Disabled.options()...))
	return f
}

func formatID(id int) string {
	if id == -1 {
		return ""
	}
	return strconv.Itoa(id)
}

// options are the extra fields that say it.
func (d Disabled) options() (options []string) {
	if d.Login {
		options = append(options, optionNoLogin)
	}
	if d.Delivery {
		options = append(options, optionNoDelivery)
	}
	return options
}
