package doctor_test

import (
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seadog/seadog/cmd/seadog/doctor"
)

func TestItFindsOutWhatReallySpeaks(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(web.Close)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of plain text, rightly
	secure.StartTLS()
	t.Cleanup(secure.Close)
	http, tls := web.Listener.Addr().String(), secure.Listener.Addr().String()
	uwsgi := serve(t, speakUWSGI)
	banner := serve(t, func(c net.Conn) { io.WriteString(c, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"); io.Copy(io.Discard, c) })
	hangup := serve(t, func(net.Conn) {})
	silent := serve(t, func(c net.Conn) { io.Copy(io.Discard, c) })

	for _, c := range []struct {
		fact, target string
		level        doctor.Level
		what         string
	}{
		{"HTTP as expected", "http://" + http + "/", doctor.OK, "speaks HTTP, status 200"},
		{"HTTP at a bare address", http, doctor.OK, "speaks HTTP"},
		{"HTTP that fails", "http://" + http + "/broken", doctor.Warn, "status 500"},
		{"HTTP spoken to in uwsgi", "uwsgi://" + http, doctor.Fail, "an HTTP port, spoken to in uwsgi"},
		{"HTTP spoken to in TLS", "https://" + http, doctor.Fail, "speaks plain HTTP, but is spoken to in TLS"},
		{"TLS as expected", "https://" + tls, doctor.OK, "speaks TLS"},
		{"TLS at a bare address", tls, doctor.OK, "speaks TLS"},
		{"TLS spoken to in HTTP", "http://" + tls, doctor.Fail, "speaks TLS, but is spoken to in plain text"},
		{"TLS spoken to in uwsgi", "uwsgi://" + tls, doctor.Fail, "speaks TLS"},
		{"uwsgi as expected", "uwsgi://" + uwsgi + "/app?x=1", doctor.OK, "speaks uwsgi, status 200"},
		{"uwsgi at a bare address", uwsgi, doctor.OK, "speaks uwsgi"},
		{"uwsgi spoken to in HTTP", "http://" + uwsgi, doctor.Fail, "a uwsgi socket, spoken to in HTTP"},
		{"uwsgi spoken to in TLS", "https://" + uwsgi, doctor.Fail, "speaks plain UWSGI"},
		{"something else", "http://" + banner, doctor.Fail, "speaks neither HTTP nor uwsgi nor TLS"},
		{"a listener that hangs up", "http://" + hangup, doctor.Fail, "closes them without a word"},
		{"a silent listener", "http://" + silent, doctor.Fail, "says nothing for 3s"},
		{"nobody", "http://" + unused(t), doctor.Fail, "nobody answers"},
		{"not an address", "ftp://" + http, doctor.Fail, "not an address"},
	} {
		t.Run(c.fact, func(t *testing.T) {
			t.Parallel()
			findings := doctor.Examine(t.Context(), doctor.Config{Getenv: noEnvironment, Targets: []string{c.target}})
			expect(t, findings, c.target, c.level, c.what)
		})
	}
}

func TestAUnixSocketIsExaminedToo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	accept(t, l, speakUWSGI)
	findings := doctor.Examine(t.Context(), doctor.Config{Getenv: noEnvironment, Targets: []string{"unix:" + path}})
	expect(t, findings, "unix:"+path, doctor.OK, "speaks uwsgi")
}

func TestAnUpstreamMayBeDown(t *testing.T) {
	t.Parallel()
	target := "http://" + unused(t) + "/"
	findings := doctor.Examine(t.Context(), doctor.Config{Getenv: noEnvironment, Upstreams: []string{target}})
	expect(t, findings, target, doctor.Warn, "nobody answers")
	if got := doctor.Worst(findings); got != doctor.Warn {
		t.Errorf("Worst = %s", got)
	}
}

// speakUWSGI does what uWSGI does: it reads a packet of at most 4096 bytes, hangs up
// without a word on anything larger ("GET " is 21,573 bytes to it), and answers in HTTP.
func speakUWSGI(c net.Conn) {
	var header [4]byte
	if _, err := io.ReadFull(c, header[:]); err != nil {
		return
	}
	size := binary.LittleEndian.Uint16(header[1:3])
	if header[0] != 0 || size > 4096 {
		return
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(c, body); err != nil {
		return
	}
	vars := map[string]string{}
	next := func() string {
		n := binary.LittleEndian.Uint16(body)
		s := string(body[2 : 2+n])
		body = body[2+n:]
		return s
	}
	for len(body) > 0 {
		name := next()
		vars[name] = next()
	}
	if vars["REQUEST_METHOD"] != "GET" || !strings.HasPrefix(vars["PATH_INFO"], "/") {
		io.WriteString(c, "HTTP/1.1 500 Internal Server Error\r\n\r\n")
		return
	}
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nahoy")
}

// serve answers every connection with handle, which ends it by returning.
func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accept(t, l, handle)
	return l.Addr().String()
}

func accept(t *testing.T, l net.Listener, handle func(net.Conn)) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
}

// unused returns an address that nothing listens on.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\n"))
	f.Add([]byte("HTTP/1.1"))
	f.Add([]byte{0x15, 3, 1})
	f.Fuzz(func(t *testing.T, text []byte) {
		if code := doctor.Status(text); code != 0 && (code < 100 || code > 599) {
			t.Errorf("status %d", code)
		}
	})
}
