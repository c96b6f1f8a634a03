package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Burning is a child that takes processor time.
type Burning struct {
	cmd  *exec.Cmd
	pipe *os.File

	mu      sync.Mutex
	undone  bool
	err     error
	effects map[string]uint64
}

// Burn starts a child that keeps so many cores busy, at that niceness. It ends
// with us however we end, and by itself after most.
func Burn(helper Helper, cores, nice int, most time.Duration) (*Burning, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start burner: %w", err)
	}
	defer read.Close()
	cmd := helper(burnRole, strconv.Itoa(cores), strconv.Itoa(nice), most.String())
	cmd.Stdin = read
	// A group of its own: at ^C it is for us to undo it, not for the child to end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return nil, fmt.Errorf("start burner: %w", err)
	}
	return &Burning{cmd: cmd, pipe: write}, nil
}

// Undo ends the child. That it had ended already, because it could not do what
// it should, is an error.
func (b *Burning) Undo() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.undone {
		return b.err
	}
	b.undone = true
	_ = b.cmd.Process.Kill()
	_ = b.pipe.Close()
	err := b.cmd.Wait()
	state := b.cmd.ProcessState
	if state == nil {
		b.err = fmt.Errorf("end burner: %w", err)
		return b.err
	}
	used := state.UserTime() + state.SystemTime()
	b.effects = map[string]uint64{"milliseconds of processor": uint64(used.Milliseconds())}
	if state.Exited() {
		b.err = fmt.Errorf("end burner: it had ended by itself, with status %d", state.ExitCode())
	}
	return b.err
}

// Effects tells, when it is over, how much time was taken.
func (b *Burning) Effects() map[string]uint64 { return copyOf(&b.mu, b.effects) }

// burn is the child's part.
func burn(args []string, stdin io.Reader) error {
	cores, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	nice, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	most, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(cores + 1)
	var over atomic.Bool
	failed := make(chan error, cores)
	for range cores {
		go func() {
			// Niceness is a thread's. It is never given back, and ends with the goroutine.
			runtime.LockOSThread()
			if err := unix.Setpriority(unix.PRIO_PROCESS, 0, nice); err != nil {
				failed <- fmt.Errorf("set niceness: %w", err)
				return
			}
			for !over.Load() {
			}
		}()
	}
	left := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, stdin)
		left <- err
	}()
	timer := time.NewTimer(most)
	defer timer.Stop()
	defer over.Store(true)
	select {
	case err := <-failed:
		return err
	case err := <-left:
		return err
	case <-timer.C:
		return nil
	}
}
