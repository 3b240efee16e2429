package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
)

// completeChoices has the shells complete the flags that are one of several words.
func completeChoices(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if choice, ok := f.Value.(*flagtype.Choice); ok {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(choice.Of, cobra.ShellCompDirectiveNoFileComp))
		}
	})
	for _, sub := range cmd.Commands() {
		completeChoices(sub)
	}
}
