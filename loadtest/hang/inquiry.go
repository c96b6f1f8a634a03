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
	"strings"

	"github.com/seadog/seadog/loadtest"
)

const (
	mostDump     = 64 << 20 // what the runtime's own profile stops at
	mostIncident = 8 << 20
)

// errAbsent: the service answers, but has no such thing.
var errAbsent = errors.New("there is none")

// inquiry asks the service about itself, on fresh connections: those that are
// there may be stuck.
type inquiry struct {
	pprof     loadtest.Endpoint
	incidents loadtest.Endpoint
	client    *http.Client
}

func newInquiry(c *Config) *inquiry {
	return &inquiry{pprof: c.Scenario.Target.Pprof, incidents: c.Incidents, client: &http.Client{
		Transport: &http.Transport{
			Proxy:             nil, // the service itself is asked, whatever the environment says
			DialContext:       (&net.Dialer{}).DialContext,
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: c.Scenario.Client.Insecure},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// dump returns the goroutines of the service. A part of it may come with an error.
func (q *inquiry) dump(ctx context.Context) ([]byte, error) {
	return q.profile(ctx, "goroutine", 2)
}

func (q *inquiry) profile(ctx context.Context, name string, debug int) ([]byte, error) {
	if q.pprof.URL == "" {
		return nil, errAbsent
	}
	e := q.pprof
	e.URL = fmt.Sprintf("%s/%s?debug=%d", strings.TrimRight(e.URL, "/"), name, debug)
	return q.get(ctx, e, mostDump)
}

// flight returns what the flight recorder of the service holds
// ([runtime/trace.FlightRecorder]): who has one shows it beside its profiles, at
// /debug/flight.
func (q *inquiry) flight(ctx context.Context) ([]byte, error) {
	debug, ok := strings.CutSuffix(strings.TrimRight(q.pprof.URL, "/"), "/pprof")
	if !ok {
		return nil, errAbsent
	}
	e := q.pprof
	e.URL = debug + "/flight"
	return q.get(ctx, e, mostDump)
}

func (q *inquiry) get(ctx context.Context, e loadtest.Endpoint, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, atOnce)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	for name, values := range e.Header {
		req.Header[name] = values
	}
	res, err := q.client.Do(req)
	if err != nil {
		var with *url.Error // repeats the address
		if errors.As(err, &with) {
			err = with.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, errAbsent
	default:
		return nil, fmt.Errorf("it answered %s", res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return body, fmt.Errorf("it broke off after %d bytes: %w", len(body), err)
	}
	return body, nil
}

// profile writes a profile, if the service has it.
func (c *gathering) profile(ctx context.Context, name string) {
	if text, _ := c.inquiry.profile(ctx, name, 1); len(text) > 0 { // that pprof does not answer is said once
		c.file(name+".txt", text)
	}
}

// flight writes what its flight recorder holds, if the service has one.
func (c *gathering) flight(ctx context.Context) {
	if trace, err := c.inquiry.flight(ctx); err == nil && len(trace) > 0 { // half a trace cannot be read
		c.file("flight.trace", trace)
	}
}

// incidents writes what the service knows about its own hangs.
func (c *gathering) incidents(ctx context.Context) {
	if c.inquiry.incidents.URL == "" {
		return
	}
	text, err := c.inquiry.get(ctx, c.inquiry.incidents, mostIncident)
	if len(text) > 0 {
		c.file("incidents.json", text)
	}
	if err != nil && !errors.Is(err, errAbsent) {
		c.evidence.note("its incidents could not be read: %v", err)
	}
}
