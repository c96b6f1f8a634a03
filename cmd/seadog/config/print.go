package config

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-yaml"
)

// Print returns the effective configuration as YAML: every key with the value
// that is used, paths absolute, secrets redacted.
func (c *Config) Print() ([]byte, error) {
	head := *c.printed
	head.Projects = nil
	projects := make(yaml.MapSlice, 0, len(head.names))
	for _, name := range head.names {
		p := *head.projects[name]
		p.Repository = withoutUser(p.Repository)
		projects = append(projects, yaml.MapItem{Key: name, Value: p})
	}
	var out bytes.Buffer
	for _, part := range []any{head, yaml.MapSlice{{Key: "projects", Value: projects}}} {
		if err := yaml.NewEncoder(&out, yaml.IndentSequence(true)).Encode(part); err != nil {
			return nil, fmt.Errorf("encode the effective configuration: %w", err)
		}
	}
	return out.Bytes(), nil
}
