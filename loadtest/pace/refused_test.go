package pace_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

func TestPacingsThatCannotBeAreRefusedInTheseWords(t *testing.T) {
	t.Parallel()
	const second = time.Second
	nan := math.NaN()
	steps := func(list ...loadtest.Step) loadtest.Pacing {
		return loadtest.Pacing{Kind: loadtest.Steps, Steps: list}
	}
	sine := func(mean, amplitude float64, period time.Duration, shift float64) loadtest.Pacing {
		return loadtest.Pacing{Kind: loadtest.Sine, Mean: mean, Amplitude: amplitude, Period: period, Shift: shift}
	}
	replay := func(speed float64, offsets ...time.Duration) loadtest.Pacing {
		return loadtest.Pacing{Kind: loadtest.Replayed, Speed: speed, Offsets: offsets}
	}
	spike := func(base, peak float64, at, length time.Duration) loadtest.Pacing {
		return loadtest.Pacing{Kind: loadtest.Spike, Base: base, Peak: peak, At: at, For: length}
	}
	for name, c := range map[string]struct {
		pacing loadtest.Pacing
		scale  float64
		length time.Duration
		want   string
	}{
		"no length":            {constant(1), 1, 0, `for: a phase of 0s cannot be scheduled; write a duration of at most 2160h`},
		"negative length":      {constant(1), 1, -1, `for: a phase of -1ns cannot be scheduled; write a duration of at most 2160h`},
		"a year":               {constant(1), 1, 365 * 24 * time.Hour, `for: a phase of 8760h0m0s cannot be scheduled; write a duration of at most 2160h`},
		"negative scale":       {constant(1), -1, second, `scale: -1 is no scale of rates; write a number from 0 to 1000`},
		"scale of nothing":     {constant(1), nan, second, `scale: NaN is no scale of rates; write a number from 0 to 1000`},
		"no kind":              {loadtest.Pacing{}, 1, second, `kind: "" is not a kind of pacing; write one of burst, constant, poisson, ramp, replay, search, sine, spike, steps`},
		"closed":               {loadtest.Pacing{Kind: "closed"}, 1, second, `kind: "closed" is not a kind of pacing; write one of burst, constant, poisson, ramp, replay, search, sine, spike, steps`},
		"zero":                 {constant(0), 1, second, `rate: a rate of 0 sends nothing; write a rate above 0; a phase without load says load: none`},
		"zero without load":    {constant(0), 0, second, `rate: a rate of 0 sends nothing; write a rate above 0; a phase without load says load: none`},
		"negative":             {constant(-5), 1, second, `rate: -5/s is not a rate; write how many in what time, like 400/s or 30/min`},
		"not a number":         {constant(nan), 1, second, `rate: NaN/s is not a rate; write how many in what time, like 400/s or 30/min`},
		"infinite":             {constant(math.Inf(1)), 1, second, `rate: +Inf/s is not a rate; write how many in what time, like 400/s or 30/min`},
		"once a day":           {constant(1.0 / 86400), 1, second, `rate: 1.15741e-05/s is less than one an hour; write at least 1/h`},
		"huge":                 {constant(2e9), 1, second, `rate: 2e+09/s is more than can be planned; write at most 1000000/s`},
		"huge when scaled":     {constant(2e5), 100, second, `rate: 200000/s at scale 100 is more than can be planned; lower one of the two; together they may be 1000000/s`},
		"ramp":                 {loadtest.Pacing{Kind: loadtest.Ramp}, 1, second, `to: from and to are both 0; give one of them a rate; a phase without load says load: none`},
		"ramp from":            {loadtest.Pacing{Kind: loadtest.Ramp, From: -1, To: 1}, 1, second, `from: -1/s is not a rate; write how many in what time, like 400/s or 30/min`},
		"ramp to":              {loadtest.Pacing{Kind: loadtest.Ramp, From: 1, To: 1e7}, 1, second, `to: 1e+07/s is more than can be planned; write at most 1000000/s`},
		"no steps":             {steps(), 1, second, `steps: there are 0 of them; list up to 1000: [{rate: 100/s, for: 10s}, {rate: 200/s, for: 10s}]`},
		"too many steps":       {steps(make([]loadtest.Step, 1001)...), 1, second, `steps: there are 1001 of them; list up to 1000: [{rate: 100/s, for: 10s}, {rate: 200/s, for: 10s}]`},
		"steps of nothing":     {steps(loadtest.Step{For: second}), 1, second, `steps: every rate is 0; give at least one step a rate; a phase without load says load: none`},
		"step's rate":          {steps(step(1, second), step(-1, second)), 1, second, `steps[1].rate: -1/s is not a rate; write how many in what time, like 400/s or 30/min`},
		"step's time":          {steps(step(1, 0)), 1, second, `steps[0].for: 0s is not between 1ms and 2160h0m0s; write a duration like 10s`},
		"sine's mean":          {sine(0, 1, second, 0), 1, second, `mean: a rate of 0 sends nothing; write a rate above 0; a phase without load says load: none`},
		"sine's amplitude":     {sine(1, 0, second, 0), 1, second, `amplitude: a rate of 0 sends nothing; write a rate above 0; a phase without load says load: none`},
		"sine below zero":      {sine(1, 2, second, 0), 1, second, `amplitude: 2/s around 1/s would be a rate below 0; write at most the mean`},
		"sine's crest":         {sine(9e5, 2e5, second, 0), 1, second, `amplitude: the crest is more than can be planned; lower mean, amplitude or scale; the crest may be 1000000/s`},
		"sine's shift":         {sine(2, 1, second, 1.5), 1, second, `shift: 1.5 is no part of a period; write a number from 0 to 1; 0.25 begins at the crest`},
		"sine's tiny period":   {sine(2, 1, 1, 0), 1, second, `period: 1ns is not between 1s and 24h0m0s; write a duration like 10s`},
		"spike's base":         {spike(-1, 2, 0, second), 1, second, `base: -1/s is not a rate; write how many in what time, like 400/s or 30/min`},
		"spike's peak":         {spike(3, 2, 0, second), 1, second, `peak: is not above base; write a peak above base, or use kind: steps`},
		"spike's time":         {spike(1, 2, 0, 0), 1, second, `for: 0s is not between 1ms and 2160h0m0s; write a duration like 10s`},
		"burst of none":        {loadtest.Pacing{Kind: loadtest.Burst, Every: second}, 1, second, `size: a burst of 0 sends nothing; write how many are sent at once`},
		"burst of many":        {loadtest.Pacing{Kind: loadtest.Burst, Size: 2e6, Every: second}, 1, second, `size: 2e+06 at once are more than can be planned; write at most 1000000`},
		"burst's tiny time":    {loadtest.Pacing{Kind: loadtest.Burst, Size: 1, Every: 1}, 1, second, `every: 1ns is not between 1ms and 2160h0m0s; write a duration like 10s`},
		"burst's rate":         {loadtest.Pacing{Kind: loadtest.Burst, Size: 5000, Every: time.Millisecond}, 1, second, `every: 5000 every 1ms are 5e+06/s, more than can be planned; write a longer time, or a smaller size`},
		"poisson":              {poisson(0), 1, second, `rate: a rate of 0 sends nothing; write a rate above 0; a phase without load says load: none`},
		"poisson for ever":     {poisson(1e6), 1, time.Hour, `rate: 3.6e+09 arrivals would have to be drawn; use kind: constant for so many, or a shorter phase; 2e+08 are allowed`},
		"replay's speed":       {replay(0, 1), 1, second, `speed: 0 is no speed; write how many times as fast, from 0.001 to 1000; 1 is as it was`},
		"replay of nothing":    {replay(1), 1, second, `file: no request is recorded in it; record some, or use another kind of pacing`},
		"replay out of order":  {replay(1, 5, 4), 1, second, `file: request 2 is due at 4ns, before the one above it; sort it by time`},
		"replay of the past":   {replay(1, -1), 1, second, `file: request 1 is due at -1ns, before the one above it; sort it by time`},
		"search downwards":     {search(2, 1, 1), 1, second, `to: is not above from; write the highest rate that is worth trying`},
		"search without steps": {search(1, 2, 0), 1, second, `step: a rate of 0 sends nothing; write a rate above 0; a phase without load says load: none`},
		"search in tiny steps": {search(1, 5000, 1), 1, second, `step: from 1/s to 5000/s are 5000 steps of 1/s; write a larger step: 1000 are allowed`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pace.New(c.pacing, c.scale, c.length, 0)
			var problem *pace.Problem
			if !errors.As(err, &problem) || problem.Error() != c.want {
				t.Errorf("New = %v\nwant  %s", err, c.want)
			}
		})
	}
}
