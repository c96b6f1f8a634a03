package hang

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"time"
)

const (
	probeEvery   = 250 * time.Millisecond
	probeTimeout = time.Second
)

// probeState is what the prober found out so far.
type probeState struct {
	failures int           // in a row
	since    time.Duration // the first of them was sent
	why      string        // the last of them failed
	healthy  bool          // the last one was answered with a success
}

// prober asks for one page, on a fresh connection every time, whatever the
// load does: connections that are there already may still be served when no
// new one is.
type prober struct {
	url    string
	client *http.Client
	since  func() time.Duration

	mu    sync.Mutex
	state probeState
}

func newProber(url string, insecure bool, since func() time.Duration) *prober {
	return &prober{url: url, since: since, client: &http.Client{
		Transport: &http.Transport{
			Proxy:              nil, // the service itself is asked, whatever the environment says
			DialContext:        (&net.Dialer{}).DialContext,
			DisableKeepAlives:  true,
			DisableCompression: true,
			TLSClientConfig:    &tls.Config{InsecureSkipVerify: insecure},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// run probes until ctx ends. What is due while a probe is out is left out.
func (p *prober) run(ctx context.Context) {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		began := p.since()
		status, err := p.ask(ctx)
		if ctx.Err() == nil {
			p.note(began, status, err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func (p *prober) ask(ctx context.Context) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return 0, fmt.Errorf("build request: %w", err)
	}
	req.Header.Set("User-Agent", "seadog-probe")
	res, err := p.client.Do(req)
	if err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return 0, fmt.Errorf("no answer within %s", probeTimeout)
		}
		var with *url.Error // repeats the address
		if errors.As(err, &with) {
			err = with.Err
		}
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	return res.StatusCode, nil
}

// note takes the result of a probe. Any answer is one; what this machine could
// not do itself says nothing about the service.
func (p *prober) note(began time.Duration, status int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.state = probeState{healthy: status >= 200 && status < 300}
	case ownFault(err):
	default:
		if p.state.failures == 0 {
			p.state.since = began
		}
		p.state.failures++
		p.state.why = err.Error()
		p.state.healthy = false
	}
}

func (p *prober) get() probeState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

func ownFault(err error) bool {
	for _, own := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS} {
		if errors.Is(err, own) {
			return true
		}
	}
	return false
}
