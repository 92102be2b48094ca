package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// normalize rewrites command lines that cobra does not understand:
//
//	-config FILE            → --config FILE             one dash, as package flag has it
//	--admin ADDRESS targets → targets --admin ADDRESS   flags before the command
//
// It leaves alone what is not a flag of any command, the value of a flag, and
// everything after "--".
func normalize(root *cobra.Command, args []string) []string {
	flags := map[string]*pflag.Flag{}
	collectFlags(root, flags)
	args = slices.Clone(args)
	leading := 0 // the number of arguments before the command
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		name, _, hasValue := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		flag := flags[name]
		if !strings.HasPrefix(args[i], "-") || flag == nil {
			continue
		}
		if !strings.HasPrefix(args[i], "--") {
			args[i] = "-" + args[i]
		}
		isLeading := leading == i
		if needsValue := flag.NoOptDefVal == ""; needsValue && !hasValue {
			i++
		}
		if isLeading {
			leading = i + 1
		}
	}
	if leading > 0 && leading < len(args) && !strings.HasPrefix(args[leading], "-") {
		return slices.Concat(args[leading:leading+1], args[:leading], args[leading+1:])
	}
	return args
}

// collectFlags adds the flags of a command and of all below it, by name.
func collectFlags(cmd *cobra.Command, flags map[string]*pflag.Flag) {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		set.VisitAll(func(f *pflag.Flag) { flags[f.Name] = f })
	}
	for _, child := range cmd.Commands() {
		collectFlags(child, flags)
	}
}
