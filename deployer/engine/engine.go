package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/docker/docker/client"

	"github.com/seadog/seadog/deployer"
)

// Config says how to reach the engine and how long to wait for it.
type Config struct {
	Host        string        // unix:///path or tcp://host:port; the engine's default socket if empty
	CallTimeout time.Duration // of every call; 10 s if 0
	Failures    int           // calls in a row without an answer that open the breaker; 3 if 0
	Cooldown    time.Duration // time for which an open breaker asks nothing; 10 s if 0
	Now         func() time.Time
	Log         *slog.Logger // one line when the breaker opens and one when it closes
	Observer    Observer     // may be nil
}

// Validate returns what is wrong with the configuration.
func (c Config) Validate() error {
	if c.CallTimeout < 0 || c.Cooldown < 0 || c.Failures < 0 {
		return deployer.Errorf(deployer.CodeInvalid, "engine: timeouts and counts must not be negative")
	}
	u, err := url.Parse(c.host())
	if err != nil || (u.Scheme != "unix" && u.Scheme != "tcp") {
		return deployer.Errorf(deployer.CodeInvalid, "engine: host %q is neither unix:///path nor tcp://host:port", c.Host).
			WithHint("forward a remote engine's socket (ssh -L /run/remote.sock:/var/run/docker.sock) and name that")
	}
	return nil
}

func (c Config) host() string {
	if c.Host == "" {
		return client.DefaultDockerHost
	}
	return c.Host
}

func (c Config) withDefaults() Config {
	c.Host = c.host()
	if c.CallTimeout == 0 {
		c.CallTimeout = 10 * time.Second
	}
	if c.Failures == 0 {
		c.Failures = 3
	}
	if c.Cooldown == 0 {
		c.Cooldown = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Observer == nil {
		c.Observer = unobserved{}
	}
	return c
}

// Client speaks to one engine.
type Client struct {
	config  Config
	docker  *client.Client
	breaker *breaker
}

// New returns a client. It does not speak to the engine yet.
func New(c Config) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	// A transport of our own: no proxy of the environment stands between this
	// machine and its engine, whatever HTTP_PROXY says.
	transport := &http.Transport{
		DialContext:     (&net.Dialer{Timeout: c.CallTimeout}).DialContext,
		MaxIdleConns:    4,
		IdleConnTimeout: 30 * time.Second,
	}
	docker, err := client.NewClientWithOpts(
		client.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}),
		client.WithHost(c.Host),
		client.WithAPIVersionNegotiation(),
	)
	if err != nil {
		return nil, fmt.Errorf("engine client: %w", err)
	}
	transport.Proxy = nil // WithHost sets one for tcp
	return &Client{config: c, docker: docker, breaker: newBreaker(c)}, nil
}

// Close closes idle connections.
func (c *Client) Close() error { return c.docker.Close() }

// call runs one call to the engine under its deadline, unless the breaker is open.
// op names the call for people, as the docker command would.
func (c *Client) call(ctx context.Context, op string, f func(context.Context) error) error {
	probe, err := c.breaker.admit()
	if err != nil {
		return err
	}
	if probe {
		if err := c.probeBreaker(ctx); err != nil {
			return err
		}
	}
	answered, err := c.timed(ctx, op, f)
	c.breaker.record(ctx, answered, op)
	return err
}

// answer is what a call taught about the engine.
type answer int

const (
	unknown  answer = iota // the caller went away first
	answered               // also with an error
	silent
)

var errDeadline = errors.New("call deadline")

// timed runs f under the deadline and tells the observer about it.
func (c *Client) timed(ctx context.Context, op string, f func(context.Context) error) (answer, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, c.config.CallTimeout, errDeadline)
	defer cancel()
	begun := time.Now()
	err := f(bounded)
	took := time.Since(begun)
	switch {
	case err == nil:
		c.config.Observer.Called(op, took, false)
		return answered, nil
	case ctx.Err() != nil:
		return unknown, fmt.Errorf("%s: %w", op, context.Cause(ctx))
	case errors.Is(context.Cause(bounded), errDeadline):
		c.config.Observer.Called(op, took, true)
		return silent, wedged("the Docker engine did not answer `%s` within %s", op, c.config.CallTimeout)
	case client.IsErrConnectionFailed(err), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		c.config.Observer.Called(op, took, true)
		return silent, unreachable(c.config.Host, op, err)
	}
	c.config.Observer.Called(op, took, false)
	return answered, fmt.Errorf("%s: %w", op, err)
}
