package httpd

import (
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// authorize returns the token that a request shows if it includes scope need.
func (s *Server) authorize(c *fiber.Ctx, need deployer.Scope) (Token, error) {
	if len(s.cfg.Tokens) == 0 {
		return Anonymous(), nil // Config refuses this unless it is insecure
	}
	token, ok := s.authenticate(c.Get(fiber.HeaderAuthorization))
	if !ok {
		return Token{}, deployer.Errorf(deployer.CodeUnauthorized, "a valid bearer token is required").
			WithHint("send the header Authorization: Bearer TOKEN")
	}
	if err := token.Person().Permit(need); err != nil {
		return Token{}, err
	}
	return token, nil
}

// authenticate returns the token of an Authorization header.
func (s *Server) authenticate(header string) (Token, bool) {
	scheme, presented, _ := strings.Cut(header, " ")
	token, ok := s.cfg.Tokens.Find(strings.TrimSpace(presented))
	return token, ok && strings.EqualFold(scheme, "Bearer")
}

// clientIP is where a request came from: the peer, or, if the peer is a
// trusted proxy or came through a Unix socket, the last address of
// X-Forwarded-For that is not a trusted proxy. It is for the log and decides
// nothing.
func (s *Server) clientIP(c *fiber.Ctx) string {
	client := "local"
	if peer, ok := addrOf(c.Context().RemoteAddr()); ok {
		client = peer.String()
		if !s.trusted(peer) {
			return client
		}
	}
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for _, text := range slices.Backward(hops) {
		hop, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return client
		}
		client = hop.Unmap().String()
		if !s.trusted(hop.Unmap()) {
			return client
		}
	}
	return client
}

// secure reports whether a request came by TLS, or whether a proxy that is
// trusted says that it did.
func (s *Server) secure(c *fiber.Ctx) bool {
	raw := c.Context().Conn()
	if wrapped, ok := raw.(*conn); ok {
		raw = wrapped.Conn
	}
	if _, encrypted := raw.(interface{ ConnectionState() tls.ConnectionState }); encrypted {
		return true
	}
	if peer, ok := addrOf(c.Context().RemoteAddr()); ok && !s.trusted(peer) {
		return false
	}
	// Of a list, the first is what the client itself spoke.
	first, _, _ := strings.Cut(c.Get(fiber.HeaderXForwardedProto), ",")
	return strings.EqualFold(strings.TrimSpace(first), "https")
}

func (s *Server) trusted(addr netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func addrOf(a net.Addr) (netip.Addr, bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	return tcp.AddrPort().Addr().Unmap(), true
}
