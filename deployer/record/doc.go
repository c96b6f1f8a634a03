// Package record is what the stores have in common: the rows of the tables, the
// statements that read and write them, and the decisions in between. SQLite and
// PostgreSQL differ in how a transaction comes about and in a few words, so
// everything else exists once, and a store is an adapter of [Database].
//
// A decision loads what it needs, lets the nouns of package deployer decide
// ([deployer.Lane.Place], [deployer.Repeat], [deployer.Status.To]) and writes
// the result: no rule lives in SQL. Statements use $1-style placeholders, which
// both databases understand. Times are integer microseconds (UTC), 0 for none.
//
// It refuses to open, lock, retry or time anything, and starts no goroutine.
package record
