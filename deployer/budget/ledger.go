// Package budget counts the queries that one request makes, so that a request
// which asks the database 511 times where 4 would do is named together with
// the statement that it repeats.
//
// It knows no database: a store calls [Count] for each statement it executes.
// It refuses to stop anybody; whoever called [Start] asks [Ledger.Over] when
// the request is done. It starts no goroutine.
package budget

import (
	"context"
	"sync"
)

// maxDistinct bounds the memory of a ledger. Statements beyond it are still
// counted, only not told apart.
const maxDistinct = 1024

type key struct{}

// Ledger counts the queries of one request. It is safe for concurrent use.
type Ledger struct {
	name  string
	limit int

	mu         sync.Mutex // guards all below
	queries    int
	statements map[string]int
}

// Excess is what a request did beyond its budget.
type Excess struct {
	Name      string // as given to Start, e.g. the route
	Queries   int
	Limit     int
	Statement string // the one that was repeated most, normalised
	Repeats   int    // how often it was executed
}

// Start returns a context whose queries are counted under name, and their
// ledger. limit is the number of queries that are in order; 0 means any number.
func Start(ctx context.Context, name string, limit int) (context.Context, *Ledger) {
	l := &Ledger{name: name, limit: limit}
	return context.WithValue(ctx, key{}, l), l
}

// Shared returns a context whose queries are charged to nobody: those of a
// transaction in which many requests take part.
func Shared(ctx context.Context) context.Context {
	if ctx.Value(key{}) == nil {
		return ctx
	}
	return context.WithValue(ctx, key{}, (*Ledger)(nil))
}

// Count charges one execution of statement to the request behind ctx, if any.
func Count(ctx context.Context, statement string) {
	l, _ := ctx.Value(key{}).(*Ledger)
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queries++
	if l.statements == nil {
		l.statements = make(map[string]int)
	}
	if _, known := l.statements[statement]; known || len(l.statements) < maxDistinct {
		l.statements[statement]++
	}
}

// Queries returns the number of queries so far.
func (l *Ledger) Queries() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queries
}

// Over reports whether the budget is exceeded, and by what. Statements that
// differ only in their literals, white space or the length of a list are one.
func (l *Ledger) Over() (Excess, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limit <= 0 || l.queries <= l.limit {
		return Excess{}, false
	}
	excess := Excess{Name: l.name, Queries: l.queries, Limit: l.limit}
	repeats := make(map[string]int, len(l.statements))
	for raw, n := range l.statements {
		s := Normalize(raw)
		repeats[s] += n
	}
	for s, n := range repeats {
		if n > excess.Repeats || n == excess.Repeats && s < excess.Statement {
			excess.Statement, excess.Repeats = s, n
		}
	}
	return excess, true
}
