package proxy_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/fault/proxy"
)

func TestProxyThatIsDownRefusesAndComesUpWhereItWas(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := set(t, way.in, way.out)
			client, server := s.dial(t)
			h := s.disturb(t, fault.Disturbance{Kind: fault.Down})
			ends(t, client)
			ends(t, server)
			if _, err := net.Dial(s.network, s.address); !errors.Is(err, unix.ECONNREFUSED) {
				t.Errorf("connecting: %v", err)
			}
			if _, err := s.Disturb(t.Context(), "db", fault.Disturbance{Kind: fault.Down}); err == nil || !strings.Contains(err.Error(), "down already") {
				t.Errorf("down twice: %v", err)
			}
			undo(t, h)
			client, server = s.dial(t)
			passes(t, client, server)
			if diff := cmp.Diff(map[string]uint64{"cut": 1}, h.Effects()); diff != "" {
				t.Errorf("effects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProxyThatIsDownCanBeClosed(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	h := s.disturb(t, fault.Disturbance{Kind: fault.Down})
	t.Cleanup(func() { undo(t, h) })
}

func TestPortOfAProxyThatIsDownIsGivenToNobody(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	s.disturb(t, fault.Disturbance{Kind: fault.Down})
	if l, err := (&net.ListenConfig{Control: proxy.WithoutReuse}).Listen(t.Context(), "tcp", s.address); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("somebody else got the port: %v, %v", l, err)
	}
}
