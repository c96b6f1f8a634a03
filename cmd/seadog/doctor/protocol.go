package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// patience is how long one conversation may take. What has not said a byte by
// then is silent for whoever waits for it.
const patience = 3 * time.Second

// target is an address and the protocol that whoever named it expects there.
type target struct {
	network, address string
	host             string // for the Host header and TLS
	path             string
	expect           string // "http", "https", "uwsgi", or "" for whatever it is
}

func parseTarget(s string) (target, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		return target{"unix", strings.TrimPrefix(path, "//"), "localhost", "/", ""}, nil
	}
	if !strings.Contains(s, "://") {
		host, _, err := net.SplitHostPort(s)
		return target{"tcp", s, cmp.Or(host, "localhost"), "/", ""}, err
	}
	u, err := url.Parse(s)
	if err != nil {
		return target{}, err
	}
	port, known := map[string]string{"http": "80", "https": "443", "uwsgi": "3031"}[u.Scheme]
	if !known || u.Hostname() == "" {
		return target{}, fmt.Errorf("not an http, https or uwsgi URL")
	}
	return target{"tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)), u.Hostname(), cmp.Or(u.RequestURI(), "/"), u.Scheme}, nil
}

// protocol finds out what really speaks at s. absent is how bad it is that nothing does.
func protocol(ctx context.Context, s string, absent Level) Finding {
	t, err := parseTarget(s)
	if err != nil {
		return Finding{s, Fail, fmt.Sprintf("not an address: %v", err), "write http://host:port/, https://…, uwsgi://host:port, host:port or unix:/path"}
	}
	conn, err := t.dial(ctx)
	if err != nil {
		return Finding{s, absent, fmt.Sprintf("nobody answers: %v", err), "start what should listen there, or correct the address"}
	}
	conn.Close()
	var http, uwsgi reply
	var secure error
	var wg sync.WaitGroup
	wg.Go(func() { http = t.speak(ctx, t.httpRequest()) })
	wg.Go(func() { uwsgi = t.speak(ctx, t.uwsgiRequest()) })
	wg.Go(func() { secure = t.handshake(ctx) })
	wg.Wait()
	f := judgeProtocol(t.expect, http, uwsgi, secure == nil)
	f.Name = s
	return f
}

func (t target) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: patience}
	return d.DialContext(ctx, t.network, t.address)
}

// reply is what came back for a request: the first bytes, and after what time.
type reply struct {
	bytes  []byte
	took   time.Duration
	closed bool // by the other side, as opposed to silence
}

// status returns the status code if the reply is an HTTP response, else 0.
func (r reply) status() int {
	line, ok := strings.CutPrefix(string(r.bytes), "HTTP/")
	fields := strings.Fields(line)
	if !ok || len(fields) < 2 {
		return 0
	}
	code, err := strconv.Atoi(fields[1])
	if err != nil || code < 100 || code > 599 {
		return 0
	}
	return code
}

// wantsTLS recognises a TLS alert, and the words of servers that noticed plain HTTP.
func (r reply) wantsTLS() bool {
	text := string(r.bytes)
	return len(r.bytes) > 2 && r.bytes[0] == 0x15 && r.bytes[1] == 0x03 ||
		r.status() == 400 && (strings.Contains(text, "HTTPS server") || strings.Contains(text, "HTTPS port"))
}

// speak sends one request on a connection of its own.
func (t target) speak(ctx context.Context, request []byte) reply {
	start := time.Now()
	conn, err := t.dial(ctx)
	if err != nil {
		return reply{closed: true}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(start.Add(patience))
	_, writeErr := conn.Write(request)
	buf := make([]byte, 512)
	n, err := io.ReadAtLeast(conn, buf, 16)
	var timeout net.Error
	silent := errors.As(err, &timeout) && timeout.Timeout()
	return reply{bytes: buf[:n], took: time.Since(start), closed: !silent && (err != nil || writeErr != nil)}
}

func (t target) httpRequest() []byte {
	return []byte("GET " + t.path + " HTTP/1.1\r\nHost: " + t.host + "\r\nUser-Agent: seadog-doctor\r\nAccept: */*\r\nConnection: close\r\n\r\n")
}

// uwsgiRequest is the same request as a uwsgi packet: modifier 0, size of the
// variables (16 bits, little-endian), modifier 0, then length-prefixed names and values.
func (t target) uwsgiRequest() []byte {
	path, query, _ := strings.Cut(t.path, "?")
	var vars []byte
	for _, kv := range [][2]string{
		{"REQUEST_METHOD", "GET"},
		{"REQUEST_URI", t.path},
		{"PATH_INFO", path},
		{"QUERY_STRING", query},
		{"SERVER_PROTOCOL", "HTTP/1.1"},
		{"SERVER_NAME", t.host},
		{"SERVER_PORT", "80"},
		{"HTTP_HOST", t.host},
		{"HTTP_USER_AGENT", "seadog-doctor"},
	} {
		for _, s := range kv {
			vars = binary.LittleEndian.AppendUint16(vars, uint16(len(s)))
			vars = append(vars, s...)
		}
	}
	packet := binary.LittleEndian.AppendUint16([]byte{0}, uint16(len(vars)))
	return append(append(packet, 0), vars...)
}

// handshake tries TLS. The certificate is not judged: the question is only what is spoken.
func (t target) handshake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return tls.Client(conn, &tls.Config{ServerName: t.host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}).HandshakeContext(ctx)
}

// spoken names what was found.
func spoken(http, uwsgi reply, secure bool) string {
	switch {
	case secure, http.wantsTLS():
		return "https"
	case http.status() == 400 && uwsgi.status() != 0 && uwsgi.status() < 400:
		return "uwsgi" // it took the letters GET for a packet, and refused that
	case http.status() != 0:
		return "http"
	case uwsgi.status() != 0:
		return "uwsgi" // answers only packets
	}
	return ""
}

// judgeProtocol compares what is spoken with what was expected. It is pure.
func judgeProtocol(expect string, http, uwsgi reply, secure bool) Finding {
	found := spoken(http, uwsgi, secure)
	if found != "" && (expect == "" || expect == found) {
		return matches(found, http, uwsgi)
	}
	switch found + " for " + expect {
	case "uwsgi for http":
		return Finding{
			Level: Fail, What: "a uwsgi socket, spoken to in HTTP: it never answers a request",
			Do: "in nginx use uwsgi_pass instead of proxy_pass, or start uWSGI with --http-socket instead of --socket",
		}
	case "http for uwsgi":
		return Finding{
			Level: Fail, What: "an HTTP port, spoken to in uwsgi: it refuses every request",
			Do: "in nginx use proxy_pass http://… instead of uwsgi_pass, or start uWSGI with --socket instead of --http",
		}
	case "https for http", "https for uwsgi":
		return Finding{Level: Fail, What: "speaks TLS, but is spoken to in plain text", Do: "write https://… (in nginx: proxy_pass https://…)"}
	case "http for https", "uwsgi for https":
		return Finding{Level: Fail, What: "speaks plain " + strings.ToUpper(found) + ", but is spoken to in TLS", Do: "write " + found + "://…, or give the server a certificate"}
	}
	if len(http.bytes) > 0 || len(uwsgi.bytes) > 0 {
		return Finding{Level: Fail, What: "speaks neither HTTP nor uwsgi nor TLS", Do: "is this the right port?"}
	}
	if http.closed && uwsgi.closed {
		return Finding{Level: Fail, What: "accepts connections and closes them without a word", Do: "see the log of what listens there; a proxy or Docker's port forwarding does so when nobody is behind it"}
	}
	return Finding{Level: Fail, What: fmt.Sprintf("accepts connections and says nothing for %s", patience), Do: "what listens there hangs, or all its workers are busy: see its log, then restart it"}
}

func matches(found string, http, uwsgi reply) Finding {
	answer := http
	if found == "uwsgi" {
		answer = uwsgi
	}
	name := map[string]string{"http": "HTTP", "https": "TLS", "uwsgi": "uwsgi"}[found]
	if found == "https" || answer.status() == 0 {
		return Finding{Level: OK, What: "speaks " + name}
	}
	what := fmt.Sprintf("speaks %s, status %d in %s", name, answer.status(), ms(answer.took))
	if answer.status() >= 500 {
		return Finding{Level: Warn, What: what, Do: "see the log of what listens there"}
	}
	return Finding{Level: OK, What: what}
}

// Spoken says in a sentence what speaks at an http or https URL if that is not
// what the URL says, and what to do; "" if it is, or nobody is there.
func Spoken(ctx context.Context, url string) string {
	f := protocol(ctx, url, OK)
	if f.Level != Fail {
		return ""
	}
	return f.What + "; " + f.Do
}
