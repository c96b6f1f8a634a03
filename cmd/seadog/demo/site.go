package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/seadog/seadog/cmd/seadog/scene"
)

// sitePort is where the sample site listens inside its container.
const sitePort = "8080"

// versionFile is what makes one commit of the sample repository differ from the next.
const versionFile = "/version"

// Site is the sample application: one page that names its version. The version
// "broken" stands for the release that everybody has shipped once: it starts,
// and never answers. Site serves until ctx is done.
func Site(ctx context.Context) error {
	version, err := os.ReadFile(versionFile)
	if err != nil {
		return fmt.Errorf("read the version: %w", err)
	}
	if strings.TrimSpace(string(version)) == "broken" {
		<-ctx.Done()
		return nil
	}
	server := &http.Server{
		Addr:              ":" + sitePort,
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "hello from version %s\n", strings.TrimSpace(string(version)))
		}),
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// SiteHealth is the HEALTHCHECK of the sample site: nil if it answers.
func SiteHealth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := scene.Get(ctx, "http://127.0.0.1:"+sitePort)
	return err
}

// Chatter prints n lines as fast as they are read: what a verbose build does.
func Chatter(out io.Writer, n int) error {
	w := bufio.NewWriter(out)
	for i := range n {
		if _, err := fmt.Fprintf(w, "%08d the quick brown fox jumps over the lazy dog, and nobody looks\n", i); err != nil {
			return err
		}
	}
	return w.Flush()
}
