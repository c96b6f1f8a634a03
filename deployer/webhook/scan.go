package webhook

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// enter enters the object or array at hand. It returns false for null.
func (c *cursor) enter(bracket byte, what string) bool {
	if c.err != nil {
		return false
	}
	switch c.peek() {
	case bracket:
		c.pos++
		if c.depth++; c.depth > maxDepth {
			c.syntax("nested deeper than " + strconv.Itoa(maxDepth))
			return false
		}
		return true
	case 'n':
		c.literal("null")
	default:
		c.mistyped(what)
	}
	return false
}

// more moves to the next member or element, or leaves behind bracket.
func (c *cursor) more(bracket byte, first bool) bool {
	if c.err != nil {
		return false
	}
	b := c.peek()
	switch {
	case b == bracket:
		c.pos++
		c.depth--
		return false
	case first:
		return true
	case b == ',':
		c.pos++
		c.peek()
		return true
	}
	c.syntax("a comma or closing bracket is missing")
	return false
}

// key reads a key and the colon, and stops at the value.
func (c *cursor) key() []byte {
	if c.err != nil {
		return nil
	}
	if c.peek() != '"' {
		c.syntax("a quoted key is missing")
		return nil
	}
	raw, escaped := c.quoted()
	if c.err != nil {
		return nil
	}
	if c.peek() != ':' {
		c.syntax("a colon is missing")
		return nil
	}
	c.pos++
	c.peek()
	if escaped {
		return unescape(raw, maxName)
	}
	return raw
}

// prefix returns the string at hand, cut a little behind limit so that clean
// can see that it was longer.
func (c *cursor) prefix(limit int) string {
	if c.err != nil {
		return ""
	}
	switch c.peek() {
	case '"':
		raw, escaped := c.quoted()
		if escaped {
			raw = unescape(raw, limit+1)
		}
		return string(raw[:min(len(raw), limit+1)])
	case 'n':
		c.literal("null")
	default:
		c.mistyped("a string")
	}
	return ""
}

// peek skips white space and returns the byte at hand, 0 at the end.
func (c *cursor) peek() byte {
	for c.pos < len(c.data) {
		switch b := c.data[c.pos]; b {
		case ' ', '\n', '\r', '\t':
			c.pos++
		default:
			return b
		}
	}
	return 0
}

// quoted returns what is between the quotes at hand.
func (c *cursor) quoted() (raw []byte, escaped bool) {
	c.pos++
	start := c.pos
	for {
		c.pos += plain(c.data[c.pos:])
		if c.pos >= len(c.data) {
			c.syntax("a string does not end")
			return nil, false
		}
		switch c.data[c.pos] {
		case '"':
			c.pos++
			return c.data[start : c.pos-1], escaped
		case '\\':
			escaped = true
			n := escapeLen(c.data[c.pos:])
			if n == 0 {
				c.syntax("an escape sequence is not one")
				return nil, false
			}
			c.pos += n
		default:
			c.syntax("a control character is in a string")
			return nil, false
		}
	}
}

// plain returns how many bytes at the start of s are neither a quote, nor a
// backslash, nor a control character. Most of a payload passes through here,
// so it looks at eight bytes at a time: a byte is special if it is below 0x20,
// or zero after XOR with a special one, and (x - ones) &^ x has the top bit of
// the lowest such byte set.
func plain(s []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; len(s)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(s[i:])
		quote, slash := x^(ones*'"'), x^(ones*'\\')
		if found := ((x-ones*0x20)&^x | (quote-ones)&^quote | (slash-ones)&^slash) & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(s) && s[i] >= 0x20 && s[i] != '"' && s[i] != '\\'; i++ {
	}
	return i
}

func (c *cursor) literal(word string) {
	if end := c.pos + len(word); end <= len(c.data) && string(c.data[c.pos:end]) == word {
		c.pos = end
		return
	}
	c.syntax("not a JSON value")
}

// numeral reads a JSON number.
func (c *cursor) numeral() {
	if c.at('-') {
		c.pos++
	}
	switch {
	case c.at('0'):
		c.pos++
	case !c.digits():
		c.syntax("not a JSON value")
		return
	}
	if c.at('.') {
		if c.pos++; !c.digits() {
			c.syntax("a number has no digits after its point")
			return
		}
	}
	if c.at('e') || c.at('E') {
		if c.pos++; c.at('+') || c.at('-') {
			c.pos++
		}
		if !c.digits() {
			c.syntax("a number has no digits in its exponent")
		}
	}
}

func (c *cursor) at(b byte) bool { return c.pos < len(c.data) && c.data[c.pos] == b }

func (c *cursor) digits() bool {
	start := c.pos
	for c.pos < len(c.data) && c.data[c.pos] >= '0' && c.data[c.pos] <= '9' {
		c.pos++
	}
	return c.pos > start
}

func (c *cursor) syntax(what string) {
	if c.err == nil {
		c.err = deployer.Errorf(deployer.CodeInvalid, "the body is not valid JSON: byte %d: %s", c.pos, what)
	}
}

func (c *cursor) mistyped(want string) {
	if c.pos >= len(c.data) {
		c.syntax("it ends too early")
		return
	}
	c.fail("the field %s must be %s", c.field(), want)
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = deployer.Errorf(deployer.CodeInvalid, format, args...).
			WithHint("check that the hook is configured for the provider that sends this, with its content type set to JSON")
	}
}

// field names the value at hand, like repository.full_name.
func (c *cursor) field() string {
	var b strings.Builder
	for i, key := range c.trail {
		if i > 0 {
			b.WriteByte('.')
		}
		b.Write(key[:min(len(key), maxName)])
	}
	return marked(b.String(), maxName)
}
