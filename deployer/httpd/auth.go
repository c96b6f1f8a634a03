package httpd

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// anonymous is everybody when the service is insecure and has no tokens.
func anonymous() Token { return Token{Name: "anonymous", Scope: deployer.ScopeAdmin} }

// authorize returns the token that a request shows if it includes scope need.
func (s *Server) authorize(c *fiber.Ctx, need deployer.Scope) (Token, error) {
	if len(s.cfg.Tokens) == 0 {
		return anonymous(), nil // Config refuses this unless it is insecure
	}
	token, ok := s.authenticate(c.Get(fiber.HeaderAuthorization))
	if !ok {
		return Token{}, deployer.Errorf(deployer.CodeUnauthorized, "a valid bearer token is required").
			WithHint("send the header Authorization: Bearer TOKEN")
	}
	if err := permit(token, need); err != nil {
		return Token{}, err
	}
	return token, nil
}

// authenticate compares with every token, whether one matched or not.
func (s *Server) authenticate(header string) (Token, bool) {
	scheme, presented, _ := strings.Cut(header, " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(presented)))
	found := -1
	for i := range s.cfg.Tokens {
		if subtle.ConstantTimeCompare(sum[:], s.cfg.Tokens[i].SHA256[:]) == 1 {
			found = i
		}
	}
	if found < 0 || !strings.EqualFold(scheme, "Bearer") {
		return Token{}, false
	}
	return s.cfg.Tokens[found], true
}

// permit returns an error that names what the token lacks.
func permit(t Token, need deployer.Scope) error {
	if t.Scope.Includes(need) {
		return nil
	}
	return deployer.Errorf(deployer.CodeForbidden, "this needs a token of scope %s; %s has scope %s", need, t.Name, t.Scope)
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
