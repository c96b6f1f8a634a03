// Package histogram counts durations exactly where it can (how many, their
// mean, least and most) and within a thousandth where it must not keep them all
// (quantiles). What two runs, phases or machines counted merges without loss.
//
// It stands on the HDR histogram, because a t-digest was found to be wrong by a
// factor of a hundred just where a gate looks: at the edge of a second mode.
//
// It owns no goroutine and no lock.
package histogram
