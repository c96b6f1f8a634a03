package compose

import (
	"strconv"
	"strings"
)

// explain takes the message out of a line of Compose's log
//
//	time="…" level=warning msg="The \"X\" variable is not set."
//
// and returns any other line as it is, trimmed.
func explain(line string) string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "time=") {
		return line
	}
	_, rest, ok := strings.Cut(line, " msg=")
	if !ok {
		return line
	}
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		if msg, err := strconv.Unquote(quoted); err == nil {
			return msg
		}
	}
	return rest
}
