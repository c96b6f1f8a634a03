package compose

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/seadog/seadog/deployer"
)

// Moved returns those of images whose service would get another image than
// the kept one if the project were brought up as it is. Only they have to be
// pinned: a service whose image is the same is not touched by a rollback then.
// resolve returns the id of the image that a name stands for, "" if there is none.
func (m Model) Moved(ctx context.Context, images []deployer.Image, resolve func(ctx context.Context, ref string) (string, error)) ([]deployer.Image, error) {
	var moved []deployer.Image
	for _, s := range m.Services {
		i := slices.IndexFunc(images, func(i deployer.Image) bool { return i.Service == s.Name })
		if i < 0 {
			continue
		}
		id, err := resolve(ctx, s.Image)
		if err != nil {
			return nil, fmt.Errorf("resolve image of %s: %w", s.Name, err)
		}
		if id != images[i].ID {
			moved = append(moved, images[i])
		}
	}
	return moved, nil
}

// Pinned writes a Compose file into dir that makes services run the given
// images, whatever their names stand for by now, and returns its path for
// [Stack.Up]. The caller removes dir, which must not be in the worktree.
func Pinned(dir string, images []deployer.Image) (string, error) {
	path := filepath.Join(dir, "pinned.yaml")
	if err := os.WriteFile(path, pins(images), 0o600); err != nil {
		return "", fmt.Errorf("pin images: %w", err)
	}
	return path, nil
}

func pins(images []deployer.Image) []byte {
	var b bytes.Buffer
	b.WriteString("services:\n")
	for _, i := range images {
		fmt.Fprintf(&b, "  %q:\n    image: %q\n    build: !reset null\n    pull_policy: never\n", i.Service, i.Tag)
	}
	if len(images) == 0 {
		b.WriteString("  {}\n")
	}
	return b.Bytes()
}
