package record_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/record"
)

func TestErrorClassesHaveNoAddressesAndThereAreFifty(t *testing.T) {
	t.Parallel()
	r := record.New(scenario())
	fail := func(class string, o loadtest.Outcome, status int) {
		s := answer(3*time.Second, ms)
		s.Class, s.Outcome, s.Status = class, o, status
		r.Take(&s)
	}
	for port := range 10 {
		fail(fmt.Sprintf("read tcp 127.0.0.1:%d->127.0.0.1:8080: connection reset by peer", 32768+port), loadtest.Broken, 0)
		fail(fmt.Sprintf("dial tcp [fe80::%d%%eth0]:8080: connection refused", port), loadtest.Broken, 0)
	}
	for port := range 5 {
		fail(fmt.Sprintf("lookup localhost:%d: no such host, at 0xc000%06d", 40_000+port, port), loadtest.Broken, 0)
	}
	fail("", loadtest.Unexpected, 503)
	fail("", loadtest.TimedOut, 0)
	fail("too many open files", loadtest.OwnFault, 0)
	fail("", loadtest.OK, 200)
	for i := range 100 {
		fail(fmt.Sprintf("distinct %c%c", 'a'+i/26, 'a'+i%26), loadtest.Broken, 0)
	}
	got := r.Errors()
	want := []loadtest.ErrorClass{
		{Class: "dial tcp address: connection refused", Count: 10},
		{Class: "read tcp address->address: connection reset by peer", Count: 10},
		{Class: "lookup localhost:port: no such host, at pointer", Count: 5},
	}
	if diff := cmp.Diff(want, got[:3]); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if len(got) != 51 || got[50] != (loadtest.ErrorClass{Class: record.Other, Count: 56}) {
		t.Errorf("%d classes, the last one %+v; want 51 with 56 others", len(got), got[len(got)-1])
	}
	for _, name := range []string{"status 503", "timeout", "too many open files"} {
		if !slices.Contains(got, loadtest.ErrorClass{Class: name, Count: 1}) {
			t.Errorf("%q is missing", name)
		}
	}
}
