package hang

import (
	"context"
	"fmt"
	"sync"
)

// ask asks each process of the service for its stacks, where there is somebody
// who can. Processes that take no questions are left out: most programs do not.
func (c *gathering) ask(ctx context.Context, n int) map[int][]byte {
	if c.config.Ask == nil || c.pid == 0 || c.inquiry.pprof.URL != "" {
		return nil
	}
	var mu sync.Mutex
	dumps := map[int][]byte{}
	var pieces []func()
	for _, p := range tree(c.pid) {
		pieces = append(pieces, func() {
			dump, err := c.config.Ask(ctx, p.pid)
			if err != nil || len(dump) == 0 {
				return
			}
			c.file(fmt.Sprintf("goroutines-%d-of-%d.txt", n, p.pid), dump)
			mu.Lock()
			defer mu.Unlock()
			dumps[p.pid] = dump
		})
	}
	c.all(pieces...)
	return dumps
}

// sentences is what the dumps of processes say that said so twice.
func (c *gathering) sentences(before, after look) (verdict string) {
	if c.config.Parse == nil {
		return ""
	}
	for _, p := range after.processes {
		_, first := c.config.Parse(before.asked[p.pid])
		_, second := c.config.Parse(after.asked[p.pid])
		if first == "" || second == "" {
			continue
		}
		if verdict != "" {
			verdict += "; "
		}
		verdict += fmt.Sprintf("in process %d (%s): %s", p.pid, p.name, second)
	}
	return verdict
}
