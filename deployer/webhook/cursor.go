package webhook

import (
	"iter"
	"strconv"
	"time"
)

// maxDepth is how deep JSON may nest. Payloads of forges nest five deep.
const maxDepth = 512

// cursor reads a JSON document in one pass, without building what nobody
// asked for. It accepts exactly what encoding/json accepts, up to maxDepth.
//
// The first error sticks: every method does nothing after it and returns zero
// values, so callers ask once, at the end. Null reads as the zero value of
// whatever is asked for.
//
//	c := open(body)
//	for key := range c.members() {
//		switch string(key) {
//		case "ref":
//			ref = c.name(maxRef)
//		}
//	}
//	return ref, c.close()
type cursor struct {
	data  []byte
	pos   int
	depth int
	trail [][]byte // keys that lead to pos
	err   error    // a [deployer.Error]; a plain error so that close never returns a typed nil
}

// open returns a cursor in front of the object that data must consist of.
func open(data []byte) *cursor {
	c := &cursor{data: data, trail: make([][]byte, 0, 8)}
	if c.peek() != '{' {
		c.fail("the body is not a JSON object")
	}
	return c
}

// close returns the first error, or that something follows the object.
func (c *cursor) close() error {
	if c.peek(); c.err == nil && c.pos < len(c.data) {
		c.syntax("something follows the JSON object")
	}
	return c.err
}

// members yields the keys of the object at hand. The body of the loop reads
// the value; values that it does not read are skipped.
func (c *cursor) members() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if !c.enter('{', "an object") {
			return
		}
		going := true
		for first := true; c.more('}', first); first = false {
			key := c.key()
			start := c.pos
			c.trail = append(c.trail, key)
			going = going && c.err == nil && yield(key)
			if c.pos == start {
				c.skip()
			}
			c.trail = c.trail[:len(c.trail)-1]
		}
	}
}

// elements yields once for every element of the array at hand.
func (c *cursor) elements() iter.Seq[int] {
	return func(yield func(int) bool) {
		if !c.enter('[', "a list") {
			return
		}
		going := true
		for i := 0; c.more(']', i == 0); i++ {
			start := c.pos
			going = going && yield(i)
			if c.pos == start {
				c.skip()
			}
		}
	}
}

// text returns the string at hand, cleaned and with at most limit bytes.
func (c *cursor) text(limit int) string {
	s, _ := clean(c.prefix(limit), limit)
	return s
}

// name returns the string at hand as something that others compare; see [marked].
func (c *cursor) name(limit int) string {
	return marked(c.prefix(limit), limit)
}

// id returns the string at hand as a delivery id.
func (c *cursor) id() string { return deliveryID(c.prefix(maxMessage)) }

// time returns the RFC 3339 time at hand, zero if it is another string.
func (c *cursor) time() time.Time {
	t, err := time.Parse(time.RFC3339, c.prefix(maxTime))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// flag returns the boolean at hand.
func (c *cursor) flag() bool {
	if c.err != nil {
		return false
	}
	switch c.peek() {
	case 't':
		c.literal("true")
		return c.err == nil
	case 'f':
		c.literal("false")
	case 'n':
		c.literal("null")
	default:
		c.mistyped("true or false")
	}
	return false
}

// number returns the integer at hand.
func (c *cursor) number() int {
	if c.err != nil {
		return 0
	}
	b := c.peek()
	if b == 'n' {
		c.literal("null")
		return 0
	}
	start := c.pos
	if b != '-' && (b < '0' || b > '9') {
		c.mistyped("a number")
		return 0
	}
	c.numeral()
	n, err := strconv.Atoi(string(c.data[start:c.pos]))
	if err != nil && c.err == nil {
		c.mistyped("a whole number")
		return 0
	}
	return n
}

// member returns the first of the named members of the object at hand that is
// there and not empty; names come in order of preference.
func (c *cursor) member(limit int, names ...string) string {
	var found string
	best := len(names)
	for key := range c.members() {
		for i, name := range names[:best] {
			if name == string(key) {
				if s := c.name(limit); s != "" {
					found, best = s, i
				}
				break
			}
		}
	}
	return found
}

// skip reads the value at hand and forgets it.
func (c *cursor) skip() {
	if c.err != nil {
		return
	}
	switch c.peek() {
	case '{':
		c.enter('{', "")
		for first := true; c.more('}', first); first = false {
			c.key()
			c.skip()
		}
	case '[':
		c.enter('[', "")
		for first := true; c.more(']', first); first = false {
			c.skip()
		}
	case '"':
		c.quoted()
	case 't':
		c.literal("true")
	case 'f':
		c.literal("false")
	case 'n':
		c.literal("null")
	default:
		c.numeral()
	}
}
