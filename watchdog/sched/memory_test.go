package sched_test

import (
	"runtime"
	"testing"

	"github.com/seadog/seadog/watchdog/sched"
)

func TestCollectionsAreCounted(t *testing.T) {
	var r sched.MemoryReader
	before := r.Read()
	kept := make([]byte, 8<<20)
	runtime.GC()
	runtime.GC()
	after := r.Read()
	if after.Cycles < before.Cycles+2 || after.Live < int64(len(kept)) || after.CPU < before.CPU {
		t.Errorf("%+v, and after two collections %+v", before, after)
	}
	runtime.KeepAlive(kept)
}
