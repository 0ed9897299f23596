package smtptest

import "strings"

// Diff returns the lines in which got differs from want, with their surroundings; "" if it does not.
func Diff(got, want string) string {
	if got == want {
		return ""
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var d strings.Builder
	write := func(mark string, lines []string) {
		for _, l := range lines {
			d.WriteString(mark + l + "\n")
		}
	}
	write("  ", a[max(0, head-3):head])
	write("- ", a[head:len(a)-tail])
	write("+ ", b[head:len(b)-tail])
	write("  ", a[len(a)-tail:min(len(a), len(a)-tail+3)])
	return d.String()
}
