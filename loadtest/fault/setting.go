package fault

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// settings are the arguments of an action, read, with what it leaves out filled in.
type settings struct {
	numbers map[string]float64 // nanoseconds, bytes, bytes per second, shares of one
	words   map[string]string
}

func (s settings) duration(name string) time.Duration { return time.Duration(s.numbers[name]) }
func (s settings) size(name string) int64             { return int64(s.numbers[name]) }
func (s settings) count(name string) int              { return int(s.numbers[name]) }
func (s settings) share(name string) float64          { return s.numbers[name] }
func (s settings) word(name string) string            { return s.words[name] }

// read reads the arguments of an action of kind k. What is wrong with them is
// told by problem, argument by argument; such an argument has its default.
func (k kind) read(action loadtest.Action, problem func(field, text string)) settings {
	s := settings{numbers: map[string]float64{}, words: map[string]string{}}
	for _, a := range k.args {
		text, given := action.Args[a.name]
		if !given && a.required {
			problem(a.name, fmt.Sprintf("is missing: %s needs it, %s", k.name, a.expects()))
			continue
		}
		if !given {
			text = a.fallback
		}
		if err := a.read(s, text); err != nil {
			problem(a.name, err.Error())
		}
	}
	return s
}

// read sets s to what text says.
func (a arg) read(s settings, text string) error {
	switch a.format {
	case word:
		if !slices.Contains(a.words, text) {
			return fmt.Errorf("is %q: want %s", text, a.expects())
		}
		s.words[a.name] = text
		return nil
	case path:
		if !strings.HasPrefix(text, "/") || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return fmt.Errorf("is %q: want %s", text, a.expects())
		}
		s.words[a.name] = text
		return nil
	}
	n, err := parseNumber(text, a.format)
	if err != nil {
		return fmt.Errorf("is %q: want %s", text, a.expects())
	}
	if n < a.min || a.max > 0 && n > a.max {
		return fmt.Errorf("is %s, but must be %s", text, a.bounds())
	}
	s.numbers[a.name] = n
	return nil
}

// expects says how the argument is written.
func (a arg) expects() string {
	switch a.format {
	case duration:
		return "a duration like 200ms"
	case size:
		return "a size like 64KiB"
	case flow:
		return "a size per second like 64KiB/s"
	case share:
		return "a share like 20%"
	case count:
		return "a whole number"
	case path:
		return "a path that begins with /"
	}
	return "one of " + strings.Join(a.words, ", ")
}

func (a arg) bounds() string {
	if a.max == 0 {
		return "at least " + formatNumber(a.min, a.format)
	}
	return "between " + formatNumber(a.min, a.format) + " and " + formatNumber(a.max, a.format)
}

var errNumber = errors.New("not a number of that format")

// parseNumber reads text in base units.
func parseNumber(text string, f format) (float64, error) {
	switch f {
	case duration:
		d, err := time.ParseDuration(text)
		return float64(d), err
	case size:
		return parseSize(text)
	case flow:
		amount, ok := strings.CutSuffix(text, "/s")
		if !ok {
			return 0, errNumber
		}
		return parseSize(amount)
	case share:
		amount, percent := strings.CutSuffix(text, "%")
		n, err := strconv.ParseFloat(amount, 64)
		if percent {
			n /= 100
		}
		if err != nil || math.IsNaN(n) {
			return 0, errNumber
		}
		return n, nil
	case count:
		n, err := strconv.Atoi(text)
		return float64(n), err
	}
	return 0, errNumber
}

var sizes = []struct {
	unit string
	size float64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// parseSize reads 64KiB. The unit must be there.
func parseSize(text string) (float64, error) {
	for _, u := range sizes {
		amount, ok := strings.CutSuffix(text, u.unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(amount, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return 0, errNumber
		}
		return math.Round(n * u.size), nil
	}
	return 0, errNumber
}

// formatNumber writes a number as it would be read.
func formatNumber(n float64, f format) string {
	switch f {
	case duration:
		return formatDuration(time.Duration(n))
	case size:
		return formatSize(n)
	case flow:
		return formatSize(n) + "/s"
	case share:
		return strconv.FormatFloat(n*100, 'g', 4, 64) + "%"
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// formatDuration leaves out zeros: 1m, not 1m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func formatSize(n float64) string {
	for _, u := range sizes {
		if n >= u.size && math.Mod(n, u.size) == 0 {
			return strconv.FormatFloat(n/u.size, 'f', -1, 64) + u.unit
		}
	}
	return strconv.FormatFloat(n, 'f', -1, 64) + "B"
}
