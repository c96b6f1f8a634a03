// Package record folds the samples of a run into what a report shows: counts
// and percentiles by traffic, a time series, classes of errors, and, while the
// run goes, what a terminal shows.
//
// Memory is constant however long the run is and whatever goes wrong in it:
// durations are histograms, texts of errors are at most 50, and the series
// never has more than 4,096 rows. When there would be more, two become one and
// the length of a row doubles. Counts add up; percentiles do not, so that every
// second gets percentiles of its own, and a row those of its worst second. A row
// of eight seconds is therefore never lower than what it replaced, and a
// series does not fall because its rows got longer.
//
// A sample counts in the second in which it was due, with what it waited and
// what it took, but as done or failed in the second in which it ended. A
// second is closed when nothing that was due in it can come any more.
//
// It judges nothing, and owns no goroutine.
package record
