package httpd_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

// null is a store that costs nothing: what is measured is all that happens
// around it.
type null struct{ deployer.Store }

func (null) Accept(_ context.Context, in deployer.Intake) (deployer.Delivery, error) {
	decisions := in.Ignored
	for _, o := range in.Wanted {
		decisions = append(decisions, deployer.Decision{Project: o.Project, Verdict: deployer.VerdictQueued, Deployment: 1})
	}
	return deployer.Delivery{ID: 1, Hook: in.Hook, Provider: in.Provider, Decisions: decisions}, nil
}

// BenchmarkDelivery sends signed pushes of 7 KB over kept-alive connections.
func BenchmarkDelivery(b *testing.B) {
	body := bigPush(7 << 10)
	benchmark(b, fasthttp.StatusAccepted, fmt.Sprintf("POST /hooks/gh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"X-GitHub-Event: push\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n%s", sign(body), len(body), body))
}

// BenchmarkHealth is the floor: what any request costs.
func BenchmarkHealth(b *testing.B) {
	benchmark(b, fasthttp.StatusOK, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
}

// BenchmarkRefusal sends what strangers send.
func BenchmarkRefusal(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 7000)
	benchmark(b, fasthttp.StatusUnauthorized, fmt.Sprintf("POST /hooks/gh HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
}

func benchmark(b *testing.B, want int, request string) {
	s := start(b, func(c *httpd.Config) {
		c.Store, c.Observer, c.Log = null{}, nil, slog.New(slog.DiscardHandler)
	})
	b.ReportAllocs()
	b.SetBytes(int64(len(request)))
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		bytes := []byte(request)
		var res fasthttp.Response
		for pb.Next() {
			if _, err := c.Write(bytes); err != nil {
				b.Error(err)
				return
			}
			if err := res.Read(r); err != nil {
				b.Error(err)
				return
			}
			if res.StatusCode() != want {
				b.Errorf("got %d %s", res.StatusCode(), res.Body())
				return
			}
		}
	})
}
