package spec

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// secret reads a value that is given in one of three ways: as it stands, by the
// name of a variable, or by the name of a file. It is not ok if it is not given.
func (b *builder) secret(key, name, text, variable, file string) (value string, ok bool) {
	literal, env, path := below(key, name), below(key, name+"_env"), below(key, name+"_file")
	var given []string
	for _, k := range []string{literal, env, path} {
		if b.given(k) {
			given = append(given, k)
		}
	}
	switch {
	case len(given) == 0:
		return "", false
	case len(given) > 1:
		b.fail(given[1], "keep one of them", "the %s is given twice", name)
		return "", true
	case given[0] == literal:
		value = b.expand(literal, text)
	case given[0] == env:
		value = b.variable(env, variable)
	default:
		value = b.secretFile(path, file)
	}
	if value == "" && !b.blind() {
		b.fail(given[0], "give it a value", "is empty")
	}
	if strings.ContainsAny(value, "\r\n\x00") {
		b.fail(given[0], "write it in one line", "holds the end of a line")
	}
	return value, true
}

// blind reports whether secrets need not be known: nobody will send them, or
// whoever starts the service gives its own.
func (b *builder) blind() bool { return b.o.WithoutSecrets || b.managed() }

var variableRE = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (b *builder) variable(key, name string) string {
	if !variableRE.MatchString(name) {
		b.fail(key, "write the name of a variable, like HOOK_SECRET", "%q cannot name a variable", cut(name))
		return ""
	}
	value := b.o.Getenv(name)
	if value == "" && !b.blind() {
		b.fail(key, "set it", "environment variable %s is not set", name)
	}
	return value
}

func (b *builder) secretFile(key, name string) string {
	if b.blind() {
		return ""
	}
	text, err := readFile(b.path(name), 64<<10)
	if err != nil {
		b.fail(key, "name a file that holds the secret and nothing else", "%s: %s", cut(name), err)
		return ""
	}
	return strings.TrimRight(string(text), "\r\n")
}

// expand replaces ${NAME}. It is only done in secrets: everywhere else it would
// make a scenario mean something else on another machine.
func (b *builder) expand(key, text string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !variableRE.MatchString(name) {
			b.fail(key, "write ${NAME}", "${ without the name of a variable and }")
			return ""
		}
		out.WriteString(b.variable(key, name))
		text = after
	}
}

// tokenRE is what the name of a header may be.
var tokenRE = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// headers reads headers. Variables are replaced where a header carries a secret.
func (b *builder) headers(key string, from map[string]string) http.Header {
	if len(from) == 0 {
		return nil
	}
	out := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		path, value := below(key, name), from[name]
		if !tokenRE.MatchString(name) {
			b.fail(path, "use letters, digits and -", "%q cannot name a header", cut(name))
			continue
		}
		if isSecret(name) {
			value = b.expand(path, value)
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			b.fail(path, "write it in one line", "holds the end of a line")
		}
		if out.Get(name) != "" {
			b.fail(path, "keep one of the two", "given twice; case means nothing in headers")
		}
		out.Set(name, value)
	}
	return out
}
