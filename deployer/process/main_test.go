package process_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer/process"
)

// fakeVariable makes the test binary one of the fakes instead of a test run.
const fakeVariable = "PROCESS_TEST_FAKE"

func TestMain(m *testing.M) {
	if fake := strings.Fields(os.Getenv(fakeVariable)); len(fake) > 0 {
		os.Exit(runFake(fake[0], fake[1:]))
	}
	if err := process.Adopt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func runFake(name string, args []string) int {
	number := func(i int) int {
		n, _ := strconv.Atoi(args[i])
		return n
	}
	switch name {
	case "exit":
		fmt.Println("working")
		fmt.Fprintln(os.Stderr, "it did not work")
		return number(0)
	case "signal":
		_ = syscall.Kill(os.Getpid(), syscall.Signal(number(0)))
		forever()
	case "environment":
		for _, e := range os.Environ() {
			fmt.Println(e)
		}
	case "silent":
		fmt.Println("ready")
		forever()
	case "ticking": // speaks, pauses, speaks
		for _, pause := range args {
			d, _ := time.ParseDuration(pause)
			<-time.After(d)
			fmt.Println("tick")
		}
	case "burst":
		w := bufio.NewWriter(os.Stdout)
		for i := range number(0) {
			fmt.Fprintf(w, "line %d of a build that has much to say about everything it does\n", i)
		}
		w.Flush()
	case "endless":
		block := []byte(strings.Repeat("x", 100_000))
		for {
			if _, err := os.Stdout.Write(block); err != nil {
				return 1
			}
		}
	case "tree": // a chain of sessions; none of them obeys TERM, all hold the pipe
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		if n := number(0); n > 0 {
			spawn(fmt.Sprint("tree ", n-1), true)
		}
		fmt.Println("ready")
		forever()
	case "orphan": // leaves a tree behind and succeeds
		spawn("tree 1", true)
		fmt.Println("done")
	case "tame": // leaves something behind that obeys
		spawn("silent", true)
	case "escape": // a child in another session, without marker
		bare("tree 0", true)
		fmt.Println("ready")
		forever()
	case "stray": // a grandchild in the same session, without marker, whose parent has gone
		bare("stray-parent", false)
		fmt.Println("ready")
		forever()
	case "stray-parent":
		bare("tree 0", false)
	case "bomb": // every process starts three when it is told to end
		told := make(chan os.Signal, 1)
		signal.Notify(told, syscall.SIGTERM)
		generation := number(0)
		if generation == 0 {
			for range 12 {
				spawn("bomb 1", true)
			}
			fmt.Println("ready")
		}
		for range told {
			if generation < 3 {
				for range 2 {
					spawn(fmt.Sprint("bomb ", generation+1), true)
				}
			}
		}
	}
	return 0
}

// spawn starts a fake with the marker, bare one without.
func spawn(fake string, session bool) {
	launch(session, fakeVariable+"="+fake, process.MarkerVariable+"="+os.Getenv(process.MarkerVariable))
}

func bare(fake string, session bool) { launch(session, fakeVariable+"="+fake) }

func launch(session bool, env ...string) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = env
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	_ = cmd.Start()
}

// forever is a minute: long enough for every test, and nothing is left for
// long of a test that fails.
func forever() {
	<-time.After(time.Minute)
	os.Exit(1)
}
