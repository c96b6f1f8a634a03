package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/seadog/seadog/deployer"
)

// decoder fills the structs of file.go from a syntax tree. It goes on after
// a problem, so that one run names them all, and remembers where every value
// stood, so that the rules that are checked afterwards can point at it. A
// library's decoder does neither.
type decoder struct {
	file     string
	lines    []string
	getenv   func(string) string
	at       map[string]position // key path → its value, or the key itself
	bad      map[string]bool     // key paths that have a problem already
	literals []string            // key paths of secrets that stand in the file itself
	problems Problems
}

type position struct{ line, column int }

// fail records a problem of key unless it, or a key above it, has one already.
// A key that is not in the file is reported where its nearest parent stands.
func (d *decoder) fail(key, do, format string, args ...any) {
	key = d.inherited(key)
	for k := key; k != ""; k = parent(k) {
		if d.bad[k] {
			return
		}
	}
	d.bad[key] = true
	d.report(key, do, format, args...)
}

// report records a problem that says nothing against what is below key.
func (d *decoder) report(key, do, format string, args ...any) {
	d.problems = append(d.problems, d.problem(key, do, format, args...))
}

// inherited returns the key under defaults if that is where a project's value comes from.
func (d *decoder) inherited(key string) string {
	if rest, ok := strings.CutPrefix(key, "projects."); ok && !d.given(key) {
		if _, rest, ok = strings.Cut(rest, "."); ok && d.given("defaults."+rest) {
			return "defaults." + rest
		}
	}
	return key
}

// given reports whether key is in the file.
func (d *decoder) given(key string) bool {
	_, ok := d.at[key]
	return ok
}

func (d *decoder) problem(key, do, format string, args ...any) Problem {
	p := Problem{File: d.file, Line: 1, Column: 1, Key: key, What: fmt.Sprintf(format, args...), Do: do}
	for k := key; ; k = parent(k) {
		if at, ok := d.at[k]; ok {
			p.Line, p.Column, p.Source = at.line, at.column, excerpt(d.lines, at.line, at.column)
			return p
		}
		if k == "" {
			return p
		}
	}
}

// parent returns the path of the key or list that holds key: a.b[2] → a.b → a → "".
func parent(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

func child(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// place remembers where n stands. A block mapping stands where its first key does; its own token is the colon.
func (d *decoder) place(key string, n ast.Node) {
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 && m.Values[0].Key != nil {
			n = m.Values[0].Key
		}
	case *ast.MappingValueNode:
		if m.Key != nil {
			n = m.Key
		}
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		d.at[key] = position{max(t.Position.Line, 1), max(t.Position.Column, 1)}
	}
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[size]()
	secretType   = reflect.TypeFor[secret]()
	valueType    = reflect.TypeFor[secretValue]()
	nodeType     = reflect.TypeFor[ast.Node]()
)

// into stores node n, found at key, in v.
func (d *decoder) into(key string, n ast.Node, v reflect.Value) {
	if v.Type() == nodeType {
		v.Set(reflect.ValueOf(n))
		return
	}
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.fail(key, "write the value out, or put what projects share under defaults", "anchors, aliases and tags are not supported")
		return
	}
	switch {
	case v.Type() == secretType:
		if text, ok := d.text(key, n); ok {
			v.Set(reflect.ValueOf(secret{deployer.NewSecret(text)}))
			if s, literal := n.(*ast.StringNode); literal && !strings.Contains(s.Value, "${") {
				d.literals = append(d.literals, key)
			}
		}
	case v.Type() == valueType && kindOf(n) == "a single value":
		d.into(key, n, v.FieldByName("Secret"))
	case v.Kind() == reflect.Struct:
		d.intoStruct(key, n, v)
	case v.Kind() == reflect.Map:
		d.intoMap(key, n, v)
	case v.Kind() == reflect.Slice:
		d.intoList(key, n, v)
	default:
		d.intoScalar(key, n, v)
	}
}

func (d *decoder) intoStruct(key string, n ast.Node, v reflect.Value) {
	fields := map[string]reflect.Value{}
	names := collectFields(v, fields)
	for _, entry := range d.entries(key, n) {
		field, ok := fields[entry.name]
		if !ok {
			d.at[child(key, entry.name)] = entry.key
			d.unknown(child(key, entry.name), entry.name, names)
			continue
		}
		d.into(child(key, entry.name), entry.value, field)
	}
}

// unknown reports a key that does not exist. Its value is not shown: it may
// be a secret whose key is misspelt.
func (d *decoder) unknown(key, name string, names []string) {
	do := "the keys here are " + strings.Join(names, ", ")
	if near := nearest(name, names); near != "" {
		do = "did you mean " + near + "?"
	}
	d.fail(key, do, "unknown key")
	if p := &d.problems[len(d.problems)-1]; p.Key == key && p.Line <= len(d.lines) {
		line, _, _ := strings.Cut(d.lines[p.Line-1], name)
		p.Source = mark(strings.ReplaceAll(line, "\t", " ")+name+": …", p.Line, p.Column)
		if secretIn(line) < len(line) || belowSecret(d.lines, p.Line-1) {
			p.Source = excerpt(d.lines, p.Line, p.Column)
		}
	}
}

// collectFields maps the keys of struct v, those of inlined structs included,
// to its fields, and returns them in the order of declaration.
func collectFields(v reflect.Value, into map[string]reflect.Value) []string {
	var names []string
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			names = append(names, collectFields(v.Field(i), into)...)
		case name != "" && name != "-":
			into[name] = v.Field(i)
			names = append(names, name)
		}
	}
	return names
}

func (d *decoder) intoMap(key string, n ast.Node, v reflect.Value) {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, entry := range d.entries(key, n) {
		e := reflect.New(v.Type().Elem()).Elem()
		d.into(child(key, entry.name), entry.value, e)
		v.SetMapIndex(reflect.ValueOf(entry.name), e)
	}
}

func (d *decoder) intoList(key string, n ast.Node, v reflect.Value) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fail(key, "write [a, b], or one \"- …\" per line", "must be a list, not %s", kindOf(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
	for i, value := range list.Values {
		itemKey := fmt.Sprintf("%s[%d]", key, i)
		d.place(itemKey, value)
		d.into(itemKey, value, v.Index(i))
	}
}

type entry struct {
	name  string
	key   position
	value ast.Node
}

// entries returns what mapping n holds. An empty value counts as an empty
// mapping, so that a section may have all its keys commented out.
func (d *decoder) entries(key string, n ast.Node) []entry {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	case *ast.NullNode:
	default:
		d.fail(key, "write \"key: value\" lines below it", "must be a mapping, not %s", kindOf(n))
	}
	found := make([]entry, 0, len(values))
	seen := map[string]position{}
	for _, kv := range values {
		if kv == nil || kv.Key == nil || kv.Value == nil || kv.Key.GetToken() == nil {
			continue
		}
		name := kv.Key.GetToken().Value
		path := child(key, name)
		if !d.isKey(path, kv.Key) {
			continue
		}
		value, first := d.at[path], seen[name]
		d.place(path, kv.Key)
		if first.line > 0 {
			d.report(path, "keep one of the two", "given twice, first in line %d", first.line)
			d.at[path] = value
			continue
		}
		seen[name] = d.at[path]
		found = append(found, entry{name, d.at[path], kv.Value})
		if _, null := kv.Value.(*ast.NullNode); !null && !isBlock(kv.Value) {
			d.place(path, kv.Value)
		}
	}
	return found
}

// isKey refuses what YAML allows before a colon beyond a plain name.
func (d *decoder) isKey(path string, n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return true
	case *ast.MergeKeyNode:
		d.place(path, n)
		d.fail(path, "put what projects share under defaults", "merge keys are not supported")
	default:
		d.place(path, n)
		d.fail(path, "write a plain name before the colon", "not a key")
	}
	return false
}

// isBlock reports whether n starts on a line below its key, where pointing at it would help nobody.
func isBlock(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		return true
	}
	return false
}

func (d *decoder) intoScalar(key string, n ast.Node, v reflect.Value) {
	text, ok := d.text(key, n)
	if !ok {
		return
	}
	switch {
	case v.Type() == durationType:
		parsed, err := time.ParseDuration(text)
		if err != nil || parsed < 0 {
			d.fail(key, "write a number with a unit, like 90s, 5m or 1h30m", "%q is not a duration", text)
			return
		}
		v.SetInt(int64(parsed))
	case v.Type() == sizeType:
		parsed, err := parseSize(text)
		if err != nil {
			d.fail(key, "write a number with a unit, like 512KiB, 26MiB or 1GiB", "%q is not a size", text)
			return
		}
		v.SetInt(int64(parsed))
	case v.Kind() == reflect.Int:
		parsed, err := strconv.Atoi(text)
		if err != nil {
			d.fail(key, "write digits only", "%q is not a whole number", text)
			return
		}
		v.SetInt(int64(parsed))
	case v.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			d.fail(key, "write true or false", "%q is neither true nor false", text)
			return
		}
		v.SetBool(text == "true")
	default:
		v.SetString(text)
	}
}

// text returns scalar n as it is written, with its variables replaced. Numbers
// and booleans keep their spelling, so that a branch named 1.10 stays one.
func (d *decoder) text(key string, n ast.Node) (string, bool) {
	var text string
	switch s := n.(type) {
	case *ast.StringNode:
		text = s.Value
	case *ast.LiteralNode:
		if s.Value == nil {
			return "", true
		}
		text = s.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.NullNode:
		d.fail(key, "give it a value, or remove the key", "has no value")
		return "", false
	default:
		d.fail(key, "write one value", "must be a single value, not %s", kindOf(n))
		return "", false
	}
	expanded, err := expand(text, d.getenv)
	if err != nil {
		d.fail(key, err.do, "%s", err.what)
		return "", false
	}
	return expanded, true
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	}
	return "a single value"
}
