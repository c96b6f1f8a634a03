package client

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Config says which service to speak to.
type Config struct {
	// URL is http://host:port, https://host:port, either with a path below
	// which a proxy serves seadog, or unix:/path/to/socket.
	URL string
	// Token is sent as a bearer token; an empty one is not sent.
	Token deployer.Secret
	// Timeout bounds every call from dialling to the last byte, and of a
	// stream (Transcript, Follow) the time until it begins. 10 s if 0.
	Timeout time.Duration
	// Silence is how long a stream may stay without a byte before its
	// connection counts as dead. The service sends a comment every 15 s. 45 s if 0.
	Silence time.Duration
	// Patience is how long Follow tries to get a lost stream back. 2 min if 0.
	Patience time.Duration
}

// Client speaks to one service. Close releases its idle connections.
type Client struct {
	config Config
	base   string // without a slash at the end
	http   *http.Client
}

// New returns a client for the service that c names. It does not connect.
// A URL or token that cannot be used is CodeInvalid.
func New(c Config) (*Client, error) {
	base, socket, err := parseAddress(c.URL)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(c.Token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, deployer.Errorf(deployer.CodeInvalid, "the token contains characters that no token has").
			WithHint("a token is one line of printable characters without spaces")
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	transport := &http.Transport{
		Proxy:               nil,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: 2,
		IdleConnTimeout:     30 * time.Second,
		DisableCompression:  true,
	}
	if socket != "" {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}
	}
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	c.Silence = cmp.Or(c.Silence, 45*time.Second)
	c.Patience = cmp.Or(c.Patience, 2*time.Minute)
	return &Client{config: c, base: base, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close closes idle connections. Calls under way are not disturbed.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// parseAddress returns the base URL without a slash at its end, and the path of
// the Unix socket behind it, if it is one.
func parseAddress(address string) (base, socket string, err error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		path = strings.TrimPrefix(path, "//") // unix:///run/x is the same as unix:/run/x
		if !strings.HasPrefix(path, "/") {
			return "", "", badAddress(address, "the path of a socket starts with a slash")
		}
		return "http://localhost", path, nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return "", "", badAddress("", "it is no URL") // the text may hold a password
	case u.User != nil:
		return "", "", badAddress("", "it contains a user name or password; give a token instead")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "", "", badAddress(address, "it starts with http://, https:// or unix:/")
	case u.RawQuery != "" || u.Fragment != "":
		return "", "", badAddress(address, "it has no query and no fragment")
	}
	return strings.TrimSuffix(u.Scheme+"://"+u.Host+u.EscapedPath(), "/"), "", nil
}

func badAddress(address, why string) error {
	e := deployer.Errorf(deployer.CodeInvalid, "the address of the service cannot be used: %s", why)
	if address != "" {
		e.Message = strings.Replace(e.Message, "the service", "the service, "+address+",", 1)
	}
	return e.WithHint("for example http://127.0.0.1:8787 or unix:/run/seadog/http.sock")
}
