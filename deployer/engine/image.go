package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/health"
)

// keptRepository holds the tags that keep images of healthy deployments. Its
// first part makes it a registry on this very machine, so that nothing ever
// asks a public registry for it.
const keptRepository = "localhost/seadog"

// keptTag is the tag for one service's image of one deployment. Project names
// have no dot, so the parts can be told apart.
func keptTag(project string, deployment int64, service string) string {
	tag := fmt.Sprintf("%s.%d.%s", project, deployment, service)
	return keptRepository + ":" + tag[:min(len(tag), 128)]
}

// keptBy returns the deployment that a tag of project was kept for.
func keptBy(project, ref string) (int64, bool) {
	rest, ok := strings.CutPrefix(ref, keptRepository+":"+project+".")
	if !ok {
		return 0, false
	}
	number, _, ok := strings.Cut(rest, ".")
	id, err := strconv.ParseInt(number, 10, 64)
	return id, ok && err == nil
}

// Tagged is an image with one of its tags.
type Tagged struct {
	Ref string // name:tag
	ID  string // sha256:…
}

// Keep tags the image of every service that seen shows, so that it is there
// for a rollback to the given deployment, and returns what it kept.
func (c *Client) Keep(ctx context.Context, project string, deployment int64, seen []health.Observation) ([]deployer.Image, error) {
	var kept []deployer.Image
	for _, o := range seen {
		if slices.ContainsFunc(kept, func(i deployer.Image) bool { return i.Service == o.Service }) {
			continue
		}
		tag := keptTag(project, deployment, o.Service)
		if err := c.Tag(ctx, o.Image, tag); err != nil {
			return kept, fmt.Errorf("keep image of %s: %w", o.Service, err)
		}
		kept = append(kept, deployer.Image{Service: o.Service, ID: o.Image, Tag: tag})
	}
	return kept, nil
}

// Forget drops the tags of all deployments of project but the given ones, and
// returns the tags that are gone. An image that has no other tag is deleted
// unless a container uses it; then its tag stays until a later call.
func (c *Client) Forget(ctx context.Context, project string, keep []int64) ([]string, error) {
	tagged, err := c.Images(ctx, keptRepository+":"+project+".")
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, t := range tagged {
		id, ok := keptBy(project, t.Ref)
		if !ok || slices.Contains(keep, id) {
			continue
		}
		switch err := c.Untag(ctx, t.Ref); {
		case cerrdefs.IsConflict(err):
			continue
		case err != nil && !cerrdefs.IsNotFound(err):
			return gone, err
		}
		gone = append(gone, t.Ref)
	}
	return gone, nil
}

// Tag gives an image another name.
func (c *Client) Tag(ctx context.Context, id, ref string) error {
	return c.call(ctx, callImageTag, func(ctx context.Context) error { return c.docker.ImageTag(ctx, id, ref) })
}

// Untag removes a name from an image, and the image with its last name unless a container uses it.
func (c *Client) Untag(ctx context.Context, ref string) error {
	return c.call(ctx, callImageRemove, func(ctx context.Context) error {
		_, err := c.docker.ImageRemove(ctx, ref, image.RemoveOptions{PruneChildren: true})
		return err
	})
}

// Images returns every image tag that starts with prefix (name:start-of-tag), sorted.
func (c *Client) Images(ctx context.Context, prefix string) ([]Tagged, error) {
	name, _, _ := strings.Cut(prefix, ":")
	var list []image.Summary
	err := c.call(ctx, callImageList, func(ctx context.Context) (err error) {
		list, err = c.docker.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", name))})
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []Tagged
	for _, i := range list {
		for _, ref := range i.RepoTags {
			if strings.HasPrefix(ref, prefix) {
				out = append(out, Tagged{Ref: ref, ID: i.ID})
			}
		}
	}
	slices.SortFunc(out, func(a, b Tagged) int { return strings.Compare(a.Ref, b.Ref) })
	return out, nil
}

// Resolve returns the id of the image that ref names, "" if there is none.
func (c *Client) Resolve(ctx context.Context, ref string) (id string, err error) {
	err = c.call(ctx, callImageInspect, func(ctx context.Context) error {
		i, err := c.docker.ImageInspect(ctx, ref)
		id = i.ID
		return err
	})
	if cerrdefs.IsNotFound(err) {
		return "", nil
	}
	return id, err
}
