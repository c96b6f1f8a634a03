package master_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/journal"
	"github.com/seadog/seadog/watchdog/master"
)

// The test binary is its own worker and, for tests that kill the master, its
// own master.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "child":
			os.Exit(childMain(os.Args[2], os.Args[3:]))
		case "master":
			os.Exit(masterMain(os.Args[2]))
		}
	}
	goleak.VerifyTestMain(m)
}

var counters = []string{"requests_total", "other_total"}

// childMain is a worker that behaves as mode says; dir is where it leaves traces.
func childMain(mode string, args []string) int {
	if mode == "broken" {
		fmt.Fprintln(os.Stderr, "broken\n\x1b[1mon purpose\x00")
		return 3
	}
	w, err := newPeer()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	modes := map[string]func(context.Context, context.Context, *peer, []string) error{
		"http": serveHTTP, "runner": serveRunner, "mute": serveMute, "deaf": serveDeaf, "unready-if": serveUnreadyIf, "held-if": serveHeldIf, "quit": serveQuit,
		"guarded": serveGuarded, "stuck-runner": serveStuckRunner,
	}
	err = w.Run(func(intake, work context.Context) error { return modes[mode](intake, work, w, args) })
	if err != nil {
		return 1
	}
	return 0
}

// serveHTTP answers on the listener "public" until intake is done, then
// finishes its requests.
func serveHTTP(intake, work context.Context, w *peer, _ []string) error {
	var open sync.WaitGroup
	server := &http.Server{Handler: handlers(work, w), ConnState: func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Done()
		}
	}}
	over := make(chan error, 1)
	listener := w.Listener()
	go func() { over <- server.Serve(listener) }()
	if err := w.Ready(); err != nil {
		return err
	}
	select {
	case err := <-over:
		return err
	case <-intake.Done():
	}
	// Not Shutdown: it closes connections that were just accepted.
	_ = listener.Close()
	<-over
	server.SetKeepAlivesEnabled(false)
	context.AfterFunc(work, func() { _ = server.Close() })
	open.Wait()
	return nil
}

func handlers(work context.Context, w *peer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/pid", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Connection", "close")
		w.region.Add(0, 1)
		fmt.Fprint(rw, os.Getpid())
	})
	mux.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(4) })
	mux.HandleFunc("/slow", func(rw http.ResponseWriter, r *http.Request) {
		d, _ := time.ParseDuration(r.FormValue("for"))
		_ = os.WriteFile(r.FormValue("mark"), nil, 0o600)
		select {
		case <-time.After(d):
		case <-work.Done():
		}
		fmt.Fprint(rw, "done")
	})
	mux.HandleFunc("/board", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Connection", "close")
		_ = json.NewEncoder(rw).Encode(w.board.Snapshot())
	})
	mux.HandleFunc("/ring", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Connection", "close")
		w.Doorbell().Ring()
	})
	mux.HandleFunc("/env", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Connection", "close")
		_ = json.NewEncoder(rw).Encode(os.Environ())
	})
	// What a command started by the worker inherits.
	mux.HandleFunc("/grandchild", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Connection", "close")
		out, err := exec.Command("ls", "-l", "/proc/self/fd").CombinedOutput()
		_, _ = rw.Write(out)
		if err != nil {
			fmt.Fprint(rw, err)
		}
	})
	return mux
}

// serveRunner takes work when its doorbell rings. A piece of work lasts until
// the file "finish" exists or work is done; each step leaves a file.
func serveRunner(intake, work context.Context, w *peer, args []string) error {
	dir := args[0]
	mark := func(name string) {
		_ = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s.%d", name, os.Getpid())), nil, 0o600)
	}
	// An orphan in the making: it outlives the runner.
	if len(args) > 1 {
		if err := exec.Command("sh", "-c", "sleep "+args[1]+" & echo $! > "+filepath.Join(dir, "orphan.new")+"; mv "+filepath.Join(dir, "orphan.new")+" "+filepath.Join(dir, "orphan")).Run(); err != nil {
			return err
		}
	}
	if err := w.Ready(); err != nil {
		return err
	}
	for intake.Err() == nil {
		if !w.Doorbell().Wait(intake, time.Minute) {
			continue
		}
		mark("took")
		for work.Err() == nil && !exists(filepath.Join(dir, "finish")) {
			select {
			case <-work.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
		if err := context.Cause(work); err != nil {
			mark("gave-up")
			return fmt.Errorf("gave up: %w", err)
		}
		mark("finished")
	}
	mark("left")
	return nil
}

// serveMute never reports ready.
func serveMute(intake, _ context.Context, _ *peer, _ []string) error {
	<-intake.Done()
	return nil
}

// serveDeaf is ready and never ends by itself.
func serveDeaf(_, _ context.Context, w *peer, _ []string) error {
	if err := w.Ready(); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGTERM)
	select {}
}

// serveUnreadyIf is like http, unless the file exists: then it fails.
func serveUnreadyIf(intake, work context.Context, w *peer, args []string) error {
	if exists(args[0]) {
		return errors.New("the new configuration is wrong")
	}
	return serveHTTP(intake, work, w, nil)
}

// serveHeldIf is like http, but is not ready while the file exists.
func serveHeldIf(intake, work context.Context, w *peer, args []string) error {
	for exists(args[0]) {
		select {
		case <-intake.Done():
			return nil
		case <-time.After(5 * time.Millisecond):
		}
	}
	return serveHTTP(intake, work, w, nil)
}

// serveQuit is ready and then ends, as if it had nothing to do.
func serveQuit(_, _ context.Context, w *peer, _ []string) error { return w.Ready() }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// setup is what masterMain runs.
type setup struct {
	Pools   []watchdog.Pool
	Address string // of the listener "public"; none if empty
	Journal string
	Reap    bool

	Place     string // where the scoreboard is published
	Incidents string // directory
	Backoff   watchdog.Backoff
	Protocol  string // file with the number that the executable on disk speaks, if it is another one
}

// masterMain is a whole service in a process of its own.
func masterMain(config string) int {
	var s setup
	if err := json.Unmarshal([]byte(config), &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if err := runSetup(s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runSetup(s setup) error {
	var specs []handoff.Spec
	if s.Address != "" {
		specs = []handoff.Spec{{Name: "public", Address: s.Address}}
	}
	sockets, err := handoff.Listen(context.Background(), specs)
	if err != nil {
		return err
	}
	bell, err := handoff.NewDoorbell("work")
	if err != nil {
		return err
	}
	j, err := journal.Open(journal.Config{Path: s.Journal})
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var incident func(watchdog.Incident, []byte) error
	if s.Incidents != "" {
		incidents, err := journal.NewIncidents(journal.IncidentsConfig{Dir: s.Incidents})
		if err != nil {
			return err
		}
		incident = incidents.Write
	}
	err = master.Run(context.Background(), master.Config{
		Place: s.Place, Incident: incident, Self: os.Args[1:], Backoff: s.Backoff, Protocol: s.protocol, Executable: exe, Env: []string{"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}, Pools: s.Pools, Sockets: sockets, Doorbells: []*handoff.Doorbell{bell},
		Counters: counters, Record: j.Append, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), ReapOrphans: s.Reap,
	})
	return errors.Join(err, j.Close(), bell.Close(), sockets.Release())
}

// protocol pretends that the executable on disk is another one.
func (s setup) protocol(context.Context) (int, error) {
	text, err := os.ReadFile(s.Protocol)
	if err != nil {
		return handoff.Protocol, nil
	}
	return strconv.Atoi(string(text))
}
