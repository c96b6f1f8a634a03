package sqlite_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/deployer/storetest"
)

func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{64, 1000} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			cfg := sqlite.Config{Path: filepath.Join(b.TempDir(), "single.db"), Log: slog.New(slog.DiscardHandler)}
			single, err := sqlite.OpenSingle(b.Context(), cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer single.Close()
			storetest.CompareAccept(b, callers, open(b, filepath.Join(b.TempDir(), "group.db")), single)
		})
	}
}
