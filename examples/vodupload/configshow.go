package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

func newConfig(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Shows the configuration",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var origin bool
	show := &cobra.Command{
		Use:   "show",
		Short: "Shows the settings, without secrets",
		Long: `Shows the settings, without secrets. Each is taken from the first place that has it:

  1. flags
  2. VODUPLOAD_ACCESS_KEY_ID, _ACCESS_KEY_SECRET, _SECURITY_TOKEN, _REGION, _ENDPOINT,
     _CUSTOM_DOMAIN, _PROFILE, _CONFIG_FILE, _CREDENTIALS_URI, _ROLE_ARN
  3. OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN, OSS_REGION, OSS_ENDPOINT
  4. ALIBABA_CLOUD_ACCESS_KEY_ID and the other variables of Alibaba Cloud's SDKs
  5. a profile of ~/.ossutilconfig (of ossutil 1 and 2) or ~/.aliyun/config.json
  6. the role of the ECS instance, for credentials

These files are read and never written.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.showConfig(origin) },
	}
	show.Flags().BoolVar(&origin, "origin", false, "show where each setting comes from, too")
	cmd.AddCommand(show)
	return cmd
}

func (a *app) showConfig(origin bool) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	if a.global.json {
		report := a.reporter()
		for _, s := range c.Settings() {
			report.Emit(output.Event{Type: "setting", Name: s.Name, Value: s.Value, Origin: s.Origin})
		}
		report.Close(exitOK)
		return nil
	}
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, s := range c.Settings() {
		value := s.Value
		if value == "" {
			value = "-"
		}
		line := s.Name + "\t" + output.Safe(value)
		if origin {
			line += "\t" + output.Safe(s.Origin)
		}
		if _, err := fmt.Fprintln(table, line); err != nil {
			return err
		}
	}
	return table.Flush()
}
