package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault/client"
	"github.com/seadog/seadog/loadtest/fault/disk"
	"github.com/seadog/seadog/loadtest/fault/process"
)

var errShut = errors.New("it is shut already")

// carryOut does a fault.
func (t *Timeline) carryOut(ctx context.Context, f loadtest.Fault, o Occurrence) (Handle, error) {
	k, _ := kindOf(f.Do.Kind)
	s := k.read(f.Do, func(string, string) {})
	switch k.of {
	case processes:
		return t.doToProcesses(ctx, f.Do, s, o.Seed)
	case network:
		return t.config.Network.Disturb(ctx, f.Do.Target, Disturbance{
			Kind: k.name, Direction: s.word("direction"), Share: s.share("share"), Seed: o.Seed,
			Latency: s.duration("latency"), Jitter: s.duration("jitter"), Rate: s.size("rate"), Delay: s.duration("delay"),
			After: s.duration("after"), Bytes: s.size("bytes"), Vary: s.size("vary"),
		})
	case disks:
		return handle(disk.Fill(t.config.Disks[f.Do.Target], s.size("leave"), t.guardian.Guard))
	case console:
		return shut(t.config.Console)
	case clients:
		return handle(client.Send(ctx, client.Config{
			Kind: client.Kind(k.name), BaseURL: t.config.Scenario.Target.BaseURL, Insecure: t.config.Scenario.Client.Insecure,
			Count: max(1, s.count("count")), Method: s.word("method"), Path: s.word("path"), Bytes: s.size("bytes"), Every: s.duration("every"),
		}))
	case machine:
		const more = time.Minute // than it should take: nobody else ends it if we forget to
		return handle(process.Burn(t.config.Helper, s.count("cores"), s.count("nice"), o.End-o.Begin+more))
	}
	return nil, fmt.Errorf("nobody knows how to do %q", k.name)
}

// handle returns h, and no handle if there is an error: a nil pointer in an
// interface is not nil.
func handle[H Handle](h H, err error) (Handle, error) {
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (t *Timeline) doToProcesses(ctx context.Context, a loadtest.Action, s settings, seed uint64) (Handle, error) {
	target, err := ParseTarget(a.Target)
	if err != nil {
		return nil, Problem{"target", err.Error()}
	}
	list, err := t.realm.Find(ctx, process.Want{
		Pool: target.Pool, Index: target.Index, All: target.All, PID: target.PID, File: target.File, Seed: seed,
	})
	if err != nil {
		return nil, err
	}
	switch a.Kind {
	case Stop:
		return handle(process.Stop(list, t.guardian))
	case NoFile:
		return handle(process.Limit(list, s.count("spare"), t.guardian))
	}
	killed, err := process.Kill(list)
	if err != nil {
		return nil, err
	}
	return done{"killed": killed}, nil
}

// done is a fault that was over at once.
type done map[string]uint64

func (done) Undo() error                  { return nil }
func (d done) Effects() map[string]uint64 { return maps.Clone(d) }

// unread is a console that nobody reads.
type unread struct {
	valve *Valve
	once  sync.Once
}

func shut(v *Valve) (Handle, error) {
	if err := v.Shut(); err != nil {
		return nil, fmt.Errorf("shut console: %w", err)
	}
	return &unread{valve: v}, nil
}

func (u *unread) Undo() error {
	u.once.Do(u.valve.Open)
	return nil
}

func (u *unread) Effects() map[string]uint64 { return nil }
