package lock_test

import (
	"context"
	"sync"
	"testing"

	"github.com/seadog/seadog/watchdog/lock"
)

// BenchmarkUncontended is one Lock and one Unlock.
func BenchmarkUncontended(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.Run("sync.Mutex", func(b *testing.B) {
		var m sync.Mutex
		n := 0
		for b.Loop() {
			m.Lock()
			n++
			m.Unlock()
		}
	})
	for name, ctx := range map[string]context.Context{
		"named":          lock.WithHolder(ctx, lock.Holder{Request: "r1"}),
		"named, derived": context.WithValue(lock.WithHolder(ctx, lock.Holder{Request: "r1"}), key{}, 1),
		"anonymous":      ctx,
	} {
		b.Run(name, func(b *testing.B) {
			m := lock.New().Mutex("m")
			b.ReportAllocs()
			for b.Loop() {
				if err := m.Lock(ctx); err != nil {
					b.Fatal(err)
				}
				m.Unlock()
			}
		})
	}
}

// BenchmarkContended is as many goroutines as there are processors, and then
// many more, that do nothing but lock one lock.
func BenchmarkContended(b *testing.B) {
	for name, crowd := range map[string]int{"1": 1, "50": 50} {
		b.Run("sync.Mutex/"+name, func(b *testing.B) {
			var m sync.Mutex
			n := 0
			b.SetParallelism(crowd)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					m.Lock()
					n++
					m.Unlock()
				}
			})
		})
		b.Run("tracked/"+name, func(b *testing.B) {
			m := lock.New().Mutex("m")
			b.SetParallelism(crowd)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				ctx := lock.WithHolder(b.Context(), lock.Holder{Request: "r"})
				for pb.Next() {
					if err := m.Lock(ctx); err != nil {
						b.Error(err)
						return
					}
					m.Unlock()
				}
			})
		})
	}
}

type key struct{}
