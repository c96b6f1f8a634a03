package fault_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest/fault"
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
		return fault.Help(args[1:], os.Stdin)
	case "service": // answers every line with the descriptor it can open, has workers
		for range 2 {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), role+"=worker")
			if _, err := cmd.StdinPipe(); err != nil {
				return err
			}
			if err := cmd.Start(); err != nil {
				return err
			}
		}
		fmt.Println("ready")
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			f, err := os.Open("/dev/null")
			if err != nil {
				fmt.Println(err)
				continue
			}
			_ = f.Close()
			fmt.Println("opened")
		}
	case "worker":
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case "chatter": // says more and more
		for i := 0; ; i++ {
			if _, err := fmt.Printf("line %d of many that a service may print when it is asked to tell more\n", i); err != nil {
				return err
			}
		}
	}
	return nil
}

// helper starts this test binary as a helper.
func helper(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), role+"=helper "+strings.Join(args, " "))
	cmd.Stderr = os.Stderr
	return cmd
}
