// Package judge holds a run against its thresholds while it goes, and says at
// its end which of them held. The same calls in the same order give the same
// results: it reads no clock and starts no goroutine.
//
// What counts where:
//
//   - A request counts when it was due, in the phase in which it was due. It
//     belongs to a fault if the fault lasted at any moment between when it was due and
//     its end.
//   - A threshold with "over" is judged in windows that follow each other from
//     the beginning of the phase, or of the fault that it is about. A window is
//     closed when no request that was due in it can come any more. One at the end of a
//     phase may be shorter.
//   - Windows that overlap a fault are left out by "outside faults" only.
//   - A gap counts with all of its length in every window in which it went on. What of it
//     lies outside of the judged phases, or in a fault that is to be left out, is
//     cut off.
//   - Without a scope of its own a threshold is about the judged phases and the
//     judged traffic. "in fault(…)" is a scope of its own, whatever the phase.
//
// What is not known is never a pass: no samples, too few, or metrics of the
// service missing for more than three intervals are [loadtest.Inconclusive],
// unless what is known fails already. Windows with too few requests are passed
// over, as the plan of the scenario announced, if there are others; one that is a fifth
// short is judged, because arrivals are random.
//
// Two departures from the letter of the design. A quantile of the service's own
// histogram that lies beyond its last bucket has no value, and fails: the usual
// answer, the bound of that bucket, would pass. And recover(f) does not wait for
// windows of the thresholds' own length, which can be longer than the limit: it
// looks at the thresholds with "over" in windows of one second that begin where the
// fault ends, wherever their scope is, and wants five in a row in which all hold.
package judge
