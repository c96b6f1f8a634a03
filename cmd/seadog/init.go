package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/cmd/seadog/scaffold"
	"github.com/seadog/seadog/deployer"
)

// newInitCommand builds "seadog init".
func newInitCommand(e *env) *cobra.Command {
	start := initial{env: e}
	var kind string
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a complete, commented configuration and its secrets",
		Long: `Write DIR/seadog.yml, which holds every key with its explanation, and below
DIR/secrets an API token and a webhook secret, random and readable only by you.
Nothing that exists is ever overwritten.

With --print nothing is written: one file for production goes to stdout.`,
		Example: `  seadog init /etc/seadog --project web --repository git@github.com:you/web.git
  seadog init --print systemd > /etc/systemd/system/seadog.service`,
		Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := start.validate(); err != nil {
				return err
			}
			if kind != "" {
				text, err := scaffold.Print(kind, start.example)
				if err != nil {
					return deployer.Errorf(deployer.CodeInvalid, "%v", err)
				}
				_, err = fmt.Fprint(e.Stdout, text)
				return err
			}
			start.dir = "."
			if len(args) == 1 {
				start.dir = args[0]
			}
			start.decided = cmd.Flags().Changed("secrets")
			return start.run()
		},
	}
	cmd.Flags().StringVar(&kind, "print", "", "print one of "+strings.Join(scaffold.Kinds(), ", "))
	cmd.Flags().StringVar(&start.example.Project, "project", "example", "name of the first project")
	cmd.Flags().StringVar(&start.example.Repository, "repository", "", "its repository")
	cmd.Flags().StringVar(&start.example.Provider, "provider", string(deployer.GitHub), "who sends its webhooks")
	cmd.Flags().BoolVar(&start.secrets, "secrets", true, "make the secrets that do not exist yet (default: if DIR/secrets does not exist)")
	return cmd
}

// initial is a new installation.
type initial struct {
	env     *env
	dir     string
	example scaffold.Example
	secrets bool // as the flag says
	decided bool // whether it says so
}

func (i *initial) validate() error {
	if !deployer.ValidName(i.example.Project) {
		return deployer.Errorf(deployer.CodeInvalid, "%q cannot name a project", i.example.Project).
			WithHint("use lower-case letters, digits, - and _")
	}
	if !slices.Contains(deployer.Providers(), deployer.Provider(i.example.Provider)) {
		return deployer.Errorf(deployer.CodeInvalid, "%q is not a provider", i.example.Provider).
			WithHint("the providers are %v", deployer.Providers())
	}
	return nil
}

func (i *initial) run() error {
	file, secrets := filepath.Join(i.dir, "seadog.yml"), filepath.Join(i.dir, "secrets")
	if _, err := os.Lstat(file); err == nil {
		return deployer.Errorf(deployer.CodeConflict, "%s exists", file).
			WithHint("it is never overwritten; seadog init --print config shows a new one")
	}
	text, err := scaffold.Config(i.example)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(i.dir, 0o750); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	_, err = os.Lstat(secrets)
	if fresh := errors.Is(err, fs.ErrNotExist); i.secrets && (fresh || i.decided) {
		if err := i.makeSecrets(secrets); err != nil {
			return err
		}
	}
	if _, err := create(file, text, 0o640); err != nil {
		return err
	}
	fmt.Fprintln(i.env.Stdout, "wrote", file)
	if _, err := config.Load(file, config.Options{Getenv: i.env.Getenv}); err != nil {
		fmt.Fprintln(i.env.Stderr, printableLines(err.Error()))
		return &exitError{Code: exitFailed}
	}
	i.explain(file, secrets)
	return nil
}

func (i *initial) makeSecrets(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of the secrets: %w", err)
	}
	for _, name := range []string{"token", i.example.Project} {
		path := filepath.Join(dir, name)
		raw := make([]byte, 32)
		rand.Read(raw) // never fails
		made, err := create(path, hex.EncodeToString(raw)+"\n", 0o600)
		if err != nil {
			return err
		}
		what := "kept"
		if made {
			what = "wrote"
		}
		fmt.Fprintln(i.env.Stdout, what, path)
	}
	return nil
}

// create writes a file that must not exist; made is false if it does.
func create(path, text string, mode fs.FileMode) (made bool, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("create a file: %w", err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, fmt.Errorf("write %s: %w", path, err)
	}
	return true, nil
}

func (i *initial) explain(file, secrets string) {
	fmt.Fprintf(i.env.Stdout, `
Next:
  1. Say what is deployed: the section projects in %[1]s
  2. seadog check %[1]s
  3. seadog serve --config %[1]s
  4. Where the repository is hosted, add a webhook for pushes:
       URL           https://YOUR-HOST/hooks/%[2]s
       content type  application/json
       secret        what is in %[3]s
  5. export SEADOG_TOKEN="$(cat %[4]s)"; seadog status
     or sign in with that token in a browser: http://127.0.0.1:8787
`, file, i.example.Project, filepath.Join(secrets, i.example.Project), filepath.Join(secrets, "token"))
}
