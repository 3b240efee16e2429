package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// ofConfig are the flags whose variables package config reads, since files come after them.
var ofConfig = map[string]bool{
	"profile": true, "config-file": true, "region": true, "endpoint": true, "custom-domain": true,
	"credentials-uri": true, "role-arn": true, "help": true,
}

// variableOf returns the environment variable that stands for a flag.
func variableOf(flag string) string {
	return "VODUPLOAD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// setByEnvironment sets the flags that were not given from their variables, such as
// VODUPLOAD_PART_SIZE and VODUPLOAD_CHECKPOINT_DIR.
func (e env) setByEnvironment(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		value, found := e.lookup(variableOf(f.Name))
		if err != nil || f.Changed || !found || ofConfig[f.Name] {
			return
		}
		if bad := flags.Set(f.Name, value); bad != nil {
			err = usageError{fmt.Errorf("environment %s: %w", variableOf(f.Name), bad)}
		}
		f.Changed = false // a command that has no use for it need not refuse it
	})
	return err
}
