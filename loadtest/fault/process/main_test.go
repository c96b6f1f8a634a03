package process_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest/fault/process"
)

// role says what this executable is to be when it is not to test.
const role = "SEADOG_TEST_ROLE"

func TestMain(m *testing.M) {
	if args := strings.Fields(os.Getenv(role)); len(args) > 0 {
		if err := play(args); err != nil {
			fmt.Println("child:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// play is the child's part.
func play(args []string) error {
	switch args[0] {
	case "helper":
		return process.Help(args[1:], os.Stdin)
	case "plain": // lives as long as its standard input
		fmt.Println("ready")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case "open": // opens a descriptor for every line, and says how that went
		fmt.Println("ready")
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			if _, err := os.Open("/dev/null"); err != nil {
				fmt.Println(err)
				continue
			}
			fmt.Println("opened")
		}
	case "parent": // has children
		for range 3 {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), role+"=plain")
			if _, err := cmd.StdinPipe(); err != nil {
				return err
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				return err
			}
			if err := cmd.Start(); err != nil {
				return err
			}
			_, _ = bufio.NewReader(out).ReadString('\n')
		}
		fmt.Println("ready")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case "owner": // stops and limits children of its own, and is killed before it can undo that
		return own()
	}
	return nil
}

func own() error {
	g := process.NewGuardian(helper)
	r, err := process.NewRealm(process.Config{Roots: []int{os.Getpid()}})
	if err != nil {
		return err
	}
	var pids []string
	for i := range 2 {
		// It must outlive us: it holds its own standard input open.
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), role+"=plain")
		in, err := os.OpenFile("/dev/zero", os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		cmd.Stdin = in
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		_, _ = bufio.NewReader(out).ReadString('\n')
		list, err := r.Find(context.Background(), process.Want{PID: cmd.Process.Pid})
		if err != nil {
			return err
		}
		if i == 0 {
			_, err = process.Stop(list, g)
		} else {
			_, err = process.Limit(list, 0, g)
		}
		if err != nil {
			return err
		}
		pids = append(pids, strconv.Itoa(cmd.Process.Pid))
	}
	fmt.Println(strings.Join(pids, " "))
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// helper starts this test binary as a helper.
func helper(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), role+"=helper "+strings.Join(args, " "))
	cmd.Stderr = os.Stderr
	return cmd
}

// child is a running process of ours.
type child struct {
	*exec.Cmd
	in  io.Writer
	out *bufio.Reader
	say string // its first line
}

// start starts a child, and ends it with the test.
func start(t *testing.T, play string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command("/proc/self/exe")}
	c.Env = append(os.Environ(), role+"="+play)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewReader(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait() // says that it was killed
	})
	c.say = c.line(t)
	return c
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	text, err := c.out.ReadString('\n')
	if err != nil {
		t.Fatalf("child says %q, %v", text, err)
	}
	return strings.TrimSpace(text)
}

// ask sends a line and returns the answer.
func (c *child) ask(t *testing.T) string {
	t.Helper()
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		t.Fatal(err)
	}
	return c.line(t)
}

// find opens processes of a realm whose root is this test.
func find(t *testing.T, pids ...int) []*process.Process {
	t.Helper()
	r, err := process.NewRealm(process.Config{Roots: []int{os.Getpid()}})
	if err != nil {
		t.Fatal(err)
	}
	var list []*process.Process
	for _, pid := range pids {
		found, err := r.Find(t.Context(), process.Want{PID: pid})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, found...)
	}
	return list
}

func guardian(t *testing.T) *process.Guardian {
	t.Helper()
	g := process.NewGuardian(helper)
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// state is the letter of proc(5), or "" if there is no such process.
func state(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return rest[:1]
}

// softLimit is the soft limit of descriptors of a process.
func softLimit(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			return strings.Join(strings.Fields(rest)[:2], "/")
		}
	}
	t.Fatal("no limit")
	return ""
}

// eventually waits until something is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
