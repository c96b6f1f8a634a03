package guard

import (
	"context"

	"github.com/seadog/seadog/watchdog/process"
)

// spinning reports whether a thread was running whenever it was looked at, and
// used time for it. What cannot be looked at is not suspected.
func spinning() bool {
	used, _ := process.Computing(context.Background(), looks, lookStep)
	for _, cpu := range used {
		if cpu > 0 {
			return true
		}
	}
	return false
}
