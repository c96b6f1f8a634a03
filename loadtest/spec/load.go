package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/seadog/seadog/loadtest"
)

// Options are what reading a scenario depends on besides the file.
type Options struct {
	// Getenv returns the value of an environment variable, "" if it is not set.
	// nil: none is set.
	Getenv func(string) string
	// Own are the hosts beyond this machine that the user says are his.
	Own []string
	// Dir is what relative files are relative to. "" is the directory of the
	// scenario file for [Load], the working directory for [Parse].
	Dir string
	// BaseURL takes the place of target.base_url.
	BaseURL string
	// Stretch is how many times as long the phases are that say stretch: true. 0 is 1.
	Stretch float64
	// Fault judges what a fault does; its error says what is wrong and what to
	// do. nil: whatever it says.
	Fault func(loadtest.Fault) error
	// WithoutSecrets leaves secrets of the environment and of files empty: for a
	// look at the scenario where they are not known.
	WithoutSecrets bool
}

// maxFile keeps a wrong path (a log, a database) from being parsed for minutes.
const maxFile = 1 << 20

// Load reads and checks the scenario at path. The error is [Problems]; it names
// everything that is wrong.
func Load(path string, o Options) (*loadtest.Scenario, error) {
	text, err := readFile(path, maxFile)
	if err != nil {
		return nil, Problems{{File: path, What: err.Error(), Do: "name a scenario, a YAML file of at most 1 MiB"}}
	}
	if o.Dir == "" {
		o.Dir = filepath.Dir(path)
	}
	return Parse(path, text, o)
}

// Parse is [Load] of a text; name is the file's, for messages.
func Parse(name string, text []byte, o Options) (*loadtest.Scenario, error) {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	d := &decoder{file: name, source: source{lines(string(text)), map[string]bool{}}, at: map[string]place{}, bad: map[string]bool{}}
	f := defaults()
	if root := d.parse(text); root != nil {
		d.into("", root, reflect.ValueOf(f).Elem())
	}
	b := &builder{decoder: d, f: f, o: o, s: &loadtest.Scenario{}}
	if !d.bad[""] {
		b.build()
	}
	if len(d.problems) > 0 {
		return nil, d.all()
	}
	digest := sha256.Sum256(text)
	b.s.Digest = hex.EncodeToString(digest[:])
	return b.s, nil
}

// lines splits a text as the YAML parser counts lines.
func lines(text string) []string {
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
}

// readFile reads a regular file of at most so many bytes. Its errors do not
// name the file.
func readFile(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("there is no such file")
	case err != nil:
		return nil, withoutPath(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case info.Size() > most:
		return nil, fmt.Errorf("larger than %s", size(most))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	return text, nil
}

func withoutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// parse returns the root of the only document in text, nil if there is none.
func (d *decoder) parse(text []byte) ast.Node {
	if !utf8.Valid(text) {
		d.fail("", "save it as UTF-8", "not UTF-8 text")
		return nil
	}
	tree, err := parseYAML(text)
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax):
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			d.at[""] = place{line: max(t.Position.Line, 1), column: max(t.Position.Column, 1)}
		}
		d.fail("", "check indentation, quotes and brackets here", "not YAML: %s", syntax.GetMessage())
		return nil
	case err != nil:
		d.fail("", "check indentation, quotes and brackets", "not YAML")
		return nil
	}
	var root ast.Node
	for _, doc := range tree.Docs {
		switch {
		case doc == nil || doc.Body == nil:
		case root == nil:
			root = doc.Body
		default:
			d.put("", doc.Body)
			d.fail("", "keep one document", "more than one YAML document")
			return nil
		}
	}
	return root
}

// parseYAML turns a panic of the parser, which hostile input may cause, into an error.
func parseYAML(text []byte) (tree *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse: %v", r)
		}
	}()
	return parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
}
