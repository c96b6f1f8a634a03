package process_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

func TestTheEnvironmentIsExactlyWhatWasGiven(t *testing.T) {
	t.Setenv("SEADOG_TEST_SECRET", "never inherited")
	c := fake(t, "environment")
	c.Env = append(c.Env, "A=1", process.MarkerVariable+"=somebody else's")
	var lines []string
	c.Line = func(_ process.Stream, line []byte) { lines = append(lines, string(line)) }
	if _, err := process.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	want := []string{fakeVariable + "=environment", "A=1", process.MarkerVariable + "=" + c.Marker}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestACommandThatCannotBeStarted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		process.Command
		want string
	}{
		"is not in PATH":        {process.Command{Path: "no-such-command", Env: []string{"PATH=/usr/bin:relative"}}, "no-such-command is not installed"},
		"is not there":          {process.Command{Path: "/no/such/command"}, "no such file"},
		"is no program":         {process.Command{Path: "/etc"}, "cannot be started"},
		"has no directory":      {process.Command{Path: "/bin/true", Dir: "/no/such/dir"}, "/no/such/dir is not a directory"},
		"has a PATH of its own": {process.Command{Path: "true", Env: []string{"PATH="}}, "true is not installed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Marker = "never started"
			_, err := process.Run(t.Context(), c.Command)
			if exit := wantCause(t, err, deployer.CauseStepFailed); !strings.Contains(exit.Reason, c.want) || exit.Code != -1 {
				t.Errorf("reason = %q, want %q in it", exit.Reason, c.want)
			}
		})
	}
	t.Run("has no marker", func(t *testing.T) {
		t.Parallel()
		if _, err := process.Run(t.Context(), process.Command{Path: "/bin/true"}); deployer.CodeOf(err) != deployer.CodeInternal {
			t.Errorf("error = %v", err)
		}
	})
}
