// Package flight computes, from samples alone, what was under way at each
// moment of a run: the stretches in which something was outstanding and nothing
// completed ([Gaps]), how much was outstanding at once ([Level]), and how much
// was sent within a tenth of a second ([Burst]).
//
// A sample is known when its request has ended, and what was under way meanwhile
// only then. So everything here is asked about a time that lies a horizon back,
// the longest that a request can take: by then all is known, and exactly. Within the
// horizon memory is bounded, whatever the rate.
//
// It owns no goroutine and no lock.
package flight
