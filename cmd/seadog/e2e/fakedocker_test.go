package e2e_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Compose that hangs, floods or keeps silent cannot be had from the real one
// on demand. The test binary plays it: installed as "docker" in a directory of
// its own, it does for each subcommand what the file "mode" beside it says
// ("up=hang", or "shop/up=hang" for one project), and succeeds at everything else.

// lifetime ends a fake that everybody forgot.
const lifetime = 2 * time.Minute

// fake is a directory with such a docker.
type fake struct {
	t   *testing.T
	dir string
}

// newFake installs a fake whose subcommands behave as mode says.
func newFake(t *testing.T, mode string) *fake {
	t.Helper()
	f := &fake{t: t, dir: t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// A copy, not a link: processes are recognised by it.
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "docker"), text, 0o755); err != nil {
		t.Fatal(err)
	}
	f.mode(mode)
	return f
}

func (f *fake) mode(mode string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, "mode"), []byte(mode), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// env puts the fake before the real docker.
func (f *fake) env() []string { return []string{"PATH=" + f.dir + ":" + os.Getenv("PATH")} }

// alive returns the processes of the fake that are not zombies.
func (f *fake) alive() []string {
	var found []string
	exes, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range exes {
		if target, err := os.Readlink(exe); err == nil && target == filepath.Join(f.dir, "docker") {
			found = append(found, filepath.Dir(exe))
		}
	}
	return found
}

// fakeDocker is main of the fake.
func fakeDocker(args []string) int {
	time.AfterFunc(lifetime, func() { os.Exit(99) })
	self, err := os.Executable()
	if err != nil {
		return 98
	}
	command, project := "", ""
	for i, a := range args {
		if a == "--project-name" {
			project = args[i+1]
		}
		switch a {
		case "config", "pull", "build", "up", "version", "survivor":
			command = a
		}
	}
	mode := "answer"
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(self), "mode"))
	for field := range strings.FieldsSeq(string(text)) {
		if step, m, ok := strings.Cut(field, "="); ok && (step == command || step == project+"/"+command) {
			mode = m
		}
	}
	if command == "survivor" {
		mode = "survive"
	}
	if command == "config" {
		// One service that is built and of which no container is wanted.
		wd, _ := os.Getwd()
		fmt.Printf("{\"services\":{\"site\":{\"build\":{\"context\":%q,\"dockerfile\":\"Dockerfile\"},\"scale\":0}}}\n", wd)
		return 0
	}
	return behave(self, mode)
}

func behave(self, mode string) int {
	switch mode {
	case "hang":
		// A grandchild in a session of its own holds the pipes, and nobody listens to TERM.
		child := exec.Command(self, "survivor")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			return 97
		}
		fmt.Println("hanging")
		return behave(self, "survive")
	case "survive":
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		select {}
	case "silent":
		select {}
	case "flood":
		out := bufio.NewWriter(os.Stdout)
		for i := range 200_000 {
			fmt.Fprintf(out, "line %d of a console that nobody reads\n", i)
		}
		if out.Flush() != nil {
			return 96
		}
	case "slow":
		for range 100 {
			fmt.Println("still at it")
			time.Sleep(100 * time.Millisecond)
		}
	case "leak":
		fmt.Println("the secret is", os.Getenv("SENTINEL"))
		fmt.Fprintln(os.Stderr, "the secret is", os.Getenv("SENTINEL"))
		return 1
	case "fail":
		fmt.Fprintln(os.Stderr, "no such thing")
		return 1
	default:
		fmt.Println("done")
	}
	return 0
}
