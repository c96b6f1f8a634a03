package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder fills the structs of file.go from a syntax tree. It goes on after a
// problem, so that one run names them all, and remembers where every value
// stands, so that the rules that are checked afterwards can point at it.
type decoder struct {
	file     string
	source   source
	at       map[string]place // of every key that is given, by its path
	bad      map[string]bool  // paths that have a problem already
	problems Problems
}

// place is where a value stands, or its key if the value is a block below it.
type place struct {
	line, column int
	inner        int // columns from there to the first character of a scalar; -1: it cannot be said
}

// fail records a problem of key, unless it or what holds it has one already. A
// key that is not given is reported where its nearest holder stands.
func (d *decoder) fail(key, do, what string, args ...any) {
	d.failAt(key, 0, do, what, args...)
}

// failAt is fail with a column within the text of a scalar, from 1; 0 is none.
func (d *decoder) failAt(key string, column int, do, what string, args ...any) {
	for k := key; k != ""; k = holder(k) {
		if d.bad[k] {
			return
		}
	}
	d.bad[key] = true
	p := Problem{File: d.file, Line: 1, Column: 1, Key: key, What: fmt.Sprintf(what, args...), Do: do}
	for k := key; ; k = holder(k) {
		at, ok := d.at[k]
		if !ok && k != "" {
			continue
		}
		if ok {
			p.Line, p.Column = at.line, at.column
			if k == key && column > 0 && at.inner >= 0 {
				p.Column += at.inner + column - 1
			}
		}
		d.problems = append(d.problems, p)
		return
	}
}

// all returns the problems in order, each with its line. Lines come last: only
// now is known what in them must not be shown.
func (d *decoder) all() Problems {
	d.problems.sort()
	for i := range d.problems {
		p := &d.problems[i]
		p.Source = d.source.excerpt(p.Line, p.Column)
	}
	return d.problems
}

// given reports whether key is in the file.
func (d *decoder) given(key string) bool {
	_, ok := d.at[key]
	return ok
}

// holder returns the path of the mapping or list that holds key: a.b[2] → a.b → a → "".
func holder(key string) string { return key[:max(strings.LastIndexAny(key, ".["), 0)] }

func below(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

func item(key string, i int) string { return fmt.Sprintf("%s[%d]", key, i) }

// put remembers where n stands. The token of a block mapping is a colon: it
// stands where its first key does.
func (d *decoder) put(key string, n ast.Node) {
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
		d.at[key] = place{max(t.Position.Line, 1), max(t.Position.Column, 1), inner(t)}
	}
}

func inner(t *token.Token) int {
	switch {
	case strings.ContainsAny(t.Origin, "\\") || strings.Contains(strings.TrimSpace(t.Origin), "\n"):
		return -1
	case t.Type == token.SingleQuoteType, t.Type == token.DoubleQuoteType:
		return 1
	}
	return 0
}

// scalar is a value that is written as one word.
type scalar interface {
	// set reads text; if it is none, it returns what is wrong and what to do.
	set(text string) (what, do string)
}

// into stores node n, found at key, in v.
func (d *decoder) into(key string, n ast.Node, v reflect.Value) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.fail(key, "write the value out", "anchors, aliases and tags are not supported")
		return
	}
	if s, ok := v.Addr().Interface().(scalar); ok {
		if text, ok := d.text(key, n); ok {
			if what, do := s.set(text); what != "" {
				d.fail(key, do, "%s", what)
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.intoStruct(key, n, v)
	case reflect.Map:
		d.intoMap(key, n, v)
	case reflect.Slice:
		d.intoList(key, n, v)
	default:
		d.intoPlain(key, n, v)
	}
}

func (d *decoder) intoStruct(key string, n ast.Node, v reflect.Value) {
	fields := map[string]reflect.Value{}
	var names []string
	collect(v, func(name string, _ reflect.StructTag, field reflect.Value) {
		fields[name] = field
		names = append(names, name)
	})
	for _, e := range d.entries(key, n) {
		path := below(key, e.name)
		if field, ok := fields[e.name]; ok {
			d.into(path, e.value, field)
			continue
		}
		d.at[path] = e.key
		d.unknown(path, e.name, names)
	}
}

// unknown reports a key that does not exist.
func (d *decoder) unknown(key, name string, names []string) {
	if !slices.Contains(formatKeys(), name) { // a key that is only misplaced need not be hidden
		d.source.hide(name)
	}
	d.fail(key, suggest(name, names, "the keys here are "), "unknown key")
}

// collect yields the keys of struct v in the order in which they are declared,
// those of inlined structs included.
func collect(v reflect.Value, yield func(name string, tag reflect.StructTag, field reflect.Value)) {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		name, option, _ := strings.Cut(tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			collect(v.Field(i), yield)
		case name != "":
			yield(name, tag, v.Field(i))
		}
	}
}

func (d *decoder) intoMap(key string, n ast.Node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range d.entries(key, n) {
		value := reflect.New(v.Type().Elem()).Elem()
		d.into(below(key, e.name), e.value, value)
		v.SetMapIndex(reflect.ValueOf(e.name), value)
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
		d.put(item(key, i), value)
		d.into(item(key, i), value, v.Index(i))
	}
}

type entry struct {
	name  string
	key   place
	value ast.Node
}

// entries returns what mapping n holds. Nothing counts as an empty mapping, so
// that a section may have all its keys commented out.
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
	var found []entry
	seen := map[string]int{} // line
	for _, kv := range values {
		if kv == nil || kv.Key == nil || kv.Value == nil || kv.Key.GetToken() == nil {
			continue
		}
		name := kv.Key.GetToken().Value
		path := below(key, name)
		if line, twice := seen[name]; twice {
			delete(d.bad, path)
			d.put(path, kv.Key)
			d.fail(path, "keep one of the two", "given twice, first in line %d", line)
			continue
		}
		d.put(path, kv.Key)
		if !isName(kv.Key) {
			d.fail(path, "write a plain name before the colon", "not a key")
			continue
		}
		at := d.at[path]
		seen[name] = at.line
		found = append(found, entry{name, at, kv.Value})
		if !isBlock(kv.Value) {
			d.put(path, kv.Value)
		}
	}
	return found
}

// isName refuses what YAML allows before a colon beyond a plain name.
func isName(n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return true
	}
	return false
}

// isBlock reports whether n begins on a line below its key, or nowhere: then
// the key is what to point at.
func isBlock(n ast.Node) bool {
	switch m := n.(type) {
	case *ast.MappingNode:
		return !m.IsFlowStyle
	case *ast.SequenceNode:
		return !m.IsFlowStyle
	case *ast.MappingValueNode, *ast.NullNode, *ast.LiteralNode:
		return true
	}
	return false
}

func (d *decoder) intoPlain(key string, n ast.Node, v reflect.Value) {
	text, ok := d.text(key, n)
	if !ok {
		return
	}
	switch v.Kind() {
	case reflect.Int:
		parsed, err := strconv.Atoi(text)
		if err != nil {
			d.fail(key, "write digits only", "%q is not a whole number", cut(text))
			return
		}
		v.SetInt(int64(parsed))
	case reflect.Uint64:
		parsed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			d.fail(key, "write digits only", "%q is not a whole number from 0 to 18446744073709551615", cut(text))
			return
		}
		v.SetUint(parsed)
	case reflect.Bool:
		if text != "true" && text != "false" {
			d.fail(key, "write true or false", "%q is neither true nor false", cut(text))
			return
		}
		v.SetBool(text == "true")
	default:
		v.SetString(text)
	}
}

// text returns scalar n as it is written. Numbers and booleans keep their
// spelling, so that a name like 1.10 stays one.
func (d *decoder) text(key string, n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		if s.Value == nil {
			return "", true
		}
		return s.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.NullNode:
		d.fail(key, "give it a value, or remove the key", "has no value")
	default:
		d.fail(key, "write one value", "must be a single value, not %s", kindOf(n))
	}
	return "", false
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

// cut shortens what a message quotes.
func cut(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}
