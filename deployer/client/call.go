package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/seadog/seadog/deployer"
)

// maxAnswer bounds an answer that is read into memory.
const maxAnswer = 64 << 20

// request is one call: query and body may be nil.
type request struct {
	method string
	path   string // below the base, escaped
	query  url.Values
	body   any
	header http.Header
}

func get(path string, query url.Values) request {
	return request{method: http.MethodGet, path: path, query: query}
}

func post(path string, body any) request {
	return request{method: http.MethodPost, path: path, body: body}
}

// call sends r and decodes the answer into a T.
func call[T any](ctx context.Context, c *Client, r request) (T, error) {
	var answer T
	body, err := c.read(ctx, r)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return answer, c.notSeadog(err)
	}
	return answer, nil
}

// read sends r and returns the body of a successful answer.
func (c *Client) read(ctx context.Context, r request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	res, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, c.unreachable(ctx, err)
	case len(body) > maxAnswer:
		return nil, c.notSeadog(fmt.Errorf("an answer of more than %d bytes", maxAnswer))
	}
	return body, nil
}

// send sends r and returns a successful answer whose body the caller closes.
// Everything else becomes an error.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	req.Header.Set("User-Agent", "seadog-client")
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if !c.config.Token.Empty() {
		req.Header.Set("Authorization", "Bearer "+c.config.Token.Reveal())
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer res.Body.Close()
		return nil, c.problem(res)
	}
	return res, nil
}

// unreachable says that nothing, or only a part, came back. The caller's own
// cancellation is returned as it is.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Cause(ctx)
	}
	var with *url.Error // repeats the address
	if errors.As(err, &with) {
		err = with.Err
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return deployer.Errorf(deployer.CodeTimeout, "no answer from seadog at %s in time", c.config.URL).
			WithHint("is the service well? Its log and /healthz tell").Because(err)
	}
	return deployer.Errorf(deployer.CodeUnavailable, "seadog at %s cannot be reached", c.config.URL).
		WithHint("is it running, and is the address right?").Because(err)
}

func (c *Client) notSeadog(err error) error {
	return deployer.Errorf(deployer.CodeUnavailable, "what answers at %s does not speak seadog's API", c.config.URL).
		WithHint("check the address: another service may listen there").Because(err)
}

// problem turns an answer that is not a success into an error.
func (c *Client) problem(res *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	var p deployer.Problem
	if err == nil && json.Unmarshal(body, &p) == nil && p.Error.Code != "" {
		e := &deployer.Error{Code: p.Error.Code, Message: p.Error.Message, Hint: p.Error.Hint}
		if e.Hint == "" && e.Code == deployer.CodeInternal && p.Error.Request != "" {
			e.Hint = "the service's log says more about request " + p.Error.Request
		}
		return e
	}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		return deployer.Errorf(deployer.CodeInvalid, "%s redirects to %s, which is not followed", c.config.URL, res.Header.Get("Location")).
			WithHint("give the final address")
	}
	return deployer.Errorf(codeOf(res.StatusCode), "%s answered %s", c.config.URL, res.Status).
		WithHint("the answer does not come from seadog itself; a proxy in between, or another service?")
}

// codeOf is for answers that say nothing but a status.
func codeOf(status int) deployer.Code {
	switch status {
	case http.StatusUnauthorized:
		return deployer.CodeUnauthorized
	case http.StatusForbidden:
		return deployer.CodeForbidden
	case http.StatusNotFound:
		return deployer.CodeNotFound
	case http.StatusConflict:
		return deployer.CodeConflict
	case http.StatusRequestEntityTooLarge:
		return deployer.CodeTooLarge
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return deployer.CodeTimeout
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return deployer.CodeUnavailable
	}
	if status >= 400 && status < 500 {
		return deployer.CodeInvalid
	}
	return deployer.CodeInternal
}
