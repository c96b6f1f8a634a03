// Package loadtest holds the nouns of seadog's load tester: what one request
// was like for its sender, and what many were.
//
// It imports nothing of seadog and starts no goroutine. What sends lives in
// sub-packages named for what they send.
package loadtest
