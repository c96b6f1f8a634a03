package handoff_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/handoff"
)

// TestEstate does what execve(2) would do between: nothing, but that
// descriptors without close-on-exec stay.
func TestEstate(t *testing.T) {
	specs := []handoff.Spec{{Name: "tcp", Address: "127.0.0.1:0"}, {Name: "unix", Address: "unix:" + t.TempDir() + "/socket"}}
	first, err := handoff.Listen(context.Background(), specs)
	if err != nil {
		t.Fatal(err)
	}
	master, _, release, err := handoff.NewControl()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	survivor := handoff.Survivor{Pool: "http", Index: 1, Incarnation: 7, PID: os.Getpid(), Started: 5, Serving: true, Control: master}
	env, _, err := first.Bequeath([]handoff.Survivor{survivor})
	if err != nil {
		t.Fatal(err)
	}
	for name := range map[string]bool{"tcp": true, "unix": true} {
		h, _ := first.Held(name)
		if flags, err := unix.FcntlInt(h.FD(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
			t.Errorf("%s does not outlive an execve: %d, %v", name, flags, err)
		}
	}
	value, ok := strings.CutPrefix(env[len(env)-1], handoff.EstateVariable+"=")
	if !ok {
		t.Fatalf("environment ends with %q", env[len(env)-1])
	}
	t.Setenv(handoff.EstateVariable, value)
	second, err := handoff.Listen(context.Background(), specs)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := second.Addr("tcp").String(), first.Addr("tcp").String(); got != want {
		t.Errorf("listens on %s, had %s", got, want)
	}
	if _, left := os.LookupEnv(handoff.EstateVariable); left {
		t.Error("the variable is still there")
	}
	got := second.Survivors()
	if len(got) != 1 || got[0].Pool != "http" || got[0].Incarnation != 7 || !got[0].Serving || got[0].Control == nil {
		t.Fatalf("survivors: %+v", got)
	}
	if err := got[0].Control.Send(handoff.Message{Kind: handoff.MessageDrain}); err != nil {
		t.Errorf("control socket: %v", err)
	}
	if conn, err := net.Dial("unix", second.Addr("unix").String()); err != nil {
		t.Errorf("the socket file: %v", err)
	} else {
		_ = conn.Close()
	}
	_, _ = got[0].Control.Close(), master.Close()
	if err := second.Release(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(second.Addr("unix").String()); !os.IsNotExist(err) {
		t.Errorf("the socket file is left: %v", err)
	}
}

func TestEstateOfAnotherProcessIsLeftAlone(t *testing.T) {
	value, err := json.Marshal(map[string]any{"pid": os.Getppid(), "sockets": []map[string]any{{"name": "tcp", "address": "127.0.0.1:0", "fd": 3}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(handoff.EstateVariable, string(value))
	s, err := handoff.Listen(context.Background(), []handoff.Spec{{Name: "tcp", Address: "127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	if h, _ := s.Held("tcp"); h.FD() == 3 {
		t.Error("took a descriptor of another process")
	}
	if err := s.Release(); err != nil {
		t.Error(err)
	}
}

func FuzzEstate(f *testing.F) {
	f.Add(`{"pid":1,"sockets":[{"name":"http","address":":80","fd":3}],"survivors":[{"pool":"http","index":0,"pid":9,"control":4}]}`)
	f.Add(`{"sockets":[{"fd":3},{"fd":3}]}`)
	f.Add(`{"survivors":[{"pool":"x","pid":1,"control":-1}]}`)
	f.Fuzz(func(t *testing.T, value string) {
		fds, err := handoff.ParseEstate(value)
		if err != nil {
			return
		}
		seen := map[int]bool{}
		for _, fd := range fds {
			if fd < 3 || seen[fd] {
				t.Errorf("descriptor %d of %q", fd, value)
			}
			seen[fd] = true
		}
	})
}
