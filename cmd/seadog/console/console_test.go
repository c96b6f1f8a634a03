package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/cmd/seadog/console"
	"github.com/seadog/seadog/deployer"
)

// stuck is a terminal that was stopped until it is let go.
type stuck struct {
	let chan struct{}
	bytes.Buffer
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.let
	return s.Buffer.Write(b)
}

func TestALogThatNobodyReadsBlocksNobody(t *testing.T) {
	t.Parallel()
	const wrote, kept = 3000, 1024
	terminal := &stuck{let: make(chan struct{})}
	c := console.New(terminal)
	for range wrote / 2 { // would block for ever otherwise
		c.Log().Info("line")
	}
	var counted atomic.Uint64
	c.Count(func(n uint64) { counted.Add(n) })
	for range wrote / 2 {
		c.Log().Info("line")
	}
	close(terminal.let)
	c.Close()
	lines := strings.Count(terminal.String(), `"msg":"line"`)
	if lines < kept || uint64(wrote-lines) != c.Dropped() || counted.Load() != c.Dropped() {
		t.Errorf("%d of %d lines were written, %d dropped, %d counted", lines, wrote, c.Dropped(), counted.Load())
	}
	said := uint64(0)
	for _, m := range regexp.MustCompile(`"dropped":(\d+)}`).FindAllStringSubmatch(terminal.String(), -1) {
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		said += n
	}
	if said != c.Dropped() {
		t.Errorf("the log says that %d lines were dropped, want %d", said, c.Dropped())
	}
}

func TestWhatComesAfterTheEndIsDropped(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := console.New(&out)
	c.Close()
	for range 2000 {
		c.Log().Info("line")
	}
	if out.Len() != 0 || c.Dropped() == 0 {
		t.Errorf("%d dropped, and this written: %s", c.Dropped(), out.String())
	}
}

func TestAConfigurationReachesLoggersThatWereMadeBefore(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := console.New(&out)
	log := c.Log().With("a", 1).WithGroup("g").With("b", 2)
	log.Debug("not shown")
	log.Info("one", "c", 3*time.Second)
	c.Configure(console.Text, slog.LevelDebug)
	log.Debug("two", "c", 3)
	c.Configure(console.JSON, slog.LevelWarn)
	log.Info("not shown either")
	log.Warn("three")
	c.Configure(console.Auto, slog.LevelError)
	log.Error("four")
	c.Close()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("got %d lines:\n%s", len(lines), out.String())
	}
	for i, want := range []string{
		`"level":"INFO","msg":"one","a":1,"g":{"b":2,"c":"3s"}}`, "level=DEBUG msg=two a=1 g.b=2 g.c=3",
		`"msg":"three","a":1,"g":{"b":2}}`, `"msg":"four"`,
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %s, want %s", i+1, lines[i], want)
		}
	}
}

func TestLinesCarryWhatTheirContextKnows(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := console.New(&out)
	ctx := deployer.Correlate(t.Context(), slog.Int64(deployer.KeyDeployment, 7))
	step := deployer.Correlate(ctx, slog.String(deployer.KeyStep, "build"))
	other := deployer.Correlate(ctx, slog.String(deployer.KeyStep, "up")) // must not change step
	c.Log().InfoContext(step, "line")
	c.Log().InfoContext(other, "line")
	c.Log().InfoContext(t.Context(), "line")
	c.Close()
	want := []map[string]any{{"deployment": 7.0, "step": "build"}, {"deployment": 7.0, "step": "up"}, {}}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if got["deployment"] != want[i]["deployment"] || got["step"] != want[i]["step"] {
			t.Errorf("line %d: %s, want %v", i+1, line, want[i])
		}
	}
}

// TestATerminalGetsText: a real one.
func TestATerminalGetsText(t *testing.T) {
	t.Parallel()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		noTerminal(t, err)
	}
	defer ptmx.Close()
	if err := unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		noTerminal(t, err)
	}
	defer tty.Close()
	c := console.New(tty)
	c.Log().Info("line")
	buf := make([]byte, 4096)
	got, err := ptmx.Read(buf)
	c.Close()
	if err != nil || !strings.Contains(string(buf[:got]), "level=INFO msg=line") {
		t.Errorf("the terminal shows %q, %v", buf[:got], err)
	}
}

// noTerminal skips, but not where everything must be tested.
func noTerminal(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("no terminals here: %v", err)
	}
	t.Skipf("SKIPPED: no terminals here: %v", err)
}
