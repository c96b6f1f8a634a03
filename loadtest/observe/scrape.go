package observe

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/seadog/seadog/loadtest"
)

// mostText bounds an answer; a large service has a megabyte of metrics.
const mostText = 16 << 20

// scraper asks for metrics.
type scraper struct {
	endpoint loadtest.Endpoint
	timeout  time.Duration
	client   *http.Client
}

func newScraper(e loadtest.Endpoint, timeout time.Duration, insecure bool) *scraper {
	dialer := &net.Dialer{Timeout: timeout}
	return &scraper{endpoint: e, timeout: timeout, client: &http.Client{
		Transport: &http.Transport{
			Proxy:               nil, // the service itself is asked, whatever the environment says
			DialContext:         dialer.DialContext,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 1,
			TLSClientConfig:     &tls.Config{InsecureSkipVerify: insecure},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// scrape returns the families that the service shows, and the text they were read from.
func (s *scraper) scrape(ctx context.Context) (map[string]*dto.MetricFamily, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	text, err := s.fetch(ctx)
	if err != nil {
		s.client.CloseIdleConnections() // the next attempt shall not depend on this connection
		return nil, nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, nil, fmt.Errorf("what answers there is not Prometheus text: %w", err)
	}
	return families, text, nil
}

func (s *scraper) fetch(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	for name, values := range s.endpoint.Header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, s.silent(ctx, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, mostText+1))
	switch {
	case err != nil:
		return nil, s.silent(ctx, err)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("answered %s", res.Status)
	case len(text) > mostText:
		return nil, fmt.Errorf("answered more than %d MiB", mostText>>20)
	}
	return text, nil
}

// silent says why there was no answer, without the address, which may hold a password.
func (s *scraper) silent(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", s.timeout)
	}
	var with *url.Error
	if errors.As(err, &with) {
		err = with.Err
	}
	return fmt.Errorf("no answer: %w", err)
}
