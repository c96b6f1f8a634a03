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
// ("up=hang", "shop/up=hang" for one project, "shop/up@3=hang" for the worktree
// of deployment 3, "shop=real" for all of a project; the last that fits counts,
// and "real+hold" is one after the other), and succeeds at everything else.

const (
	lifetime = 2 * time.Minute // ends a fake that everybody forgot
	longLog  = 20_000          // lines

	pacedLines = 20_000
	journal    = "calls"    // what the fake was asked to do, one line each
	released   = "released" // what holds goes on once this is there
)

// fake is a directory with such a docker.
type fake struct {
	t   testing.TB
	dir string
}

// newFake installs a fake whose subcommands behave as mode says.
func newFake(t testing.TB, mode string) *fake {
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

// release lets everything go that holds.
func (f *fake) release() {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, released), nil, 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// calls counts what the fake was asked to do: "shop/up" or "shop/up@3"; followed
// by " holds", how many of them got that far.
func (f *fake) calls(what string) int {
	text, _ := os.ReadFile(filepath.Join(f.dir, journal))
	n := 0
	for line := range strings.Lines(string(text)) {
		call, state, _ := strings.Cut(strings.TrimSpace(line), " ")
		command, _, _ := strings.Cut(call, "@")
		if state != "" {
			call, command = call+" "+state, command+" "+state
		}
		if call == what || command == what {
			n++
		}
	}
	return n
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
	c := call{self: self, args: args}
	project, worktree := "", ""
	for i, a := range args {
		switch a {
		case "--project-name":
			project = args[i+1]
		case "--project-directory":
			_, worktree, _ = strings.Cut(args[i+1], "/worktrees/")
		case "config", "pull", "build", "up", "version", "survivor":
			c.command = a
		}
	}
	if c.command == "survivor" {
		return c.behave("survive")
	}
	c.name = fmt.Sprintf("%s/%s@%s", project, c.command, worktree)
	c.note("")
	mode := "answer"
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(self), "mode"))
	for field := range strings.FieldsSeq(string(text)) {
		step, m, _ := strings.Cut(field, "=")
		switch step {
		case c.command, project, project + "/" + c.command, c.name:
			mode = m
		}
	}
	for m := range strings.SplitSeq(mode, "+") {
		if code := c.behave(m); code != 0 {
			return code
		}
	}
	return 0
}

// call is one run of the fake.
type call struct {
	self    string
	args    []string
	command string
	name    string // such as "shop/up@3"
}

// note writes one line that [fake.calls] can count.
func (c call) note(state string) {
	file, err := os.OpenFile(filepath.Join(filepath.Dir(c.self), journal), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		os.Exit(95)
	}
	defer file.Close()
	fmt.Fprintf(file, "%s %s\n", c.name, state)
}

func (c call) behave(mode string) int {
	switch mode {
	case "real":
		return c.real()
	case "hold":
		return c.hold()
	case "hang":
		if _, err := c.survivor(); err != nil {
			return 97
		}
		fmt.Println("hanging")
		return c.behave("survive")
	case "survive":
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		select {}
	case "image":
		fmt.Println(`{"services":{"site":{"image":"shop/site:latest","scale":0}}}`)
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
		return c.talk(mode)
	}
	return 0
}

// talk prints a lot in various ways, or answers.
func (c call) talk(mode string) int {
	switch mode {
	case "long": // 20,000 lines within about four seconds
		for i := range longLog {
			if i == longLog/2 {
				fmt.Println("ERROR in the midst of them")
				continue
			}
			fmt.Printf("line %d of a long log, which says \x1b[31msomething\x1b[0m about <b>module</b> %d\n", i, i*7919%longLog)
			if i%100 == 0 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		return 1
	case "paced": // 2,000 lines per second, on schedule
		begun := time.Now()
		for i := range pacedLines {
			if wait := time.Until(begun.Add(time.Duration(i) * time.Second / 2000)); wait > 0 && i%20 == 0 {
				time.Sleep(wait)
			}
			fmt.Printf("#12 %7.3f [web 4/9] added package %d of 1184, as usual\n", time.Since(begun).Seconds(), i)
		}
	case "chat":
		for i := range 60 {
			fmt.Printf("#7 %.3f compiling module %d of 60\n", float64(i)*0.2, i)
		}
	default:
		return c.answer()
	}
	return 0
}

func (c call) answer() int {
	if c.command != "config" {
		fmt.Println("done")
		return 0
	}
	// One service that is built and of which no container is wanted.
	wd, _ := os.Getwd()
	fmt.Printf("{\"services\":{\"site\":{\"build\":{\"context\":%q,\"dockerfile\":\"Dockerfile\"},\"scale\":0}}}\n", wd)
	return 0
}

// real lets the docker that this one stands before do it.
func (c call) real() int {
	if err := os.Setenv("PATH", strings.TrimPrefix(os.Getenv("PATH"), filepath.Dir(c.self)+":")); err != nil {
		return 94
	}
	cmd := exec.Command("docker", c.args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(1, cmd.ProcessState.ExitCode())
	}
	return 0
}

// survivor starts a process in a session of its own that holds the pipes and
// that TERM does not end.
func (c call) survivor() (*exec.Cmd, error) {
	child := exec.Command(c.self, "survivor")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return child, child.Start()
}

// hold is a hang that ends well when it is released.
func (c call) hold() int {
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	child, err := c.survivor()
	if err != nil {
		return 97
	}
	c.note("holds")
	for {
		if _, err := os.Stat(filepath.Join(filepath.Dir(c.self), released)); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	signal.Reset()
	_ = child.Process.Kill()
	_ = child.Wait()
	return 0
}
