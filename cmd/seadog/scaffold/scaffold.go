// Package scaffold holds the files that a new installation starts from: the
// complete commented configuration, and what runs seadog in production.
//
// They are what the documentation of every configuration key is; tests hold
// them against the configuration's own structs, systemd-analyze and nginx. The package only hands
// out text: it writes no file and makes no secret.
package scaffold

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
)

//go:embed seadog.yml seadog.service seadog.socket nginx.conf Caddyfile Dockerfile compose.yaml
var files embed.FS

// Example is what the example configuration is filled in with.
type Example struct {
	Project    string // "example" if empty
	Repository string // a placeholder if empty
	Provider   string // "github" if empty
}

// Config returns the commented configuration for e.
func Config(e Example) (string, error) {
	if e.Project == "" {
		e.Project = "example"
	}
	if e.Repository == "" {
		e.Repository = "https://github.com/you/" + e.Project + ".git"
	}
	if e.Provider == "" {
		e.Provider = "github"
	}
	source, err := files.ReadFile("seadog.yml")
	if err != nil {
		return "", fmt.Errorf("read the example: %w", err)
	}
	t, err := template.New("seadog.yml").Option("missingkey=error").Parse(string(source))
	if err != nil {
		return "", fmt.Errorf("parse the example: %w", err)
	}
	repository, err := json.Marshal(strings.ReplaceAll(e.Repository, "${", "$${"))
	if err != nil {
		return "", fmt.Errorf("quote the repository: %w", err)
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]any{
		"Project": e.Project, "Repository": string(repository), "Provider": e.Provider,
		"ExampleHash": strings.Repeat("0123456789abcdef", 4),
	})
	if err != nil {
		return "", fmt.Errorf("fill in the example: %w", err)
	}
	return out.String(), nil
}

// Kinds lists what [Print] knows besides the configuration.
func Kinds() []string {
	return []string{"config", "systemd", "socket", "nginx", "caddy", "dockerfile", "compose"}
}

// Print returns the file of that kind.
func Print(kind string, e Example) (string, error) {
	name, ok := map[string]string{
		"systemd": "seadog.service", "socket": "seadog.socket", "nginx": "nginx.conf",
		"caddy": "Caddyfile", "dockerfile": "Dockerfile", "compose": "compose.yaml",
	}[kind]
	switch {
	case kind == "config":
		return Config(e)
	case !ok:
		return "", fmt.Errorf("%q is none of %s", kind, strings.Join(Kinds(), ", "))
	}
	text, err := files.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	return string(text), nil
}
