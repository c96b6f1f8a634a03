package loadtest

import "net/http"

// Recorded is one request as it came in at a service once, to be sent again:
// signed anew, under a fresh id or its old one.
type Recorded struct {
	Method string
	Path   string // without what proves a secret
	Header http.Header
	Body   []byte
	// ID is under what the service knew it, and is to know it again. "": it is
	// sent under a fresh one.
	ID string
	// IDAt is where in Body the id stands as a JSON value, from and to. Zero: nowhere.
	IDAt [2]int
	// Of is the first of its traffic that had its id: its own place in the list,
	// unless it is Repeated.
	Of       uint64
	Variant  Variant
	Negative int // of Spoiled: which of Traffic.Negatives
}
