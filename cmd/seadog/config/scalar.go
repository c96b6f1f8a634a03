package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// size is a number of bytes, written 26MiB.
type size int64

const (
	kib size = 1 << 10
	mib size = 1 << 20
	gib size = 1 << 30
)

var units = []struct {
	name  string
	bytes size
}{{"GiB", gib}, {"MiB", mib}, {"KiB", kib}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

func parseSize(text string) (size, error) {
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/int64(u.bytes) {
			break
		}
		return size(n) * u.bytes, nil
	}
	return 0, fmt.Errorf("no number with a unit: %q", text)
}

func (s size) String() string {
	for _, u := range units[:3] {
		if s >= u.bytes && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// MarshalText makes sizes print as they are written.
func (s size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// secret is a deployer.Secret that prints as nothing when it is not set.
type secret struct{ deployer.Secret }

// IsZero is what omits it.
func (s secret) IsZero() bool { return s.Empty() }

// nearest returns the name that is at most two edits away from s, or "".
func nearest(s string, names []string) string {
	best, found := 3, ""
	for _, name := range names {
		if d := distance(s, name); d < best && d < len(name) {
			best, found = d, name
		}
	}
	return found
}

// distance is the Levenshtein distance; keys are short.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
