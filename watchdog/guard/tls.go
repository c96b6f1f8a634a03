package guard

import (
	"crypto/tls"
	"net"
)

// tlsConn tells servers that look for it about TLS.
type tlsConn struct {
	*Conn
	tls *tls.Conn
}

// Handshake is looked for by fasthttp.
func (c *tlsConn) Handshake() error { return c.tls.Handshake() }

// ConnectionState is looked for by fasthttp and net/http.
func (c *tlsConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// NetConn returns the TLS connection, which is inside.
func (c *tlsConn) NetConn() net.Conn { return c.tls }
