package httpd_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/budget"
)

// memory is a store without a disk: it lets tests stage failures that a real
// one has no switch for, and takes no time in benchmarks. What it is not asked
// for in these tests is nil.
type memory struct {
	deployer.Store

	fail atomic.Pointer[error] // returned by every method
	hang atomic.Bool           // every method waits for its context
	held atomic.Int64          // methods that wait

	mu          sync.Mutex
	deliveries  []deployer.Delivery
	deployments []deployer.Deployment
	locks       map[string]deployer.Lock
	looks       int // calls of Deployment
}

func newMemory() *memory { return &memory{locks: make(map[string]deployer.Lock)} }

// begin is the start of every method.
func (m *memory) begin(ctx context.Context, statement string) (func(), error) {
	budget.Count(ctx, statement)
	if m.hang.Load() {
		m.held.Add(1)
		<-ctx.Done()
		m.held.Add(-1)
		return nil, deployer.Errorf(deployer.CodeUnavailable, "no answer in time").Because(ctx.Err())
	}
	if err := m.fail.Load(); err != nil {
		return nil, *err
	}
	m.mu.Lock()
	return m.mu.Unlock, nil
}

func (m *memory) Ping(ctx context.Context) error {
	end, err := m.begin(ctx, "ping")
	if err == nil {
		end()
	}
	return err
}

func (m *memory) Accept(ctx context.Context, in deployer.Intake) (deployer.Delivery, error) {
	end, err := m.begin(ctx, "accept")
	if err != nil {
		return deployer.Delivery{}, err
	}
	defer end()
	d := deployer.Delivery{
		ID: int64(len(m.deliveries) + 1), Hook: in.Hook, Provider: in.Provider, ExternalID: in.ExternalID,
		Event: in.Event, ReceivedAt: in.ReceivedAt, Bytes: in.Bytes, Decisions: in.Ignored,
	}
	for _, o := range in.Wanted {
		if in.ExternalID != "" && slices.ContainsFunc(m.deliveries, func(e deployer.Delivery) bool {
			return e.Hook == in.Hook && e.ExternalID == in.ExternalID
		}) {
			d.Decisions = append(d.Decisions, deployer.Decision{Project: o.Project, Verdict: deployer.VerdictDuplicate, Reason: "again"})
			continue
		}
		id, p := m.place(o)
		d.Decisions = append(d.Decisions, deployer.Decision{
			Project: o.Project, Ref: o.Ref, Commit: o.Commit, Verdict: p.Verdict, Reason: p.Reason, Deployment: id,
		})
	}
	m.deliveries = append(m.deliveries, d)
	return d, nil
}

func (m *memory) place(o deployer.Order) (int64, deployer.Placement) {
	var lane deployer.Lane
	for i := range m.deployments {
		switch d := &m.deployments[i]; {
		case d.Project != o.Project:
		case d.Status == deployer.Running:
			lane.Running = d
		case d.Status == deployer.Queued:
			lane.Pending = d
		}
	}
	if l, ok := m.locks[o.Project]; ok {
		lane.Lock = &l
	}
	p := lane.Place(o, time.Now())
	if p.New {
		d := *p.Into
		d.ID = int64(len(m.deployments) + 1)
		m.deployments = append(m.deployments, d)
		return d.ID, p
	}
	return p.Into.ID, p
}

func (m *memory) Enqueue(ctx context.Context, o deployer.Order) (deployer.Deployment, deployer.Verdict, error) {
	end, err := m.begin(ctx, "enqueue")
	if err != nil {
		return deployer.Deployment{}, "", err
	}
	defer end()
	id, p := m.place(o)
	return m.deployments[id-1], p.Verdict, nil
}

func (m *memory) Cancel(ctx context.Context, id int64, by string) (deployer.Deployment, error) {
	end, err := m.begin(ctx, "cancel")
	if err != nil {
		return deployer.Deployment{}, err
	}
	defer end()
	d, err := m.deployment(id)
	switch {
	case err != nil:
		return deployer.Deployment{}, err
	case d.Status.Final():
		return *d, deployer.Errorf(deployer.CodeConflict, "deployment %d is %s already", id, d.Status)
	case d.Status == deployer.Queued:
		d.Status = deployer.Canceled
	}
	d.CancelBy = by
	return *d, nil
}

func (m *memory) deployment(id int64) (*deployer.Deployment, error) {
	if id < 1 || id > int64(len(m.deployments)) {
		return nil, deployer.Errorf(deployer.CodeNotFound, "there is no deployment %d", id)
	}
	return &m.deployments[id-1], nil
}

func (m *memory) Deployment(ctx context.Context, id int64) (deployer.Deployment, error) {
	end, err := m.begin(ctx, "deployment")
	if err != nil {
		return deployer.Deployment{}, err
	}
	defer end()
	m.looks++
	d, err := m.deployment(id)
	if err != nil {
		return deployer.Deployment{}, err
	}
	return *d, nil
}

func (m *memory) Deployments(ctx context.Context, f deployer.DeploymentFilter) ([]deployer.Deployment, error) {
	end, err := m.begin(ctx, "deployments")
	if err != nil {
		return nil, err
	}
	defer end()
	var found []deployer.Deployment
	for _, d := range slices.Backward(m.deployments) {
		if (f.Project == "" || f.Project == d.Project) && (len(f.Statuses) == 0 || slices.Contains(f.Statuses, d.Status)) &&
			(f.Before == 0 || d.ID < f.Before) && len(found) < f.Limit {
			found = append(found, d)
		}
	}
	return found, nil
}

func (m *memory) Latest(ctx context.Context) ([]deployer.Deployment, error) {
	end, err := m.begin(ctx, "latest")
	if err != nil {
		return nil, err
	}
	defer end()
	var found []deployer.Deployment
	over, healthy := map[string]bool{}, map[string]bool{}
	for _, d := range slices.Backward(m.deployments) {
		if d.Status.Final() && !over[d.Project] || d.Status == deployer.Succeeded && !healthy[d.Project] {
			found = append(found, d)
			over[d.Project] = true
			healthy[d.Project] = healthy[d.Project] || d.Status == deployer.Succeeded
		}
	}
	return found, nil
}

func (m *memory) LastHealthy(ctx context.Context, project string, before int64) (deployer.Deployment, error) {
	end, err := m.begin(ctx, "last healthy")
	if err != nil {
		return deployer.Deployment{}, err
	}
	defer end()
	for _, d := range slices.Backward(m.deployments) {
		if d.Project == project && d.Status == deployer.Succeeded && (before == 0 || d.ID < before) {
			return d, nil
		}
	}
	return deployer.Deployment{}, deployer.Errorf(deployer.CodeNotFound, "none")
}

func (m *memory) Delivery(ctx context.Context, id int64) (deployer.Delivery, error) {
	end, err := m.begin(ctx, "delivery")
	if err != nil {
		return deployer.Delivery{}, err
	}
	defer end()
	if id < 1 || id > int64(len(m.deliveries)) {
		return deployer.Delivery{}, deployer.Errorf(deployer.CodeNotFound, "there is no delivery %d", id)
	}
	return m.deliveries[id-1], nil
}

func (m *memory) Deliveries(ctx context.Context, f deployer.DeliveryFilter) ([]deployer.Delivery, error) {
	end, err := m.begin(ctx, "deliveries")
	if err != nil {
		return nil, err
	}
	defer end()
	var found []deployer.Delivery
	for _, d := range slices.Backward(m.deliveries) {
		wanted := f.Project == "" && f.Verdict == "" || slices.ContainsFunc(d.Decisions, func(e deployer.Decision) bool {
			return (f.Project == "" || e.Project == f.Project) && (f.Verdict == "" || e.Verdict == f.Verdict)
		})
		if wanted && (f.Before == 0 || d.ID < f.Before) && len(found) < f.Limit {
			found = append(found, d)
		}
	}
	return found, nil
}

func (m *memory) Locks(ctx context.Context) ([]deployer.Lock, error) {
	end, err := m.begin(ctx, "locks")
	if err != nil {
		return nil, err
	}
	defer end()
	var all []deployer.Lock
	for _, l := range m.locks {
		all = append(all, l)
	}
	return all, nil
}

func (m *memory) Lock(ctx context.Context, l deployer.Lock) error {
	end, err := m.begin(ctx, "lock")
	if err != nil {
		return err
	}
	defer end()
	m.locks[l.Project] = l
	return nil
}

func (m *memory) Unlock(ctx context.Context, project string) error {
	end, err := m.begin(ctx, "unlock")
	if err != nil {
		return err
	}
	defer end()
	if _, ok := m.locks[project]; !ok {
		return deployer.Errorf(deployer.CodeNotFound, "project %s is not locked", project)
	}
	delete(m.locks, project)
	return nil
}

// add records a deployment as it stands and returns its id.
func (m *memory) add(d deployer.Deployment) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	d.ID, d.Attempt = int64(len(m.deployments)+1), max(d.Attempt, 1)
	if d.CreatedAt.IsZero() {
		d.CreatedAt = time.Now()
	}
	if d.Trigger == "" {
		d.Trigger = deployer.TriggerPush
	}
	m.deployments = append(m.deployments, d)
	return d.ID
}

// change changes a deployment.
func (m *memory) change(id int64, f func(*deployer.Deployment)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.deployments[id-1])
}
