package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"percept/cmd/percept/internal/progress"
	"percept/internal/spelling"
)

// Values of --log-format.
const (
	logText = "text"
	logJSON = "json"
)

// logOptions are those of --quiet and --log-format, which have to be known before the flags are read: a wrong one is told as well.
func logOptions(args []string) (o progress.Options) {
	for i, a := range args {
		switch {
		case a == "--":
			return o
		case a == "--quiet" || a == "--quiet=true":
			o.Quiet = true
		case a == "--log-format="+logJSON, a == "--log-format" && i+1 < len(args) && args[i+1] == logJSON:
			o.JSON = true
		}
	}
	return o
}

// setLog has the log of a call follow the command's flags.
func setLog(c *call, cmd *cobra.Command) error {
	quiet, err := cmd.Flags().GetBool("quiet")
	if err != nil {
		return err
	}
	format, err := cmd.Flags().GetString("log-format")
	if err != nil {
		return err
	}
	if format != logText && format != logJSON {
		return fmt.Errorf("--log-format %q, expected %s or %s", format, logText, logJSON)
	}
	c.log.Set(progress.Options{Quiet: quiet, JSON: format == logJSON})
	return nil
}

// noArgs and oneArg say what was found and what was expected, and count as wrong usage.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasAvailableSubCommands() {
		return unknownCommand(cmd, args[0])
	}
	return usageError{fmt.Errorf("unknown argument %q for %q, expected none", args[0], cmd.CommandPath())}
}

func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%d arguments for %q, expected one: %s", len(args), cmd.CommandPath(), what)}
		}
		return nil
	}
}

// unknownCommand is the error for a word that is none of a command's subcommands.
func unknownCommand(cmd *cobra.Command, word string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = append(names, c.Name())
		}
	}
	of := ""
	if cmd.HasParent() {
		of = fmt.Sprintf(" of %q", cmd.CommandPath())
	}
	if like := nearest(word, names); like != "" {
		return usageError{fmt.Errorf("unknown command %q%s, did you mean %s?", word, of, like)}
	}
	return usageError{fmt.Errorf("unknown command %q%s, expected one of %s", word, of, strings.Join(names, ", "))}
}

// refuseUnknown has the help command end with an error where there is no command to help with.
func refuseUnknown(help *cobra.Command) {
	show := help.Run
	help.Run = nil
	help.RunE = func(cmd *cobra.Command, args []string) error {
		if of, rest, err := cmd.Root().Find(args); len(args) > 0 && (err != nil || len(rest) > 0 && of.HasAvailableSubCommands()) {
			return unknownCommand(of, rest[0])
		}
		show(cmd, args)
		return nil
	}
}

// flagError puts what the flag library says of a command line into the words that are used everywhere: what was found and
// what was expected.
func flagError(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &missing):
		// percept generat --prompt cat: the flag is unknown because the command is.
		if args := cmd.Flags().Args(); len(args) > 0 && cmd.HasAvailableSubCommands() {
			return unknownCommand(cmd, args[0])
		}
		return usageError{unknownFlag(cmd, missing)}
	case errors.As(err, &empty):
		f := empty.GetFlag()
		return usageError{fmt.Errorf("--%s has no value, expected %s", f.Name, kindOf(f, ""))}
	case errors.As(err, &bad):
		f := bad.GetFlag()
		return usageError{fmt.Errorf("--%s %q, expected %s", f.Name, bad.GetValue(), kindOf(f, bad.GetValue()))}
	case errors.As(err, &syntax):
		return usageError{fmt.Errorf("%s: no flag, expected --name or --name=value", syntax.GetSpecifiedFlag())}
	}
	return usageError{err}
}

func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	if short := e.GetSpecifiedShortnames(); short != "" {
		return fmt.Errorf("unknown flag -%s, expected flags with two dashes, such as --help", short)
	}
	name := e.GetSpecifiedName()
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if like := nearest(name, names); like != "" {
		return fmt.Errorf("unknown flag --%s, did you mean --%s?", name, like)
	}
	return fmt.Errorf("unknown flag --%s, expected one that %s --help lists", name, cmd.CommandPath())
}

// kindOf says what values a flag takes. The range of a whole number is that of its type, which is said where a number is
// beyond it; what else a command expects of it, it says itself.
func kindOf(f *pflag.Flag, value string) string {
	switch f.Value.Type() {
	case "int", "int64":
		if strings.Trim(value, "+-0123456789") == "" && strings.ContainsAny(value, "0123456789") {
			return "a whole number from -9223372036854775808 to 9223372036854775807"
		}
		return "a whole number"
	case "uint64":
		return "a whole number from 0 to 18446744073709551615"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	}
	what, _ := pflag.UnquoteUsage(f)
	if what == "" || what == "string" || what == "strings" || what == "stringArray" {
		return "a text"
	}
	return "a value: " + what
}

// nearest is the name that a mistyped word was most likely meant to be, or empty: one with few letters to change, or the
// only one that begins so.
func nearest(word string, names []string) string {
	best := spelling.Nearest(word, names, 1+max(1, min(3, len(word)/3)))
	if best != "" || len(word) < 2 {
		return best
	}
	for _, name := range names {
		if strings.HasPrefix(name, word) {
			if best != "" {
				return ""
			}
			best = name
		}
	}
	return best
}
