package spec

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// emit writes a struct of the format as YAML. It writes a subset that needs no
// thought to be read back: a text with anything special in it is quoted, which
// the library's encoder does not do for all of them. Lines are indented, the
// first one begins with lead: the dash of a list's item.
func emit(b *strings.Builder, lead, indented string, v reflect.Value) {
	line := func(key string) {
		b.WriteString(lead + key + ":")
		lead = indented
	}
	if v.Kind() == reflect.Map {
		m := v.Interface().(map[string]string)
		for _, key := range slices.Sorted(maps.Keys(m)) {
			line(quoted(key, flowRE))
			b.WriteString(" " + quoted(m[key], blockRE) + "\n")
		}
		return
	}
	collect(v, func(name string, tag reflect.StructTag, field reflect.Value) {
		if strings.Contains(string(tag), ",omitempty") && empty(field) {
			return
		}
		line(name)
		emitValue(b, indented, field)
	})
}

func emitValue(b *strings.Builder, indented string, v reflect.Value) {
	deeper := indented + "  "

	if text, ok := word(v, blockRE); ok {
		b.WriteString(" " + text + "\n")
		return
	}
	if v.Kind() != reflect.Slice {
		b.WriteString("\n")
		emit(b, deeper, deeper, v)
		return
	}
	var words []string
	for i := range v.Len() {
		if text, ok := word(v.Index(i), flowRE); ok {
			words = append(words, text)
		}
	}
	if flow := "[" + strings.Join(words, ", ") + "]"; len(words) == v.Len() && len(flow) < 80 {
		b.WriteString(" " + flow + "\n")
		return
	}
	b.WriteString("\n")
	for i := range v.Len() {
		if text, ok := word(v.Index(i), blockRE); ok {
			b.WriteString(deeper + "- " + text + "\n")
		} else {
			emit(b, deeper+"- ", deeper+"  ", v.Index(i))
		}
	}
}

// empty reports whether v says nothing: a struct of which no key would be written.
func empty(v reflect.Value) bool {
	if _, ok := word(v, blockRE); ok || v.Kind() != reflect.Struct {
		return v.IsZero()
	}
	var b strings.Builder
	emit(&b, "", "", v)
	return b.Len() == 0
}

// word writes what takes one word, or a text.
func word(v reflect.Value, plain *regexp.Regexp) (string, bool) {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		return string(text), err == nil
	}
	switch v.Kind() {
	case reflect.String:
		return quoted(v.String(), plain), true
	case reflect.Int, reflect.Uint64, reflect.Bool:
		return fmt.Sprint(v.Interface()), true
	}
	return "", false
}

// blockRE and flowRE are texts that need no quotes: as the value of a line, and
// within brackets. What looks like null is none of them.
var (
	blockRE = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./%+()<>={},;-]*( [A-Za-z0-9_./%+()<>={},;-]+)*$`)
	flowRE  = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./%+()-]*$`)
	nullRE  = regexp.MustCompile(`(?i)^null$`)
)

func quoted(text string, plain *regexp.Regexp) string {
	if plain.MatchString(text) && !nullRE.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}
