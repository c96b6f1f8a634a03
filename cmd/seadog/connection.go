package main

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
)

const (
	defaultURL = "http://127.0.0.1:8787"
	// completionPatience is how long the shell may hang because of us.
	completionPatience = time.Second
)

// connection is what the commands that speak to a running service have in
// common: where it is, who asks, and how the answer is shown.
type connection struct {
	env       *env
	url       string
	tokenFile string
	json      bool
}

// command gives cmd the flags and manners of a client.
func (c *connection) command(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&c.url, "url", "", "address of the service: http://…, https://… or unix:/path (default $SEADOG_URL or "+defaultURL+")")
	cmd.Flags().StringVar(&c.tokenFile, "token-file", "", "file that holds the API token (default: the token in $SEADOG_TOKEN)")
	cmd.Flags().BoolVar(&c.json, "json", false, "print the API's answer as JSON")
	cmd.Long = cmp.Or(cmd.Long, cmd.Short+".") + exitCodesHelp
	cmd.SilenceUsage = true
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return deployer.Errorf(deployer.CodeInvalid, "%v", err).WithHint("%s --help lists the flags", cmd.CommandPath())
	})
	return cmd
}

// open returns a client for the service that the flags and the environment name.
func (c *connection) open() (*client.Client, error) {
	token := strings.TrimSpace(c.env.Getenv("SEADOG_TOKEN"))
	if c.tokenFile != "" {
		content, err := os.ReadFile(c.tokenFile)
		if err != nil {
			return nil, deployer.Errorf(deployer.CodeInvalid, "the token cannot be read").Because(err)
		}
		token = strings.TrimSpace(string(content))
	}
	return client.New(client.Config{
		URL:   cmp.Or(c.url, c.env.Getenv("SEADOG_URL"), defaultURL),
		Token: deployer.NewSecret(token),
	})
}

func (c *connection) terminal() *terminal { return terminalOf(c.env, c.env.Stdout) }

// show writes an answer of the API: as JSON if that was asked for, otherwise
// as people writes it.
func (c *connection) show(answer any, people func(*terminal) error) error {
	if !c.json {
		return people(c.terminal())
	}
	enc := json.NewEncoder(c.env.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(answer)
}

// completion proposes something for the argument at the cursor.
type completion func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective)

// ask is a completion of the first argument by a question to the service. A
// service that does not answer at once completes nothing and says nothing.
func (c *connection) ask(question func(context.Context, *client.Client) ([]string, error)) completion {
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		cl, err := c.open()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer cl.Close()
		ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
		defer cancel()
		words, err := question(ctx, cl)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var fitting []string
		for _, w := range words {
			if strings.HasPrefix(w, prefix) {
				fitting = append(fitting, w)
			}
		}
		return fitting, cobra.ShellCompDirectiveNoFileComp
	}
}

// projectNames completes the names of projects.
func (c *connection) projectNames() completion {
	return c.ask(func(ctx context.Context, cl *client.Client) ([]string, error) {
		list, err := cl.Projects(ctx)
		names := make([]string, len(list.Projects))
		for i, p := range list.Projects {
			names[i] = p.Name
		}
		return names, err
	})
}

// deploymentIDs completes the ids of the newest deployments that are in one of
// the statuses, or of all if there is none.
func (c *connection) deploymentIDs(statuses ...deployer.Status) completion {
	return c.ask(func(ctx context.Context, cl *client.Client) ([]string, error) {
		list, err := cl.Deployments(ctx, deployer.DeploymentFilter{Statuses: statuses})
		ids := make([]string, len(list.Deployments))
		for i, d := range list.Deployments {
			ids[i] = strconv.FormatInt(d.ID, 10) + "\t" + d.Project + " " + string(d.Status)
		}
		return ids, err
	})
}

// number reads the id of a deployment or delivery.
func number(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 {
		return 0, deployer.Errorf(deployer.CodeInvalid, "%q is no id", s).WithHint("ids are numbers; `seadog status` shows them")
	}
	return id, nil
}
