package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// PathVariable is the environment variable that names the file.
const PathVariable = "SEADOG_CONFIG"

// maxFile keeps a wrong path (a log, a database) from being parsed for minutes.
const maxFile = 1 << 20

// Options are what reading a configuration depends on besides the file.
type Options struct {
	// Getenv returns the value of an environment variable, "" if it is not set. Required.
	Getenv func(string) string
	// Insecure allows projects without a webhook secret, and no API token.
	Insecure bool
}

// Find returns the file that is meant by path: path itself, or else the first that exists of what
// $SEADOG_CONFIG says, ./seadog.yml and /etc/seadog/seadog.yml.
func Find(path string, getenv func(string) string) (string, error) {
	if path == "" {
		path = getenv(PathVariable)
	}
	if path != "" {
		return path, nil
	}
	candidates := []string{"seadog.yml", "/etc/seadog/seadog.yml"}
	for _, candidate := range candidates {
		if _, err := os.Stat(candidate); err == nil {
			return candidate, nil
		}
	}
	return "", Problems{{
		File: candidates[0], What: "there is no configuration here, and none in " + candidates[1],
		Do: "write one with: seadog init, or name one with --config or " + PathVariable,
	}}
}

// Load reads and checks the file at path (see [Find]). The error is
// [Problems]; it names everything that is wrong.
func Load(path string, o Options) (*Config, error) {
	path, err := Find(path, o.Getenv)
	if err != nil {
		return nil, err
	}
	source, mode, err := read(path)
	if err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the directory of %s: %w", path, err)
	}
	c, d, err := parse(path, absolute, source, o)
	if err != nil {
		return nil, err
	}
	if mode.Perm()&0o004 != 0 && len(d.literals) > 0 {
		c.Warnings = append(c.Warnings, d.problem(d.literals[0], "chmod 600 "+path+", or move the secret to a file of its own", "everybody on this machine can read this file, and it holds a secret"))
	}
	return c, nil
}

func read(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, Problems{{File: path, What: "there is no such file", Do: "write one with: seadog init"}}
	case err != nil:
		return nil, 0, Problems{{File: path, What: reason(err), Do: "let the user that runs seadog read it"}}
	case info.IsDir() || info.Size() > maxFile:
		return nil, 0, Problems{{File: path, What: "not a configuration: a directory, or larger than 1 MiB", Do: "name the file itself"}}
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, Problems{{File: path, What: reason(err), Do: "let the user that runs seadog read it"}}
	}
	return source, info.Mode(), nil
}

// reason strips the path that the caller names anyway.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func parse(path, absolute string, source []byte, o Options) (*Config, *decoder, error) {
	d := &decoder{
		file: path, lines: strings.Split(string(source), "\n"), getenv: o.Getenv,
		at: map[string]position{}, bad: map[string]bool{},
	}
	f := builtin(hostname())
	if root := d.parse(source); root != nil {
		d.decode(root, f)
	}
	b := &builder{decoder: d, f: f, dir: filepath.Dir(absolute), insecure: o.Insecure}
	b.cfg = &Config{File: absolute, Insecure: o.Insecure, printed: f}
	if !d.bad[""] {
		b.build()
	}
	if len(d.problems) > 0 {
		d.problems.sort()
		return nil, nil, d.problems
	}
	return b.cfg, d, nil
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// parse returns the root of the only document in source, nil if there is none.
func (d *decoder) parse(source []byte) ast.Node {
	if !utf8.Valid(source) {
		d.fail("", "save it as UTF-8", "not UTF-8 text")
		return nil
	}
	tree, err := parseYAML(source)
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			d.at[""] = position{max(t.Position.Line, 1), max(t.Position.Column, 1)}
		}
		d.fail("", "check indentation, quotes and brackets here", "not YAML: %s", syntax.GetMessage())
		return nil
	}
	if err != nil {
		d.fail("", "check indentation, quotes and brackets", "not YAML")
		return nil
	}
	var bodies []ast.Node
	for _, doc := range tree.Docs {
		if doc != nil && doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return nil
	case 1:
		return bodies[0]
	}
	d.place("", bodies[1])
	d.fail("", "keep one document", "more than one YAML document")
	return nil
}

// parseYAML turns a panic of the parser, which hostile input may cause, into an error.
func parseYAML(source []byte) (tree *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse: %v", r)
		}
	}()
	return parser.ParseBytes(source, 0, parser.AllowDuplicateMapKey())
}

// decode fills f. What defaults says is known before the first project is
// read, wherever it stands in the file.
func (d *decoder) decode(root ast.Node, f *file) {
	d.into("", root, reflect.ValueOf(f).Elem())
	f.projects = make(map[string]*project, len(f.Projects))
	f.names = slices.Sorted(maps.Keys(f.Projects))
	for _, name := range f.names {
		p := &project{settings: f.Defaults.clone()}
		d.into(child("projects", name), f.Projects[name], reflect.ValueOf(p).Elem())
		f.projects[name] = p
	}
}
