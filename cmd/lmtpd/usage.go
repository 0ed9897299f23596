package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/urfave/cli/v2"
)

// strict makes cmd and the commands below it refuse what the library would pass over: unknown flags and
// commands, flags after an argument (which it would take for arguments), and arguments nobody asked for.
func strict(cmd *cli.Command) {
	cmd.OnUsageError = usageError
	// Without this, "help" and "h" could not be given as arguments.
	cmd.HideHelpCommand = true
	if len(cmd.Subcommands) > 0 {
		cmd.Action = unknownCommand
	} else {
		cmd.Action = countArguments(cmd.Action)
	}
	for _, sub := range cmd.Subcommands {
		strict(sub)
	}
}

// usageError words what the library says of flags.
func usageError(c *cli.Context, err error, _ bool) error {
	const undefined = "flag provided but not defined: -"
	name, ok := strings.CutPrefix(err.Error(), undefined)
	if !ok {
		return usage(c, "%s", strings.ReplaceAll(err.Error(), " -", " --"))
	}
	var known []string
	for _, f := range c.Command.Flags {
		known = append(known, f.Names()...)
	}
	dashes := "--"
	if len(name) == 1 {
		dashes = "-"
	}
	return usage(c, "unknown flag %s%s%s", dashes, name, didYouMean("--", name, known))
}

// unknownCommand is the action of what has only subcommands.
func unknownCommand(c *cli.Context) error {
	name := c.Args().First()
	if name == "" {
		c.App.Writer = c.App.ErrWriter
		if err := cli.ShowSubcommandHelp(c); err != nil {
			return err
		}
		return cli.Exit("", exUsage)
	}
	var known []string
	for _, sub := range c.Command.Subcommands {
		known = append(known, sub.Names()...)
	}
	return usage(c, "unknown command %q%s", name, didYouMean("", name, known))
}

// countArguments wraps action so that it sees as many arguments as the command's ArgsUsage allows.
func countArguments(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		args := c.Args().Slice()
		least, most := arity(c.Command.ArgsUsage)
		if flag := misplacedFlag(args); flag != "" {
			return usage(c, "%s after an argument: flags come first", flag)
		}
		switch {
		case len(args) > most:
			return usage(c, "unexpected argument %q", args[most])
		case len(args) < least:
			return usage(c, "missing argument: %s", strings.Fields(c.Command.ArgsUsage)[len(args)])
		}
		return action(c)
	}
}

// misplacedFlag finds a flag behind an argument. What begins with a dash in the first place stands behind a
// "--", so the rest are arguments too.
func misplacedFlag(args []string) string {
	for i, arg := range args {
		if len(arg) > 1 && arg[0] == '-' {
			if i == 0 {
				return ""
			}
			return arg
		}
	}
	return ""
}

// arity reads how many arguments a usage like "A [ID]" or "A ID…" means.
func arity(usage string) (least, most int) {
	for word := range strings.FieldsSeq(usage) {
		if !strings.HasPrefix(word, "[") {
			least++
		}
		most++
		if strings.Contains(word, "…") || strings.Contains(word, "...") {
			most = math.MaxInt
			break
		}
	}
	return least, most
}

func usage(c *cli.Context, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return cli.Exit(fmt.Sprintf("%s (see %s --help)", text, c.Command.HelpName), exUsage)
}
