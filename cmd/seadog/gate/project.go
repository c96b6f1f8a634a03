package gate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/seadog/seadog/cmd/seadog/scene"
)

// releases are the commits of the repository that all projects of a service are
// deployed from, oldest first. Each has another version in its Compose file.
type releases struct {
	repo    *scene.Repository
	commits []string
}

// versionLabel is on every container, so that it can be asked which commit runs.
const versionLabel = "seadog.version"

// siteCompose has one service that does nothing but run. Without a network of
// its own it costs the engine little.
const siteCompose = `services:
  site:
    image: %s
    pull_policy: never
    network_mode: none
    stop_grace_period: 1s
    labels: {` + versionLabel + `: "%s"}
`

// chattyCompose builds an image, and the build prints many lines.
const chattyCompose = `services:
  site:
    build: {context: ., network: none}
    network_mode: none
    stop_grace_period: 1s
    labels: {` + versionLabel + `: "%s"}
`

const chattyDockerfile = `FROM %s
COPY version /version
RUN ["/seadog", "demo-site", "--lines", "100000"]
`

// newReleases makes a repository with so many commits.
func newReleases(ctx context.Context, dir, image string, w wanted) (*releases, error) {
	repo, err := scene.NewRepository(ctx, dir)
	if err != nil {
		return nil, err
	}
	r := &releases{repo: repo}
	for i := range w.commits {
		if err := r.commit(ctx, image, w.compose, i); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *releases) commit(ctx context.Context, image, kind string, version int) error {
	text := fmt.Sprint(version)
	files := map[string]string{"version": text + "\n", "compose.yaml": fmt.Sprintf(siteCompose, image, text)}
	if kind == "chatty" {
		files["compose.yaml"] = fmt.Sprintf(chattyCompose, text)
		files["Dockerfile"] = fmt.Sprintf(chattyDockerfile, image)
	}
	if err := r.repo.Write(files); err != nil {
		return err
	}
	_, after, err := r.repo.Commit(ctx, "Version "+text)
	r.commits = append(r.commits, after)
	return err
}

// last is the version of the newest commit.
func (r *releases) last() string { return fmt.Sprint(len(r.commits) - 1) }

// buildImage makes the image of all sites: this very binary, from scratch.
func buildImage(ctx context.Context, dir, name, executable string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := scene.CopyExecutable(filepath.Join(dir, "seadog"), executable); err != nil {
		return err
	}
	dockerfile := "FROM scratch\nCOPY seadog /seadog\nENTRYPOINT [\"/seadog\", \"demo-site\", \"--idle\"]\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "docker", "build", "--quiet", "--tag", name, dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the image of the sites: %w\n%s", err, out)
	}
	return nil
}
