package compose

import (
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// maxDepth bounds how deep files may include and extend each other.
const maxDepth = 16

// holdsReferences checks the files that a Compose file makes Compose read while it
// resolves the project: what it includes and extends, and label files. path and dir (what
// relative names in it are relative to) are relative to the tree.
//
// A file that cannot be read as YAML here is left to Compose, which says why.
func (t *tree) holdsReferences(path, dir string) error { return t.references(path, dir, 0) }

func (t *tree) references(path, dir string, depth int) error {
	if depth > maxDepth {
		return invalid("compose file %q: files include each other more than %d times", path, maxDepth)
	}
	text, err := t.root.ReadFile(path)
	if err != nil {
		return invalid("compose file %q cannot be read", path).Because(err)
	}
	var d struct {
		Include  []any                     `yaml:"include"`
		Services map[string]map[string]any `yaml:"services"`
	}
	if err := yaml.Unmarshal(text, &d); err != nil {
		return nil //nolint:nilerr // Compose explains it better
	}
	for _, i := range d.Include {
		if err := t.include(i, dir, depth); err != nil {
			return err
		}
	}
	for _, s := range d.Services {
		if e, ok := s["extends"].(map[string]any); ok {
			for _, name := range words(e["file"]) {
				if err := t.follow("extended file", name, dir, depth); err != nil {
					return err
				}
			}
		}
		for _, name := range words(s["label_file"]) {
			if err := t.refers("label file", name, filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// include checks one entry of include: a path, or a mapping of path, env_file and project_directory.
func (t *tree) include(entry any, dir string, depth int) error {
	m, ok := entry.(map[string]any)
	if !ok {
		m = map[string]any{"path": entry}
	}
	for _, key := range []string{"env_file", "project_directory"} {
		for _, name := range words(m[key]) {
			if err := t.refers(key+" of include", name, filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	for _, name := range words(m["path"]) {
		if err := t.follow("included file", name, dir, depth); err != nil {
			return err
		}
	}
	return nil
}

// follow checks a Compose file that another one names, and what that one names.
func (t *tree) follow(what, name, dir string, depth int) error {
	if remote(name) {
		return nil
	}
	path := filepath.Join(dir, name)
	if err := t.refers(what, name, path); err != nil {
		return err
	}
	if err := t.holdsFile(what, name, path); err != nil {
		return err
	}
	return t.references(path, filepath.Dir(path), depth+1)
}

// refers checks a name in a Compose file. A variable in it could become anything.
func (t *tree) refers(what, name, path string) error {
	if strings.Contains(name, "$") {
		return invalid("%s %q contains a variable", what, name).WithHint("write the path out")
	}
	if filepath.IsAbs(name) {
		return t.holds(what, name)
	}
	_, err := t.stat(what, name, path)
	if err != nil && !isAbsent(err) {
		return err
	}
	return nil
}

// remote reports whether Compose would fetch name from elsewhere.
func remote(name string) bool {
	return strings.Contains(name, "://") || strings.HasPrefix(name, "oci:") || strings.HasPrefix(name, "git@")
}

// words returns the strings of a value that is one string or a list of them.
func words(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
