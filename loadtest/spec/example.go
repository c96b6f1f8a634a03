package spec

import _ "embed"

//go:embed example.yaml
var example string

// Example returns a scenario that has every key of the format, with what it
// means and what holds without it.
func Example() string { return example }
