package deadlock

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// render writes a dump as Go would, so that any tool for dumps reads it, but
// without what may be secret: of labels only the slot is left, of arguments
// only the addresses of locks. The requests in the slots stand before it.
func render(d *stackdump.Dump, who *people) []byte {
	var b bytes.Buffer
	for _, slot := range slices.Sorted(maps.Keys(who.requests)) {
		fmt.Fprintf(&b, "# slot %d: %s\n", slot, who.requests[slot])
	}
	if d.Dropped > 0 {
		fmt.Fprintf(&b, "# %d more goroutines were there\n", d.Dropped)
	}
	for i := range d.Goroutines {
		b.WriteByte('\n')
		if g := &d.Goroutines[i]; g.ID != 0 {
			renderStack(&b, g)
		} else {
			renderProfile(&b, g)
		}
	}
	return b.Bytes()
}

func renderStack(b *bytes.Buffer, g *stackdump.Goroutine) {
	fmt.Fprintf(b, "goroutine %d [%s", g.ID, g.State)
	if g.Minutes > 0 {
		fmt.Fprintf(b, ", %d minutes", g.Minutes)
	}
	if g.Locked {
		b.WriteString(", locked to thread")
	}
	if slot, ok := slotOf(g); ok {
		fmt.Fprintf(b, " labels:{%q: %q}", watchdog.LabelSlot, strconv.Itoa(slot))
	}
	b.WriteString("]:\n")
	if g.Unavailable {
		b.WriteString("\tgoroutine running on other thread; stack unavailable\n")
	}
	for _, f := range g.Frames {
		fmt.Fprintf(b, "%s(%s)\n", f.Func, argument(f))
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

// argument keeps the first argument where it can only be the address of a lock.
func argument(f stackdump.Frame) string {
	switch stackdump.Package(f.Func) {
	case "sync", "internal/sync":
		if f.Arg != 0 {
			return f.Arg.String()
		}
	}
	return "..."
}

func renderProfile(b *bytes.Buffer, g *stackdump.Goroutine) {
	fmt.Fprintf(b, "%d @\n", g.Count)
	if slot, ok := slotOf(g); ok {
		fmt.Fprintf(b, "# labels: {%q:%q}\n", watchdog.LabelSlot, strconv.Itoa(slot))
	}
	for _, f := range g.Frames {
		fmt.Fprintf(b, "#\t0x0\t%s+0x0\t%s:%d\n", f.Func, f.File, f.Line)
	}
}
