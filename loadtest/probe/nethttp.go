package probe

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// writeBuffer holds the usual webhook, so that it is one system call.
const writeBuffer = 8 << 10

// netHTTP sends through the transport of net/http.
type netHTTP struct {
	probe  *Probe
	client http.RoundTripper
	idle   func() // closes idle connections
}

func newNetHTTP(p *Probe, c loadtest.Client) *netHTTP {
	t := &http.Transport{
		DialContext:           p.dialer.dial,
		Proxy:                 nil,
		DisableCompression:    true,
		DisableKeepAlives:     c.FreshConns,
		MaxConnsPerHost:       c.MaxConns,
		MaxIdleConnsPerHost:   max(1, c.MaxConns),
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   c.Timeout,
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: c.Insecure}, //nolint:gosec // when asked for
		TLSNextProto:          map[string]func(string, *tls.Conn) http.RoundTripper{},
		WriteBufferSize:       writeBuffer,
		ExpectContinueTimeout: c.Timeout,
	}
	return &netHTTP{probe: p, client: t, idle: t.CloseIdleConnections}
}

func (t *netHTTP) close() { t.idle() }

func (t *netHTTP) exchange(f *flight, a *answer) error {
	r := t.request(f)
	resp, err := t.client.RoundTrip(r)
	if err != nil {
		return err
	}
	a.status = resp.StatusCode
	if resp.Body == http.NoBody {
		return nil
	}
	err = t.probe.chunks.read(resp.Body, f.request.Expect, a)
	_ = resp.Body.Close() // before its end, that closes the connection as well
	return err
}

// request makes the http.Request of f, in the memory of the one before.
func (t *netHTTP) request(f *flight) *http.Request {
	if f.http == nil {
		f.http = (&http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(httptrace.WithClientTrace(f.ctx, t.trace(f)))
	}
	from, r := f.request, f.http
	r.Method, r.URL, r.Host, r.Header = from.Method, from.URL, from.Host, from.Header
	f.reader.Reset(from.Body)
	r.Body, r.ContentLength = f.body, int64(len(from.Body))
	noRetry(r)
	return r
}

// noRetry keeps net/http from sending r a second time. It does so if it believes
// that the request can be had again: if there is a GetBody, or no body at all.
// So there is never a GetBody, and a request without a body has an empty one.
// That would make it chunked; "identity" says that it is not, and is not sent.
//
// Subtle: a POST should say that its length is 0, and does so only without a
// body. It is sent again if nothing at all had been written, which no server can
// see; Send finds that out by the connections that it took. With one of the keys
// that mean "idempotent" to net/http, not repeating it goes before its length.
func noRetry(r *http.Request) {
	r.GetBody, r.TransferEncoding = nil, nil
	switch {
	case r.ContentLength > 0:
	case hasLength(r.Method) && r.Header["Idempotency-Key"] == nil && r.Header["X-Idempotency-Key"] == nil:
		r.Body = nil
	default:
		r.TransferEncoding = []string{"identity"}
	}
}

// hasLength reports whether a request says how long its body is even if it has none.
func hasLength(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// trace marks on f what happens to its request.
func (t *netHTTP) trace(f *flight) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			f.attempts++
			f.reused = got.Reused
			f.last = underlying(got.Conn)
		},
		WroteRequest: func(wrote httptrace.WroteRequestInfo) {
			if wrote.Err == nil {
				f.wrote.Store(true)
			}
		},
		GotFirstResponseByte: func() { f.first.CompareAndSwap(0, int64(t.probe.now())) },
	}
}

// underlying returns our own connection below c.
func underlying(c net.Conn) *conn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	own, _ := c.(*conn)
	return own
}
