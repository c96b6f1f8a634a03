package ledger

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	callTimeout  = 30 * time.Second // of one call
	pageTimeout  = 45 * time.Second // of one page, with all attempts: a service that is stuck is not waited for
	mostPage     = 64 << 20         // bytes of a page
	mostAnswer   = 4 << 30          // bytes of a list that comes in one answer; it is not kept
	attempts     = 5                // of one page: the service may still be recovering from a fault
	firstPause   = 200 * time.Millisecond
	betweenPolls = 500 * time.Millisecond
)

// list is where the service tells what it knows.
type list struct {
	url    *url.URL
	header http.Header
	client *http.Client
}

func newList(u *url.URL, header http.Header, insecure bool) *list {
	return &list{url: u, header: header, client: &http.Client{
		Transport: &http.Transport{
			Proxy:           nil, // the service itself is asked, whatever the environment says
			DialContext:     (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: insecure},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errFinal is an answer that will not be another one next time.
type errFinal struct{ err error }

func (e errFinal) Error() string { return e.err.Error() }
func (e errFinal) Unwrap() error { return e.err }

// page gets u and decodes it into out, which must be empty; it tries again if there is hope.
func page[T any](ctx context.Context, l *list, u *url.URL) (out T, err error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	for attempt := range attempts {
		if attempt > 0 && !pause(ctx, firstPause<<(attempt-1)) {
			break
		}
		var empty T
		out = empty
		err = l.get(ctx, u, func(body io.Reader) error {
			return json.NewDecoder(io.LimitReader(body, mostPage)).Decode(&out)
		})
		if err == nil || ctx.Err() != nil || errors.As(err, new(errFinal)) {
			break
		}
	}
	return out, err
}

// get calls u once and gives the body of a good answer to read.
func (l *list) get(ctx context.Context, u *url.URL, read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return errFinal{fmt.Errorf("build request: %w", err)}
	}
	for name, values := range l.header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "application/json")
	res, err := l.client.Do(req)
	if err != nil {
		var with *url.Error // repeats the address, which may hold a password
		if errors.As(err, &with) {
			err = with.Err
		}
		return fmt.Errorf("ask %s: %w", u.Path, err)
	}
	defer res.Body.Close()
	switch s := res.StatusCode; {
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return errFinal{fmt.Errorf("ask %s: answered %s; give target.ledger a header with a token that may read", u.Path, res.Status)}
	case s >= 300 && s < 500 && s != http.StatusTooManyRequests:
		return errFinal{fmt.Errorf("ask %s: answered %s", u.Path, res.Status)}
	case s != http.StatusOK:
		return fmt.Errorf("ask %s: answered %s", u.Path, res.Status)
	}
	if err := read(res.Body); err != nil {
		return fmt.Errorf("read %s: %w", u.Path, err)
	}
	return nil
}
