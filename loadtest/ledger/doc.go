// Package ledger balances what the service said that it took against what it
// knows afterwards.
//
// It owns what is known of every id, in two bits, and the rules: accepted and
// absent is lost; one id with two jobs is a duplicate; refused and present is a
// hole; no answer and present is fine. It refuses to keep ids: they are
// computed again when the books are closed.
//
// What the service knows comes from seadog's list of deliveries, from a list of
// ids, or, where there is no list, from a counter, which tells how many were
// lost but not which.
//
// While requests are sent the ledger holds 250 KB for a million ids. To close
// it takes about 16 bytes more for each, and gives them back.
//
// Goroutines: none.
package ledger
