package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// idle measures what a lab costs that nobody asks for anything.
func idle(ctx context.Context, b *bench, r *report) (err error) {
	const (
		mostCPU = 0.5 // per cent of one core
		mostMB  = 40
	)
	s, err := b.start(ctx, r.Cell, options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	pause(ctx, calm)
	watchdog, all := cpu(s.pid), s.cpu()
	begin := time.Now()
	pause(ctx, b.lasting(time.Minute, 10*time.Second))
	took := float64(time.Since(begin))
	share := 100 * float64(s.cpu()-all) / took
	size := rss(s.pid) >> 20
	r.figure("watchdog CPU", fmt.Sprintf("%.2f %%", 100*float64(cpu(s.pid)-watchdog)/took))
	r.figure("all CPU", fmt.Sprintf("%.2f %%", share))
	r.figure("watchdog RSS", fmt.Sprintf("%d MB", size))
	r.figure("processes", len(s.workers()))
	r.bar("CPU of all", share < mostCPU, "%.2f %% of a core, want < %.1f", share, mostCPU)
	r.bar("RSS of the watchdog", size < mostMB, "%d MB, want < %d", size, mostMB)
	return nil
}

// cpu returns the processor time of the watchdog and its workers.
func (s *server) cpu() time.Duration {
	total := cpu(s.pid)
	for _, pid := range s.workers() {
		total += cpu(pid)
	}
	return total
}
