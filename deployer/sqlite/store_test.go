package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/record"
	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/deployer/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() deployer.Store {
		path := filepath.Join(t.TempDir(), "data", "seadog.db")
		return func() deployer.Store { return open(t, path) }
	})
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConfigIsChecked(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for name, cfg := range map[string]sqlite.Config{
		"no path": {Log: log}, "no log": {Path: "x"}, "negative deadline": {Path: "x", Log: log, Deadline: -1},
	} {
		if err := cfg.Validate(); deployer.CodeOf(err) != deployer.CodeInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?%", "data")
	s := open(t, filepath.Join(dir, "seadog.db"))
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		seen++
		return err
	})
	if err != nil || seen != 5 { // directory, database, log, index, turn
		t.Errorf("%d files, %v", seen, err)
	}
}

func TestManyMayOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seadog.db")
	errs := make(chan error)
	for range 8 {
		go func() {
			s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Log: slog.New(slog.DiscardHandler)})
			if err == nil {
				err = errors.Join(s.Ping(t.Context()), s.Close())
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestCallerLeavesWhenItsContextEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seadog.db")
	s, other := open(t, path), open(t, path)
	holding, release := make(chan struct{}), make(chan struct{})
	held := make(chan error, 1)
	go func() {
		held <- other.Write(t.Context(), func(context.Context, record.Tx) error {
			close(holding)
			<-release
			return nil
		})
	}()
	<-holding
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Ping(ctx); deployer.CodeOf(err) != deployer.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	close(release)
	if err := <-held; err != nil {
		t.Error(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnswerUndoesOnlyItsOwnWrites(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "seadog.db"))
	refusal := deployer.Errorf(deployer.CodeConflict, "no")
	err := s.Write(t.Context(), func(ctx context.Context, tx record.Tx) error {
		if _, err := tx.Exec(ctx, "insert into locks values ('web', 'x', '', 1, 0)"); err != nil {
			return err
		}
		return refusal
	})
	if !errors.Is(err, refusal) {
		t.Fatalf("got %v", err)
	}
	if locks, err := s.Locks(t.Context()); err != nil || len(locks) != 0 {
		t.Errorf("got %v, %v", locks, err)
	}
	err = s.Write(t.Context(), func(ctx context.Context, tx record.Tx) error {
		_, err := tx.Exec(ctx, "insert into nonsense values (1)")
		return err
	})
	if deployer.CodeOf(err) != deployer.CodeInternal {
		t.Errorf("got %v, want internal", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFullDiskIsUnavailableUntilThereIsSpace(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mount: %v", err)
		}
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := open(t, filepath.Join(dir, "seadog.db"))
	acked := fill(t, s)
	unavailable(t, s)
	if _, err := s.Deployments(t.Context(), deployer.DeploymentFilter{}); err != nil {
		t.Errorf("reading from a full disk: %v", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("after space was made: %v", err)
	}
	tally, err := s.Tally(t.Context())
	if n := tally.Deliveries[deployer.DeliveryKind{Provider: deployer.GitHub, Verdict: deployer.VerdictIgnored}]; err != nil || n != acked {
		t.Errorf("%d deliveries are stored, %d were acknowledged (%v)", n, acked, err)
	}
}

// fill accepts deliveries until there is no space left.
func fill(t *testing.T, s deployer.Store) (acked int64) {
	t.Helper()
	for ; acked < 10_000; acked++ {
		_, err := s.Accept(t.Context(), deployer.Intake{
			Hook: "hook", Provider: deployer.GitHub, ExternalID: fmt.Sprint(acked),
			Ignored: []deployer.Decision{{Reason: strings.Repeat("x", 4000)}},
		})
		if err != nil {
			if deployer.CodeOf(err) != deployer.CodeUnavailable {
				t.Fatalf("got %v, want unavailable", err)
			}
			return acked
		}
	}
	t.Fatal("the disk does not get full")
	return 0
}

func unavailable(t *testing.T, s deployer.Store) {
	t.Helper()
	_, err := s.Accept(t.Context(), deployer.Intake{Hook: "hook", Ignored: []deployer.Decision{{Reason: strings.Repeat("x", 4000)}}})
	if deployer.CodeOf(err) != deployer.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestUnusablePathIsUnavailable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("this is not a database, and not a directory either"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "seadog.db")} {
		_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Log: slog.New(slog.DiscardHandler)})
		if deployer.CodeOf(err) != deployer.CodeUnavailable {
			t.Errorf("%s: got %v, want unavailable", path, err)
		}
	}
}
