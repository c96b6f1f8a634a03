package stackdump

import (
	"bytes"
	"strconv"
)

// header reads the line that a goroutine starts with:
//
//	goroutine 7 [select, 3 minutes, locked to thread]:
//	goroutine 7 gp=0xc000002380 m=3 mp=0xc000080008 [chan receive (scan)]:
//	goroutine 7 [sync.Mutex.Lock, synctest bubble 1 labels:{"slot": "12"}]:
//
// ok is false if it is no such line. problem tells what of it is broken.
func (p *parser) header(line []byte) (g Goroutine, problem string, ok bool) {
	rest := line[len("goroutine "):]
	id, n := decimal(rest)
	if n == 0 {
		return g, "", false
	}
	g.ID, g.Count = id, 1
	rest = rest[n:]
	if !bytes.HasPrefix(rest, []byte(" [")) && !bytes.HasPrefix(rest, []byte(" gp=")) {
		return g, "", false // a log line that speaks of a goroutine
	}
	_, inside, found := bytes.Cut(rest, []byte("["))
	if !found {
		return g, "the header breaks off", true
	}
	inside, whole := bytes.CutSuffix(inside, []byte("]:"))
	if !whole {
		problem = "the header breaks off"
	}
	inside, labels, labelled := bytes.Cut(inside, []byte(" labels:{"))
	if labelled {
		var fine bool
		if g.Labels, fine = p.labels(labels); !fine {
			problem = "broken labels"
		}
	}
	if unknown := p.attributes(&g, inside); unknown && problem == "" {
		problem = "unknown attribute in the header"
	}
	return g, problem, true
}

// attributes reads "select (scan), 3 minutes, locked to thread".
func (p *parser) attributes(g *Goroutine, text []byte) (unknown bool) {
	state, text, more := bytes.Cut(text, []byte(", "))
	state, g.Scan = bytes.CutSuffix(state, []byte(" (scan)"))
	state, g.Leaked = bytes.CutSuffix(state, []byte(" (leaked)"))
	g.State = p.intern(state)
	for more {
		var a []byte
		a, text, more = bytes.Cut(text, []byte(", "))
		n, digits := decimal(a)
		switch {
		case digits > 0 && string(a[digits:]) == " minutes":
			g.Minutes = int(n)
		case string(a) == "locked to thread":
			g.Locked = true
		case bytes.HasPrefix(a, []byte("synctest bubble ")):
			g.Bubble, _ = decimal(a[len("synctest bubble "):])
		case bytes.HasPrefix(a, []byte("synctest group ")): // Go 1.24
			g.Bubble, _ = decimal(a[len("synctest group "):])
		default:
			unknown = true
		}
	}
	return unknown
}

// labels reads `"key": "value", "key": "value"}`, with or without the spaces.
func (p *parser) labels(text []byte) (labels map[string]string, fine bool) {
	for {
		key, rest, ok := p.quoted(text)
		if !ok {
			return labels, false
		}
		value, rest, ok := p.quoted(bytes.TrimLeft(rest, ": "))
		if !ok {
			return labels, false
		}
		if labels == nil {
			labels = make(map[string]string, 2)
		}
		labels[key] = value
		text = bytes.TrimLeft(rest, ", ")
		if len(text) == 0 || text[0] == '}' {
			return labels, len(text) == 1
		}
	}
}

// quoted reads one quoted string and returns what follows it.
func (p *parser) quoted(text []byte) (s string, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return "", text, false
	}
	escaped := false
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			if !escaped {
				return p.intern(text[1:i]), text[i+1:], true
			}
			s, err := strconv.Unquote(string(text[:i+1]))
			if err != nil { // some escape that Go does not read back: better raw than lost
				s = string(text[1:i])
			}
			p.used += len(s)
			return s, text[i+1:], true
		}
	}
	return "", text, false
}

// decimal reads the digits that text starts with and returns how many there
// are, 0 if there are none or too many to be a number of ours.
func decimal(text []byte) (n int64, digits int) {
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		if digits == 18 {
			return 0, 0
		}
		n = n*10 + int64(text[digits]-'0')
		digits++
	}
	return n, digits
}
