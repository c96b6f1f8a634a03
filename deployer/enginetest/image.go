package enginetest

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// dockerfile makes an image of the server. What the build was told is part of the image.
const dockerfile = `FROM scratch
ARG NOTE=none
ENV NOTE=$NOTE
COPY server version /
ENTRYPOINT ["/server"]
`

// binary compiles the server once per test binary.
var binary = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "seadog-server-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "server")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path,
		"github.com/seadog/seadog/deployer/enginetest/server")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, &exec.Error{Name: "go build: " + string(out), Err: err}
	}
	return os.ReadFile(path)
})

// Server returns the compiled server; see package server for what it does.
func Server(tb testing.TB) []byte {
	tb.Helper()
	b, err := binary()
	if err != nil {
		tb.Fatalf("build the test server: %v", err)
	}
	return b
}

// Context makes dir a build context of an image whose server answers with version.
func Context(tb testing.TB, dir, version string) {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	write := func(name string, content []byte, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), content, mode); err != nil {
			tb.Fatal(err)
		}
	}
	write("Dockerfile", []byte(dockerfile), 0o644)
	write("server", Server(tb), 0o755)
	write("version", []byte(version), 0o644)
}

// Image puts an image of the server under the name ref into the engine, without a build, and returns its id.
func (e *Engine) Image(tb testing.TB, ref, version string) string {
	tb.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range []struct {
		name    string
		content []byte
		mode    int64
	}{{"server", Server(tb), 0o755}, {"version", []byte(version), 0o644}} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content))}); err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	answer, err := e.docker.ImageImport(tb.Context(), image.ImportSource{Source: &buf, SourceName: "-"}, ref,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["/server"]`}})
	if err != nil {
		tb.Fatalf("import image: %v", err)
	}
	defer answer.Close()
	if _, err := io.Copy(io.Discard, answer); err != nil {
		tb.Fatalf("import image: %v", err)
	}
	got, err := e.docker.ImageInspect(tb.Context(), ref)
	if err != nil {
		tb.Fatalf("import image: %v", err)
	}
	return got.ID
}

// Project returns a Compose project name made of the test's, and removes the
// project's containers when the test is over.
func (e *Engine) Project(tb testing.TB) string {
	tb.Helper()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(tb.Name()))
	name = "p" + name[max(0, len(name)-40):]
	tb.Cleanup(func() {
		ctx := context.WithoutCancel(tb.Context())
		list, err := e.docker.ContainerList(ctx, container.ListOptions{
			All: true, Filters: filters.NewArgs(filters.Arg("label", "com.docker.compose.project="+name)),
		})
		if err != nil {
			tb.Errorf("clean up project %s: %v", name, err)
		}
		for _, c := range list {
			if err := e.docker.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
				tb.Errorf("clean up container %s: %v", c.Names, err)
			}
		}
	})
	return name
}
