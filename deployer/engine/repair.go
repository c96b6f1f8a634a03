package engine

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
)

// leftover matches the name that a container bears while Compose replaces
// another by it: the start of the old one's id before the name that it will get.
var leftover = regexp.MustCompile(`^[0-9a-f]{12}_(.+)$`)

// Repair cleans up after a Compose that was killed while it replaced
// containers of project, and returns one sentence for everything it did. Without it every
// later `up` may stumble over names that are taken.
//
// It deletes nothing that the project still has only once: a leftover is
// removed while the container that it was to replace exists, and gets that one's
// name when it does not (it holds the anonymous volumes then). Volumes are never removed.
func (c *Client) Repair(ctx context.Context, project string) ([]string, error) {
	list, err := c.list(ctx, project)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, s := range list {
		names[nameOf(s)] = true
	}
	var done []string
	for _, s := range list {
		m := leftover.FindStringSubmatch(nameOf(s))
		if m == nil {
			continue
		}
		what, err := c.repairOne(ctx, s, m[1], names[m[1]])
		if err != nil {
			return done, err
		}
		names[m[1]] = true
		done = append(done, what)
	}
	return done, nil
}

func (c *Client) repairOne(ctx context.Context, s container.Summary, name string, taken bool) (string, error) {
	if !taken {
		err := c.call(ctx, callRename, func(ctx context.Context) error {
			return c.docker.ContainerRename(ctx, s.ID, name)
		})
		return fmt.Sprintf("renamed container %s to %s", nameOf(s), name), err
	}
	err := c.call(ctx, callRemove, func(ctx context.Context) error {
		return c.docker.ContainerRemove(ctx, s.ID, container.RemoveOptions{Force: true})
	})
	if cerrdefs.IsNotFound(err) {
		err = nil
	}
	return fmt.Sprintf("removed container %s, left by an interrupted replacement of %s", nameOf(s), name), err
}

func nameOf(s container.Summary) string {
	if len(s.Names) == 0 {
		return ""
	}
	return strings.TrimPrefix(s.Names[0], "/")
}
