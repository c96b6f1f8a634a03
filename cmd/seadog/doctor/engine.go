package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

const (
	pingDeadline = 3 * time.Second
	callDeadline = 4 * time.Second // listing; inspecting all
	slowCall     = time.Second
	maxInspected = 32
)

// dial returns a client for the engine that the service would use.
func dial(c Config) (*client.Client, string, error) {
	host := cmp.Or(c.DockerHost, c.Getenv("DOCKER_HOST"), client.DefaultDockerHost)
	options := []client.Opt{client.WithHost(host), client.WithAPIVersionNegotiation()}
	if dir := c.Getenv("DOCKER_CERT_PATH"); dir != "" && strings.HasPrefix(host, "tcp://") {
		options = append(options, client.WithTLSClientConfig(
			filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")))
	}
	engine, err := client.NewClientWithOpts(options...)
	return engine, host, err
}

// engine asks for what deployments ask for: an engine that is wedged still
// answers _ping, and hangs when it lists or inspects containers.
func engine(ctx context.Context, c Config) []Finding {
	cli, host, err := dial(c)
	if strings.HasPrefix(host, "ssh://") {
		return []Finding{{"engine", Warn, host + " is not examined: only docker itself speaks ssh", "try: docker -H " + host + " ps"}}
	}
	if err != nil {
		return []Finding{{"engine", Fail, fmt.Sprintf("%s cannot be used: %v", host, err), "correct docker.host or DOCKER_HOST"}}
	}
	defer cli.Close()
	took, err := timed(ctx, pingDeadline, func(ctx context.Context) error {
		_, err := cli.Ping(ctx)
		return err
	})
	if err != nil {
		return []Finding{unreachable(host, cause(ctx, host, err))}
	}
	findings := []Finding{{"engine", OK, fmt.Sprintf("%s answers in %s", host, ms(took)), ""}}
	list, containers := listing(ctx, cli)
	findings = append(findings, list)
	if list.Level == Fail {
		return findings
	}
	return append(findings, inspecting(ctx, cli, containers))
}

// cause finds out why the engine's socket cannot be reached: the library's error does not say.
func cause(ctx context.Context, host string, err error) error {
	path, isUnix := strings.CutPrefix(host, "unix://")
	if !isUnix || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	d := net.Dialer{Timeout: pingDeadline}
	conn, dialErr := d.DialContext(ctx, "unix", path)
	if dialErr != nil {
		return dialErr
	}
	conn.Close()
	return err
}

func unreachable(host string, err error) Finding {
	f := Finding{"engine", Fail, fmt.Sprintf("%s is not reachable: %v", host, err), "is Docker installed and running? systemctl status docker"}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		f.What = fmt.Sprintf("%s accepts, but does not answer _ping within %s", host, pingDeadline)
		f.Do = "restart Docker (systemctl restart docker); running containers survive with live-restore"
	case errors.Is(err, fs.ErrPermission):
		f.What = host + " may not be used by this user"
		f.Do = "add the user of the service to the group docker, then log in again or restart the service"
	case errors.Is(err, fs.ErrNotExist):
		f.What = host + " does not exist"
		f.Do = "start Docker (systemctl start docker), or mount its socket into the container"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.What = "nothing listens on " + host
		f.Do = "start Docker: systemctl start docker"
	}
	return f
}

func listing(ctx context.Context, cli *client.Client) (Finding, []container.Summary) {
	var containers []container.Summary
	took, err := timed(ctx, callDeadline, func(ctx context.Context) error {
		var err error
		containers, err = cli.ContainerList(ctx, container.ListOptions{All: true})
		return err
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Finding{
			"engine list", Fail,
			fmt.Sprintf("the engine answers _ping, but does not list containers within %s: it is wedged, and every deployment would hang", callDeadline),
			"see what blocks it (journalctl -u docker), then restart Docker: systemctl restart docker",
		}, nil
	case err != nil:
		return Finding{"engine list", Fail, fmt.Sprintf("containers cannot be listed: %v", err), "see journalctl -u docker"}, nil
	case took > slowCall:
		return Finding{
			"engine list", Warn, fmt.Sprintf("%d containers listed in %s, which is slow", len(containers), ms(took)),
			"remove what is not needed (docker container prune), and look at the load of disk and CPU",
		}, containers
	}
	return Finding{"engine list", OK, fmt.Sprintf("%d containers listed in %s", len(containers), ms(took)), ""}, containers
}

func inspecting(ctx context.Context, cli *client.Client, containers []container.Summary) Finding {
	var slowest time.Duration
	name := ""
	ctx, cancel := context.WithTimeout(ctx, callDeadline)
	defer cancel()
	containers = containers[:min(len(containers), maxInspected)]
	for _, each := range containers {
		took, err := timed(ctx, callDeadline, func(ctx context.Context) error {
			_, err := cli.ContainerInspect(ctx, each.ID)
			return err
		})
		if errors.Is(err, context.DeadlineExceeded) {
			return Finding{
				"engine inspect", Fail,
				fmt.Sprintf("the engine hangs when it inspects container %s: every deployment that touches it would hang", nameOf(each)),
				"restart Docker (systemctl restart docker); if it comes back, remove the container: docker rm -f " + each.ID[:min(12, len(each.ID))],
			}
		}
		if took > slowest { // a container that is gone by now is no finding
			slowest, name = took, nameOf(each)
		}
	}
	switch {
	case len(containers) == 0:
		return Finding{"engine inspect", OK, "no container to inspect", ""}
	case slowest > slowCall:
		return Finding{"engine inspect", Warn, fmt.Sprintf("inspecting %s takes %s, which is slow", name, ms(slowest)), "look at the load of disk and CPU"}
	}
	return Finding{"engine inspect", OK, fmt.Sprintf("%d containers inspected, the slowest in %s", len(containers), ms(slowest)), ""}
}

func nameOf(c container.Summary) string {
	if len(c.Names) > 0 {
		return strings.TrimPrefix(c.Names[0], "/")
	}
	return c.ID[:min(12, len(c.ID))]
}

// timed calls f with a deadline of its own and says how long it took. A
// deadline that struck is what the error says, whatever the library made of it.
func timed(ctx context.Context, deadline time.Duration, f func(context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	start := time.Now()
	err := f(ctx)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return time.Since(start), err
}
