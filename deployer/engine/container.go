package engine

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/seadog/seadog/deployer/health"
)

// Labels that Compose gives its containers.
const (
	labelProject = "com.docker.compose.project"
	labelService = "com.docker.compose.service"
	labelNumber  = "com.docker.compose.container-number"
	labelOneOff  = "com.docker.compose.oneoff"
)

const (
	maxCheckLog = 200      // bytes of a health check's output
	maxLogs     = 64 << 10 // bytes of logs
	maxLogLine  = 4 << 10
)

var _ health.Observer = (*Client)(nil)

// Services returns the containers of a Compose project, also those that have
// exited, but not those of `compose run`; sorted by service and number. A
// container that vanishes while it is looked at is left out.
func (c *Client) Services(ctx context.Context, project string) ([]health.Observation, error) {
	list, err := c.list(ctx, project)
	if err != nil {
		return nil, err
	}
	var out []health.Observation
	for _, s := range list {
		if strings.EqualFold(s.Labels[labelOneOff], "true") || s.Labels[labelService] == "" {
			continue
		}
		full, err := c.inspect(ctx, s.ID)
		if cerrdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, observation(full))
	}
	slices.SortFunc(out, func(a, b health.Observation) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

func (c *Client) list(ctx context.Context, project string) (list []container.Summary, err error) {
	err = c.call(ctx, callList, func(ctx context.Context) error {
		list, err = c.docker.ContainerList(ctx, container.ListOptions{
			All: true, Filters: filters.NewArgs(filters.Arg("label", labelProject+"="+project)),
		})
		return err
	})
	return list, err
}

func (c *Client) inspect(ctx context.Context, id string) (full container.InspectResponse, err error) {
	err = c.call(ctx, callInspect, func(ctx context.Context) error {
		full, err = c.docker.ContainerInspect(ctx, id)
		return err
	})
	if err == nil && (full.ContainerJSONBase == nil || full.State == nil || full.Config == nil || full.HostConfig == nil) {
		err = fmt.Errorf("container inspect: incomplete answer for %.12s", id)
	}
	return full, err
}

func observation(full container.InspectResponse) health.Observation {
	o := health.Observation{
		Service:  full.Config.Labels[labelService],
		ID:       full.ID,
		Name:     strings.TrimPrefix(full.Name, "/"),
		Image:    full.Image,
		Ref:      full.Config.Image,
		State:    health.State(full.State.Status),
		Restart:  string(full.HostConfig.RestartPolicy.Name),
		Restarts: full.RestartCount,
		ExitCode: full.State.ExitCode,
		OOM:      full.State.OOMKilled,
		Error:    full.State.Error,
	}
	o.Number, _ = strconv.Atoi(full.Config.Labels[labelNumber])
	o.Started, _ = time.Parse(time.RFC3339Nano, full.State.StartedAt)
	o.Finished, _ = time.Parse(time.RFC3339Nano, full.State.FinishedAt)
	if h := full.State.Health; h != nil && h.Status != container.NoHealthcheck {
		o.Check = health.Check(h.Status)
		if n := len(h.Log); n > 0 {
			o.CheckLog = oneLine(h.Log[n-1].Output)
		}
	}
	return o
}

// oneLine shortens what a program printed to one line.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxCheckLog {
		s = strings.ToValidUTF8(s[:maxCheckLog], "") + "…"
	}
	return s
}

// Logs returns the last lines that a container printed, at most 64 KiB of
// them. They are what the program printed: the caller redacts them.
func (c *Client) Logs(ctx context.Context, id string, lines int) ([]string, error) {
	full, err := c.inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	err = c.call(ctx, callLogs, func(ctx context.Context) error {
		body, err := c.docker.ContainerLogs(ctx, id, container.LogsOptions{
			ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines),
		})
		if err != nil {
			return err
		}
		defer body.Close()
		out := &tail{buf: &buf, max: maxLogs}
		if full.Config.Tty {
			_, err = io.Copy(out, body)
		} else {
			_, err = stdcopy.StdCopy(out, out, body)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(strings.ToValidUTF8(buf.String(), "�")) {
		line = strings.TrimRight(line, "\r\n")
		out = append(out, line[:min(len(line), maxLogLine)])
	}
	return out[max(0, len(out)-lines):], nil
}

// tail keeps the last max bytes that were written to it.
type tail struct {
	buf *bytes.Buffer
	max int
}

func (t *tail) Write(p []byte) (int, error) {
	t.buf.Write(p)
	if over := t.buf.Len() - t.max; over > 0 {
		t.buf.Next(over)
	}
	return len(p), nil
}

// Latency is how long the two calls took that a wedged engine hangs on.
type Latency struct {
	List    time.Duration
	Inspect time.Duration // 0 if there is no container to inspect
}

// Probe asks the engine what `docker ps` and `docker inspect` ask. It goes
// past the breaker, for people who want to know how the engine is now.
func (c *Client) Probe(ctx context.Context) (Latency, error) {
	var l Latency
	begun := time.Now()
	a, id, err := c.probeList(ctx)
	l.List = time.Since(begun)
	if a != answered || id == "" {
		return l, err
	}
	begun = time.Now()
	a, err = c.probeInspect(ctx, id)
	l.Inspect = time.Since(begun)
	if a == answered && cerrdefs.IsNotFound(err) {
		return l, nil // it was removed in between
	}
	return l, err
}

func (c *Client) probeList(ctx context.Context) (a answer, id string, err error) {
	a, err = c.timed(ctx, callList, func(ctx context.Context) error {
		list, err := c.docker.ContainerList(ctx, container.ListOptions{})
		if len(list) > 0 {
			id = list[0].ID
		}
		return err
	})
	return a, id, err
}

func (c *Client) probeInspect(ctx context.Context, id string) (answer, error) {
	return c.timed(ctx, callInspect, func(ctx context.Context) error {
		_, err := c.docker.ContainerInspect(ctx, id)
		return err
	})
}

// Version returns the engine's version and the newest API version that it speaks.
func (c *Client) Version(ctx context.Context) (engine, api string, err error) {
	err = c.call(ctx, callVersion, func(ctx context.Context) error {
		v, err := c.docker.ServerVersion(ctx)
		engine, api = v.Version, v.APIVersion
		return err
	})
	return engine, api, err
}
