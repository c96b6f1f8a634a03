package judge

import (
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/leak"
)

// points are those of a series whose slope is judged: at one a second those of
// 18 hours. Then two become one: of bytes the lesser one, as the leak test would take
// it anyway, of counts the later one.
type points struct {
	bytes  bool
	list   []loadtest.Point
	stride int
	n      int
}

func (p *points) add(x loadtest.Point) {
	p.stride = max(p.stride, 1)
	if last := len(p.list) - 1; p.n%p.stride != 0 {
		p.list[last] = p.lesser(p.list[last], x)
		p.n++
		return
	}
	p.n++
	if len(p.list) == mostValues {
		for i := range mostValues / 2 {
			p.list[i] = p.lesser(p.list[2*i], p.list[2*i+1])
		}
		p.list = p.list[:mostValues/2]
		p.stride *= 2
	}
	p.list = append(p.list, x)
}

func (p *points) lesser(a, b loadtest.Point) loadtest.Point {
	if p.bytes && a.Value < b.Value {
		return a
	}
	return b
}

// test judges the slope by the limit of t.
func (p *points) test(t *loadtest.Threshold, o leak.Options) loadtest.LeakReport {
	o.Series, o.Unit, o.Tolerance = string(t.Metric), t.Unit, t.Limit
	if o.Tolerance <= 0 {
		o.Tolerance = 1e-9 // none at all: 0 would mean the usual
	}
	return leak.Test(p.list, o)
}
