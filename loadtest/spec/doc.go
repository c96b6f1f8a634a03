// Package spec reads scenario files: strict YAML to a [loadtest.Scenario], the
// grammar of thresholds, and the plan of a run.
//
// Everything that can be known before the first request is said before it, with
// file, line and column, and what to do: a key that is misspelt, a threshold on
// a phase that does not exist, a percentile for which too few requests are
// planned. The format is described by a commented example, [Example].
//
// Reading a file has no side effects; it opens no connection and starts no
// goroutine. What it reads besides are the files that the scenario names, and
// secrets of the environment, through [Options].
package spec
