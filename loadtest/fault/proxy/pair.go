package proxy

import (
	"net"
	"sync"

	"github.com/Shopify/toxiproxy/v2/stream"
)

// pair is one connection through a proxy: a client's and the upstream's.
type pair struct {
	number uint64
	client net.Conn
	done   chan struct{} // closed when it is cut
	once   sync.Once
	gone   sync.WaitGroup

	mu     sync.Mutex
	server net.Conn // nil: it is being dialed
	links  []*link
}

func newPair(number uint64, client net.Conn) *pair {
	return &pair{number: number, client: client, done: make(chan struct{})}
}

// begin lets bytes flow, both ways.
func (p *pair) begin(server net.Conn, spells []*spell) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
	select {
	case <-p.done:
		_ = server.Close()
		return
	default:
	}
	p.links = []*link{
		newLink(p, stream.Upstream, p.client, server),
		newLink(p, stream.Downstream, server, p.client),
	}
	for _, l := range p.links {
		l.begin(spells)
	}
}

// change makes other spells effective. What it returns is closed when they are.
func (p *pair) change(spells []*spell) []<-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed := make([]<-chan struct{}, len(p.links))
	for i, l := range p.links {
		changed[i] = l.change(spells)
	}
	return changed
}

// wait returns when both directions have ended.
func (p *pair) wait() { p.gone.Wait() }

// cut closes both ends, whatever is still on the way.
func (p *pair) cut() {
	p.once.Do(func() {
		close(p.done)
		_ = p.client.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.server != nil {
			_ = p.server.Close()
		}
	})
}

// linger sets what closing does: seconds 0 resets the connections, -1 is as usual.
func (p *pair) linger(seconds int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range []net.Conn{p.client, p.server} {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(seconds) // of a closed one it does not matter
		}
	}
}

// closeWrite says that no more comes. What cannot say so is closed.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // it is closed already
		return
	}
	_ = c.Close()
}
