package demo

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/seadog/seadog/cmd/seadog/scene"
)

const dockerfile = `FROM scratch
COPY seadog /seadog
COPY version /version
ENTRYPOINT ["/seadog", "demo-site"]
`

// composeFile publishes the site on a port of this machine only. %d is the port.
const composeFile = `services:
  site:
    build: .
    ports: ["127.0.0.1:%d:` + sitePort + `"]
    stop_grace_period: 1s
    healthcheck:
      test: ["CMD", "/seadog", "demo-site", "--health"]
      interval: 1s
      timeout: 2s
      retries: 3
`

// repository is the sample project's Git repository.
type repository struct{ *scene.Repository }

// newRepository creates the repository with everything but a version. The
// image is made of this very binary, so that nothing has to be pulled.
func newRepository(ctx context.Context, dir, executable string, port int) (*repository, error) {
	r, err := scene.NewRepository(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := scene.CopyExecutable(filepath.Join(dir, "seadog"), executable); err != nil {
		return nil, fmt.Errorf("copy the sample binary: %w", err)
	}
	return &repository{r}, r.Write(map[string]string{
		"Dockerfile":   dockerfile,
		"compose.yaml": fmt.Sprintf(composeFile, port),
	})
}

// commit records a version and returns the commits before and after it.
func (r *repository) commit(ctx context.Context, version string) (before, after string, err error) {
	if err := r.Write(map[string]string{"version": version + "\n"}); err != nil {
		return "", "", err
	}
	return r.Commit(ctx, "Release version "+version)
}
