package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/seadog/seadog/cmd/seadog/scene"
	"github.com/seadog/seadog/watchdog"
)

// fault shows the watchdog at work: a server under it in which two goroutines
// wait for each other for ever, while others ask for its health.
func (d *demo) fault(ctx context.Context) error {
	ports, err := scene.FreePorts(1)
	if err != nil {
		return err
	}
	data := filepath.Join(d.dir, "lab")
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	lab := server{
		args: []string{"lab", "--listen", address, "--harakiri", "1s", "--mercy", "1s", "--data", data},
		url:  "http://" + address, ready: "/health",
	}
	return d.serve(ctx, lab, func(ctx context.Context) error {
		checks := checkHealth(ctx, lab.url+"/health")
		d.say("GET %s/deadlock: two goroutines lock two mutexes in either order", lab.url)
		status, body, err := scene.Fetch(ctx, lab.url+"/deadlock")
		if err != nil {
			return err
		}
		d.say("%d %s", status, body)
		if status != http.StatusGatewayTimeout {
			return fmt.Errorf("the deadlock was answered with %d", status)
		}
		killing, err := d.killing(ctx, data)
		if err != nil {
			return err
		}
		failed, asked := checks.stop()
		d.say("%d health checks meanwhile, %d failed", asked, failed)
		if failed > 0 {
			return fmt.Errorf("%d health checks failed", failed)
		}
		page, err := exec.CommandContext(ctx, d.Executable, "incidents", "--data", data, killing).CombinedOutput()
		fmt.Fprintf(d.Out, "%s", page)
		return err
	})
}

// killing waits for the incident of the worker that was replaced.
func (d *demo) killing(ctx context.Context, data string) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		out, err := exec.CommandContext(ctx, d.Executable, "incidents", "--data", data, "--json").Output()
		if err != nil {
			return "", fmt.Errorf("list incidents: %w", err)
		}
		var list struct {
			Incidents []watchdog.Incident `json:"incidents"`
		}
		if err := json.Unmarshal(out, &list); err != nil {
			return "", fmt.Errorf("read incidents: %w", err)
		}
		for _, i := range list.Incidents {
			if i.Severity == watchdog.Killing {
				return i.ID, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no worker was replaced: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// checks are health checks at a steady pace, each on a connection of its own.
type checks struct {
	cancel        context.CancelFunc
	done          sync.WaitGroup
	asked, failed int
}

func checkHealth(ctx context.Context, url string) *checks {
	c := &checks{}
	ctx, c.cancel = context.WithCancel(ctx)
	c.done.Go(func() {
		pace := time.NewTicker(20 * time.Millisecond)
		defer pace.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-pace.C:
			}
			status, _, err := scene.Fetch(context.WithoutCancel(ctx), url)
			c.asked++
			if err != nil || status != http.StatusOK {
				c.failed++
			}
		}
	})
	return c
}

func (c *checks) stop() (failed, asked int) {
	c.cancel()
	c.done.Wait()
	return c.failed, c.asked
}
