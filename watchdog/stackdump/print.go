package stackdump

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Print writes g as Go would, so that any tool for dumps reads it, but with
// these labels in the place of its own, and without what may be secret: of
// arguments only the addresses of locks are left.
func (g *Goroutine) Print(b *bytes.Buffer, labels map[string]string) {
	if g.ID == 0 {
		g.printEntry(b, labels)
		return
	}
	fmt.Fprintf(b, "goroutine %d [%s", g.ID, g.State)
	if g.Minutes > 0 {
		fmt.Fprintf(b, ", %d minutes", g.Minutes)
	}
	if g.Locked {
		b.WriteString(", locked to thread")
	}
	if len(labels) > 0 {
		fmt.Fprintf(b, " labels:{%s}", quoted(labels, ": "))
	}
	b.WriteString("]:\n")
	if g.Unavailable {
		b.WriteString("\tgoroutine running on other thread; stack unavailable\n")
	}
	for _, f := range g.Frames {
		fmt.Fprintf(b, "%s(%s)\n", f.Func, printedArgument(f))
		if f.File != "" {
			fmt.Fprintf(b, "\t%s:%d\n", f.File, f.Line)
		}
	}
	if g.Elided {
		b.WriteString("...additional frames elided...\n")
	}
	if g.Creator.Func == "" {
		return
	}
	fmt.Fprintf(b, "created by %s", g.Creator.Func)
	if g.CreatorID != 0 {
		fmt.Fprintf(b, " in goroutine %d", g.CreatorID)
	}
	fmt.Fprintf(b, "\n\t%s:%d\n", g.Creator.File, g.Creator.Line)
}

// printEntry is for what came from a profile with debug=1.
func (g *Goroutine) printEntry(b *bytes.Buffer, labels map[string]string) {
	fmt.Fprintf(b, "%d @\n", g.Count)
	if len(labels) > 0 {
		fmt.Fprintf(b, "# labels: {%s}\n", quoted(labels, ":"))
	}
	for _, f := range g.Frames {
		fmt.Fprintf(b, "#\t0x0\t%s+0x0\t%s:%d\n", f.Func, f.File, f.Line)
	}
}

// quoted returns labels as the runtime writes them, in order.
func quoted(labels map[string]string, is string) string {
	pairs := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%q%s%q", key, is, labels[key]))
	}
	return strings.Join(pairs, ", ")
}

// printedArgument keeps the first argument where it can only be the address of a lock.
func printedArgument(f Frame) string {
	switch Package(f.Func) {
	case "sync", "internal/sync":
		if f.Arg != 0 {
			return f.Arg.String()
		}
	}
	return "..."
}
