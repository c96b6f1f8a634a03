package metrics

import (
	"context"
	"time"
)

// Sampler is a sampler whose samples hold one worker of that memory.
type Sampler struct{ *sampler }

func NewSampler(maxAge, wait time.Duration, take func() int64) Sampler {
	return Sampler{newSampler(maxAge, wait, func() usage { return usage{workerKey{}: {resident: take()}} })}
}

func (s Sampler) Run(ctx context.Context) error { return s.run(ctx) }

func (s Sampler) Latest() (int64, bool) {
	u, up := s.latest()
	return u[workerKey{}].resident, up
}

const Patience = patience
