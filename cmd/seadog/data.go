package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/deployer"
)

// data is what the commands have in common that look at the data directory of
// a service on this machine, and so work when it answers nobody.
type data struct {
	env    *env
	config string
	dir    string
	json   bool
}

// command gives cmd the flags and manners of such a command.
func (d *data) command(cmd *cobra.Command, exitCodes string) *cobra.Command {
	cmd.Flags().StringVar(&d.dir, "data", "", "data `directory` of the service (default: the one in its configuration)")
	cmd.Flags().StringVarP(&d.config, "config", "c", "", "configuration `file` (default: $SEADOG_CONFIG, ./seadog.yml or /etc/seadog/seadog.yml)")
	cmd.Flags().BoolVar(&d.json, "json", false, "print JSON")
	cmd.Long = cmp.Or(cmd.Long, cmd.Short+".") + exitCodes
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return deployer.Errorf(deployer.CodeInvalid, "%v", err).WithHint("%s --help lists the flags", cmd.CommandPath())
	})
	return cmd
}

// path returns where something in the data directory is.
func (d *data) path(name string) (string, error) {
	if d.dir == "" {
		c, err := config.Load(d.config, config.Options{Getenv: d.env.Getenv, Insecure: true})
		if err != nil {
			return "", deployer.Errorf(deployer.CodeInvalid, "the configuration does not tell where the data is:\n%v", err).
				WithHint("--data names the directory")
		}
		d.dir = c.Data
	}
	switch info, err := os.Stat(d.dir); {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir():
		return "", deployer.Errorf(deployer.CodeNotFound, "there is no data directory %s", d.dir).
			WithHint("the service makes it when it starts; --data names another")
	case err != nil:
		return "", d.explain(err)
	}
	return filepath.Join(d.dir, name), nil
}

// explain adds what to do about an error that only other users do not get.
func (d *data) explain(err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return deployer.Errorf(deployer.CodeForbidden, "user %d may not look at this service: %v", os.Geteuid(), err).
		WithHint("run this as the user of the service, or as root")
}

func (d *data) printJSON(value any) error {
	enc := json.NewEncoder(d.env.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
