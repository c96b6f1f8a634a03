package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
)

// Exit codes. Scripts branch on them: they never change their meaning.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitConflict    = 4
	exitDenied      = 5
	exitUnreachable = 6
	exitInterrupted = 130
)

// exitCodesHelp ends the help of every command that speaks to a service.
const exitCodesHelp = `

Exit codes:
  0    done; with --follow or --wait: the deployment succeeded
  1    the deployment ended without success
  2    wrong usage, or the service refused the request as invalid
  3    no such project, deployment or delivery
  4    not possible in the present state
  5    the token is missing, unknown, or does not reach that far
  6    the service cannot be reached, did not answer in time, or is in trouble
  130  interrupted; a deployment that was watched goes on`

// exitError ends the program with Code. Err is printed unless it is nil:
// then everything that is to be said has been said.
type exitError struct {
	Code int
	Err  error
}

func (e *exitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

func (e *exitError) Unwrap() error { return e.Err }

// exitCode maps the error of a command to the code that the program ends with.
func exitCode(err error) int {
	var exit *exitError
	var told *deployer.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.Code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case !errors.As(err, &told):
		return exitFailed
	}
	switch told.Code {
	case deployer.CodeInvalid, deployer.CodeTooLarge:
		return exitUsage
	case deployer.CodeNotFound:
		return exitNotFound
	case deployer.CodeConflict:
		return exitConflict
	case deployer.CodeUnauthorized, deployer.CodeForbidden:
		return exitDenied
	case deployer.CodeUnavailable, deployer.CodeTimeout, deployer.CodeInternal:
		return exitUnreachable
	}
	return exitFailed
}

// describe says what went wrong and, on a line of its own, what to do about it.
func describe(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	text := err.Error()
	var told *deployer.Error
	switch {
	case !errors.As(err, &told):
	case told.Code == deployer.CodeUnauthorized: // the service's own hint is for those who write HTTP
		text += "\n  --token-file or $SEADOG_TOKEN says who asks"
	case told.Hint != "":
		text += "\n  " + told.Hint
	}
	return printableLines(text)
}

// between checks the number of arguments; a wrong one is a usage error.
func between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return deployer.Errorf(deployer.CodeInvalid, "%d arguments where `%s` stands", len(args), cmd.UseLine()).
			WithHint("%s --help says more", cmd.CommandPath())
	}
}
