package target

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// mostDigits is how many digits one {{rand N}} may have.
const mostDigits = 4096

// text is a text with placeholders: {{run}}, {{seq}}, {{id}}, {{project}} and
// {{rand N}}.
type text []piece

// piece is a literal, or one placeholder.
type piece struct {
	literal string
	kind    kind
	digits  int // of random
}

type kind uint8

const (
	literal kind = iota
	run
	seq
	id
	project
	random
)

// facts are what placeholders stand for in one request.
type facts struct {
	run     string
	seq     uint64
	id      string
	project string
	draw    *rand.PCG
}

// parse returns the text that s is. A placeholder that is none is an error.
func parse(s string) (text, error) {
	var t text
	for {
		before, rest, found := strings.Cut(s, "{{")
		if before != "" {
			t = append(t, piece{literal: before})
		}
		if !found {
			return t, nil
		}
		name, after, found := strings.Cut(rest, "}}")
		if !found {
			return nil, fmt.Errorf("%q has no end; write }} after it", "{{"+cut(rest))
		}
		p, err := placeholder(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		t = append(t, p)
		s = after
	}
}

func placeholder(name string) (piece, error) {
	switch name {
	case "run":
		return piece{kind: run}, nil
	case "seq":
		return piece{kind: seq}, nil
	case "id":
		return piece{kind: id}, nil
	case "project":
		return piece{kind: project}, nil
	}
	if digits, found := strings.CutPrefix(name, "rand "); found {
		if n, err := strconv.Atoi(strings.TrimSpace(digits)); err == nil && n >= 1 && n <= mostDigits {
			return piece{kind: random, digits: n}, nil
		}
		return piece{}, fmt.Errorf("{{%s}} asks for %s random digits; write a number from 1 to %d", cut(name), cut(digits), mostDigits)
	}
	return piece{}, fmt.Errorf("{{%s}} stands for nothing; there are {{run}}, {{seq}}, {{id}}, {{project}} and {{rand N}}", cut(name))
}

func cut(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// fixed reports whether t is the same in all requests.
func (t text) fixed() bool {
	for _, p := range t {
		if p.kind != literal {
			return false
		}
	}
	return true
}

// has reports whether t has a placeholder of that kind.
func (t text) has(k kind) bool {
	for _, p := range t {
		if p.kind == k {
			return true
		}
	}
	return false
}

// fill appends t to b, placeholders filled in.
func (t text) fill(b []byte, f *facts) []byte {
	for _, p := range t {
		switch p.kind {
		case literal:
			b = append(b, p.literal...)
		case run:
			b = append(b, f.run...)
		case seq:
			b = strconv.AppendUint(b, f.seq, 10)
		case id:
			b = append(b, f.id...)
		case project:
			b = append(b, f.project...)
		case random:
			b = appendHex(b, f.draw, p.digits)
		}
	}
	return b
}

// appendHex appends n random hex digits.
func appendHex(b []byte, draw *rand.PCG, n int) []byte {
	var raw [8]byte
	var digits [16]byte
	for n > 0 {
		x := draw.Uint64()
		for i := range raw {
			raw[i] = byte(x >> (8 * i))
		}
		hex.Encode(digits[:], raw[:])
		m := min(n, len(digits))
		b = append(b, digits[:m]...)
		n -= m
	}
	return b
}
