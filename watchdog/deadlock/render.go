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

// render writes a dump without what may be secret; of labels only the slot is
// left. The requests in the slots stand before it.
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
		g := &d.Goroutines[i]
		var labels map[string]string
		if slot, ok := slotOf(g); ok {
			labels = map[string]string{watchdog.LabelSlot: strconv.Itoa(slot)}
		}
		g.Print(&b, labels)
	}
	return b.Bytes()
}
