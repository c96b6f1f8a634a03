package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestAnUnknownSabotageIsRefused(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	e := &env{
		Args: []string{"lab"}, Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &stderr,
		Getenv: func(name string) string {
			return map[string]string{sabotageVariable: "watchdog-off,watchdog-of"}[name]
		},
		Environ: func() []string { return nil },
	}
	if code := run(context.Background(), e); code != exitUsage || !strings.Contains(stderr.String(), `"watchdog-of"; there are watchdog-off, `) {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
