package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/seadog/seadog/deployer"
)

const (
	probeTimeout = 3 * time.Second
	maxRedirects = 3
)

// prober asks the probes of one gate. A probe that passed is not asked again.
type prober struct {
	probes []deployer.Probe
	last   []Finding // what each probe said last; empty before
	client *http.Client
}

func newProber(probes []deployer.Probe) prober {
	return prober{
		probes: probes,
		last:   make([]Finding, len(probes)),
		client: &http.Client{
			// No proxy: a probe asks the service itself, whatever the environment says.
			// No connection is kept: one to the container that was replaced proves nothing.
			Transport: &http.Transport{DisableKeepAlives: true, Proxy: nil},
			CheckRedirect: func(req *http.Request, via []*http.Request) error {
				// A redirect is an answer. Only those within the service are followed:
				// the service must not choose whom this machine speaks to.
				if len(via) >= maxRedirects || req.URL.Host != via[0].URL.Host {
					return http.ErrUseLastResponse
				}
				return nil
			},
		},
	}
}

func (p prober) close() { p.client.CloseIdleConnections() }

// ask returns one finding per probe.
func (p prober) ask(ctx context.Context) []Finding {
	for i, probe := range p.probes {
		if p.last[i].Outcome == Passed {
			continue
		}
		f := Finding{Service: probe.HTTP, Outcome: Passed, Reason: "answered"}
		if probe.HTTP == "" {
			f.Service = "tcp " + probe.TCP
		}
		if err := p.one(ctx, probe); err != nil {
			f.Outcome, f.Reason = Waiting, err.Error()
			if ctx.Err() != nil && p.last[i].Reason != "" {
				continue // cut short by the end of the gate: what it said before says more
			}
		}
		p.last[i] = f
	}
	return slices.Clone(p.last)
}

func (p prober) one(ctx context.Context, probe deployer.Probe) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := p.speak(ctx, probe)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return err
}

func (p prober) speak(ctx context.Context, probe deployer.Probe) error {
	if probe.HTTP == "" {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", probe.TCP)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		return conn.Close()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, probe.HTTP, nil)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	if ok := resp.StatusCode == probe.Status || probe.Status == 0 && resp.StatusCode >= 200 && resp.StatusCode < 400; !ok {
		return fmt.Errorf("answered with status %d", resp.StatusCode)
	}
	return nil
}
