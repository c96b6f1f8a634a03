package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The scalars of the format. Each prints as it is written.

// duration is written 30s, 2m or 1h30m.
type duration time.Duration

func (d *duration) set(text string) (what, do string) {
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return fmt.Sprintf("%q is not a duration", cut(text)), "write a number with a unit, like 500ms, 30s, 5m or 1h30m"
	}
	*d = duration(parsed)
	return "", ""
}

// MarshalText implements [encoding.TextMarshaler].
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// rate is a number per second, written 400/s, 30/min or 10/h.
type rate float64

var perUnit = []struct {
	unit    string
	seconds float64
}{{"/s", 1}, {"/min", 60}, {"/h", 3600}}

func (r *rate) set(text string) (what, do string) {
	for _, per := range perUnit {
		digits, ok := strings.CutSuffix(text, per.unit)
		if !ok {
			continue
		}
		if n, ok := decimal(strings.TrimSpace(digits)); ok {
			*r = rate(n / per.seconds)
			return "", ""
		}
	}
	return fmt.Sprintf("%q is not a rate", cut(text)), "write how many in what time, like 400/s, 30/min or 10/h"
}

// MarshalText implements [encoding.TextMarshaler]. A rate prints in the
// coarsest unit in which it has few digits and reads back as it is.
func (r rate) MarshalText() ([]byte, error) {
	for _, per := range perUnit {
		if text := plain(math.Round(float64(r)*per.seconds*1e6) / 1e6); text != "0" {
			var back rate
			if back.set(text + per.unit); back == r {
				return []byte(text + per.unit), nil
			}
		}
	}
	return []byte(plain(float64(r)) + "/s"), nil
}

// size is a number of bytes, written 2KiB.
type size int64

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

func (s *size) set(text string) (what, do string) {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err == nil && n >= 0 && n <= math.MaxInt64/u.bytes {
			*s = size(n * u.bytes)
			return "", ""
		}
		break
	}
	return fmt.Sprintf("%q is not a size", cut(text)), "write a whole number with a unit, like 512B, 20KiB or 1MiB"
}

func (s size) String() string {
	for _, u := range sizeUnits {
		if int64(s) >= u.bytes && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// MarshalText implements [encoding.TextMarshaler].
func (s size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// span is a range of sizes, written 2KiB..20KiB, or 7KiB if there is only one.
type span struct{ least, most size }

func (s *span) set(text string) (what, do string) {
	from, to, ranged := strings.Cut(text, "..")
	if !ranged {
		to = from
	}
	var r span
	what, _ = r.least.set(strings.TrimSpace(from))
	if what == "" {
		what, _ = r.most.set(strings.TrimSpace(to))
	}
	if what == "" && r.most < r.least {
		return fmt.Sprintf("%q ends below its begin", cut(text)), "write the smaller size first, like 2KiB..20KiB"
	}
	if what != "" {
		return fmt.Sprintf("%q is neither a size nor a range of sizes", cut(text)), "write 7KiB or 2KiB..20KiB"
	}
	*s = r
	return "", ""
}

// MarshalText implements [encoding.TextMarshaler].
func (s span) MarshalText() ([]byte, error) {
	if s.least == s.most {
		return s.least.MarshalText()
	}
	return []byte(s.least.String() + ".." + s.most.String()), nil
}

// share is a part of all, written 2%.
type share float64

func (s *share) set(text string) (what, do string) {
	if digits, ok := strings.CutSuffix(text, "%"); ok {
		if n, ok := scaled(strings.TrimSpace(digits), -2); ok && n <= 1 {
			*s = share(n)
			return "", ""
		}
	}
	return fmt.Sprintf("%q is not a share", cut(text)), "write percent, like 2% or 0.1%"
}

// MarshalText implements [encoding.TextMarshaler].
func (s share) MarshalText() ([]byte, error) { return []byte(shifted(float64(s), 2) + "%"), nil }

// times is a factor, written 2x; unlimited is 0.
type times float64

func (t *times) set(text string) (what, do string) {
	if text == "unlimited" {
		*t = 0
		return "", ""
	}
	if digits, ok := strings.CutSuffix(text, "x"); ok {
		if n, ok := decimal(strings.TrimSpace(digits)); ok && n >= 1 && n <= 1000 {
			*t = times(n)
			return "", ""
		}
	}
	return fmt.Sprintf("%q is not a factor", cut(text)), "write 2x to catch up at twice the rate, 1x to leave out what was missed, or unlimited"
}

// MarshalText implements [encoding.TextMarshaler].
func (t times) MarshalText() ([]byte, error) {
	if t == 0 {
		return []byte("unlimited"), nil
	}
	return []byte(plain(float64(t)) + "x"), nil
}

// number is a plain number, with decimals or without.
type number float64

func (n *number) set(text string) (what, do string) {
	parsed, ok := decimal(text)
	if !ok {
		return fmt.Sprintf("%q is not a number", cut(text)), "write digits, like 0.5 or 2"
	}
	*n = number(parsed)
	return "", ""
}

// MarshalText implements [encoding.TextMarshaler].
func (n number) MarshalText() ([]byte, error) { return []byte(plain(float64(n))), nil }

// decimal reads digits, with a point among them or without. Signs, exponents
// and names of numbers are refused, for nothing here is ever below 0.
func decimal(text string) (float64, bool) { return scaled(text, 0) }

// scaled reads digits times ten to the power of e, rounded once.
func scaled(text string, e int) (float64, bool) {
	if text == "" || len(text) > 40 || strings.Trim(text, "0123456789.") != "" || text[0] == '.' || strings.HasSuffix(text, ".") {
		return 0, false
	}
	n, err := strconv.ParseFloat(text+"e"+strconv.Itoa(e), 64)
	return n, err == nil
}

// plain prints a number without an exponent, in as many digits as it needs.
func plain(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// shifted prints n times ten to the power of e without rounding: what [scaled]
// reads back.
func shifted(n float64, e int) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(n, 'e', -1, 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	power, _ := strconv.Atoi(exponent) // it is what FormatFloat wrote
	point := 1 + power + e             // digits before the point
	if point <= 0 {
		digits = strings.Repeat("0", 1-point) + digits
		point = 1
	}
	if len(digits) < point {
		digits += strings.Repeat("0", point-len(digits))
	}
	whole, part := digits[:point], strings.TrimRight(digits[point:], "0")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if part == "" {
		return whole
	}
	return whole + "." + part
}
