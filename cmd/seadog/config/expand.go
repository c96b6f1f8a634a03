package config

import (
	"fmt"
	"regexp"
	"strings"
)

// expandError says what is wrong with a reference to a variable. The text
// around it is left out on purpose: it may be part of a secret.
type expandError struct{ what, do string }

var variableRE = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces ${NAME} and ${NAME:-default} in one scalar that was parsed
// already, so that what a variable holds is always text and never YAML. $${ is
// a literal ${, and a $ that is followed by anything else stands for itself.
// What is put in is not looked at again.
func expand(text string, getenv func(string) string) (string, *expandError) {
	var out strings.Builder
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			out.WriteString(text)
			return out.String(), nil
		}
		if i > 0 && text[i-1] == '$' {
			out.WriteString(text[:i-1] + "${")
			text = text[i+2:]
			continue
		}
		out.WriteString(text[:i])
		body, rest, closed := strings.Cut(text[i+2:], "}")
		name, fallback, hasFallback := strings.Cut(body, ":-")
		if !closed || !variableRE.MatchString(name) {
			return "", &expandError{
				"${ without the name of a variable and }",
				"write ${NAME} or ${NAME:-default}, or $${ for a literal ${",
			}
		}
		value := getenv(name)
		switch {
		case value != "":
			out.WriteString(value)
		case hasFallback:
			out.WriteString(fallback)
		default:
			return "", &expandError{
				fmt.Sprintf("environment variable %s is not set", name),
				fmt.Sprintf("set it for every process of the service, or write ${%s:-default}", name),
			}
		}
		text = rest
	}
}
