package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/storetest"
)

// TestOnPostgreSQL is the way of a push, and of a killed service, on the other store.
func TestOnPostgreSQL(t *testing.T) {
	needEngine(t)
	dsn := storetest.StartPostgres(t)
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, fmt.Sprintf("store: {driver: postgres, dsn: %q}", dsn))
	s.env = f.env()
	s.start()
	if d := s.over(s.mustPush("site", "1", noCommit, r.head), 20*time.Second); d.Status != deployer.Succeeded {
		t.Fatalf("ended as %s: %s", d.Status, d.Reason)
	}
	f.mode("up=slow")
	_, next := r.commit(map[string]string{"compose.yaml": "services: {} # 2\n"})
	id := s.mustPush("site", "2", r.head, next)
	s.eventually(10*time.Second, "up runs", func() bool { return len(f.alive()) > 0 && stepOf(s, id) == deployer.StepUp })
	s.killAll()
	f.mode("")
	s.start()
	requireInterruptedOnce(t, s, f, id)
	s.stop()
}
