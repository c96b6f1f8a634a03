package spec

import "strings"

// suggest says what may be meant by a name that is none of names.
func suggest(name string, names []string, otherwise string) string {
	if near := nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return otherwise + strings.Join(names, ", ")
}

// nearest returns the name that is at most two edits away from s, less for
// short ones, or "".
func nearest(s string, names []string) string {
	best, found := 3, ""
	for _, name := range names {
		if d := edits(s, name); d < best && 2*d < max(len(s), len(name)) {
			best, found = d, name
		}
	}
	return found
}

// edits is the Levenshtein distance; names are short.
func edits(a, b string) int {
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
