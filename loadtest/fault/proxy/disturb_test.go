package proxy_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest/fault"
)

func TestLateBytesAreLateAndComeAtOnceAfterUndo(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	h := s.disturb(t, fault.Disturbance{Kind: fault.Latency, Latency: time.Hour})
	fresh, server2 := s.dial(t)
	for _, c := range []struct{ client, server net.Conn }{{client, server}, {fresh, server2}} {
		write(t, c.client, "question")
		expect(t, c.server, "question") // only answers are late
		write(t, c.server, "answer")
		silent(t, c.client)
	}
	undo(t, h)
	expect(t, client, "answer")
	expect(t, fresh, "answer")
	passes(t, client, server)
	if diff := cmp.Diff(map[string]uint64{"connections": 2}, h.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestLatencyIsNoLessThanItSays(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	s.disturb(t, fault.Disturbance{Kind: fault.Latency, Latency: 30 * time.Millisecond, Direction: fault.Both})
	for range 3 {
		sent := time.Now()
		passes(t, client, server)
		if took := time.Since(sent); took < 60*time.Millisecond {
			t.Errorf("there and back took %s", took)
		}
	}
}

func TestBandwidthIsNoMoreThanItSaysAndUndoLosesNothing(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	data := random(1 << 20)
	h := s.disturb(t, fault.Disturbance{Kind: fault.Bandwidth, Rate: 100_000})
	var gone sync.WaitGroup
	defer gone.Wait()
	began := time.Now()
	gone.Go(func() {
		if _, err := server.Write(data); err != nil {
			t.Error(err)
		}
	})
	got := make([]byte, len(data))
	if _, err := io.ReadFull(client, got[:20_000]); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("20,000 bytes took %s", took)
	}
	undo(t, h)
	if _, err := io.ReadFull(client, got[20_000:]); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, got) {
		t.Error("bytes were lost")
	}
}

func TestSlowCloseHoldsBackTheEndAndNothingElse(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	h := s.disturb(t, fault.Disturbance{Kind: fault.SlowClose, Delay: time.Hour})
	write(t, server, "last words")
	_ = server.Close()
	expect(t, client, "last words")
	silent(t, client)
	undo(t, h)
	if err := ends(t, client); !errors.Is(err, io.EOF) {
		t.Errorf("it ended with %v", err)
	}
}

func TestBlackHoleSwallowsAndWhatLostSomethingEnds(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	idle, idleServer := s.dial(t)
	passes(t, idle, idleServer)
	h := s.disturb(t, fault.Disturbance{Kind: fault.Timeout})
	write(t, server, "into the hole")
	silent(t, client)
	fresh, freshServer := s.dial(t)
	undo(t, h)
	ends(t, client)
	ends(t, server)
	passes(t, idle, idleServer)
	passes(t, fresh, freshServer)
	if n := h.Effects()["connections"]; n < 2 || n > 3 { // the last one may have come too late
		t.Errorf("effects %v", h.Effects())
	}
}

func TestBlackHoleClosesAfterAWhileIfItShould(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	h := s.disturb(t, fault.Disturbance{Kind: fault.Timeout, After: time.Millisecond})
	ends(t, client)
	ends(t, server)
	undo(t, h)
	if diff := cmp.Diff(map[string]uint64{"connections": 1, "cut": 1}, h.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	client, server = s.dial(t)
	passes(t, client, server)
}

func TestResetConnectionsAreResetOnBothSides(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	h := s.disturb(t, fault.Disturbance{Kind: fault.Reset, Direction: fault.Upstream})
	write(t, client, "question")
	for who, c := range map[string]net.Conn{"client": client, "upstream": server} {
		if err := ends(t, c); !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("the %s got %v", who, err)
		}
	}
	undo(t, h)
	if diff := cmp.Diff(map[string]uint64{"connections": 1, "cut": 1}, h.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	client, server = s.dial(t)
	passes(t, client, server)
}

func TestConnectionThatOutlivesAResetClosesInOrder(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	undo(t, s.disturb(t, fault.Disturbance{Kind: fault.Reset}))
	passes(t, client, server)
	_ = client.Close()
	_ = server.Close()
	other, otherServer := s.dial(t)
	undo(t, s.disturb(t, fault.Disturbance{Kind: fault.Reset}))
	write(t, otherServer, "unread")
	_ = otherServer.Close()
	expect(t, other, "unread")
	if err := ends(t, other); !errors.Is(err, io.EOF) {
		t.Errorf("it ended with %v", err)
	}
	cut, cutServer := s.dial(t)
	undo(t, s.disturb(t, fault.Disturbance{Kind: fault.Reset}))
	passes(t, cut, cutServer)
	s.disturb(t, fault.Disturbance{Kind: fault.Down})
	if err := ends(t, cut); !errors.Is(err, io.EOF) {
		t.Errorf("a connection that is cut later ended with %v", err)
	}
}

func TestSlicedAnswersComeInPiecesAndUndoLosesNothing(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	h := s.disturb(t, fault.Disturbance{Kind: fault.Slicer, Bytes: 3, Delay: time.Hour})
	write(t, server, "abcdefgh")
	expect(t, client, "abc")
	silent(t, client)
	undo(t, h)
	expect(t, client, "defgh")
	passes(t, client, server)
}

func TestLimitedAnswersEndAfterTheirBytes(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	// A second disturbance must not give it its bytes anew.
	h := s.disturb(t, fault.Disturbance{Kind: fault.LimitData, Bytes: 10})
	write(t, server, "01234")
	expect(t, client, "01234")
	other := s.disturb(t, fault.Disturbance{Kind: fault.Latency, Latency: time.Millisecond})
	write(t, server, "56789abc")
	expect(t, client, "56789")
	ends(t, client)
	undo(t, other)
	undo(t, h)
	if diff := cmp.Diff(map[string]uint64{"connections": 1, "cut": 1}, h.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestDisturbancesAddUpAndEndOneByOne(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	late := s.disturb(t, fault.Disturbance{Kind: fault.Latency, Latency: time.Hour})
	sliced := s.disturb(t, fault.Disturbance{Kind: fault.Slicer, Bytes: 2, Delay: time.Hour})
	write(t, server, "abcdef")
	silent(t, client)
	undo(t, late)
	expect(t, client, "abcdef") // what was held back when the chain was built anew is let out as it is
	write(t, server, "ghij")
	expect(t, client, "gh")
	silent(t, client)
	undo(t, sliced)
	expect(t, client, "ij")
	passes(t, client, server)
}

func TestStalledReaderKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	data := random(16 << 20) // more than all buffers on the way
	var gone sync.WaitGroup
	defer gone.Wait()
	stalled := make(chan struct{})
	gone.Go(func() {
		sent := 0
		for sent < len(data) {
			if err := server.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
				t.Error(err)
			}
			n, err := server.Write(data[sent:])
			sent += n
			if err != nil {
				break
			}
		}
		close(stalled)
		if sent == len(data) {
			t.Error("nothing stalled")
		}
		if err := server.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			t.Error(err)
		}
		if _, err := server.Write(data[sent:]); err != nil {
			t.Error(err)
		}
	})
	<-stalled
	var handles []fault.Handle
	for _, d := range []fault.Disturbance{
		{Kind: fault.Latency, Latency: time.Millisecond}, {Kind: fault.Bandwidth, Rate: 1 << 30}, {Kind: fault.Slicer, Bytes: 30_000},
	} {
		handles = append(handles, s.disturb(t, d))
		other, otherServer := s.dial(t)
		passes(t, other, otherServer)
	}
	for _, h := range handles {
		undo(t, h)
	}
	got := make([]byte, len(data))
	if _, err := io.ReadFull(client, got); err != nil {
		t.Fatal(err)
	}
	if sum(data) != sum(got) {
		t.Error("bytes were lost")
	}
}

func TestBytesSurviveDisturbancesThatComeAndGo(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := set(t, way.in, way.out)
			client, server := s.dial(t)
			data := random(4 << 20)
			var gone sync.WaitGroup
			gone.Go(func() { // an echo
				if _, err := io.Copy(server, server); err != nil {
					t.Error(err)
				}
				_ = server.Close()
			})
			gone.Go(func() {
				for rest := data; len(rest) > 0; rest = rest[min(len(rest), 10_000):] {
					if _, err := client.Write(rest[:min(len(rest), 10_000)]); err != nil {
						t.Error(err)
						return
					}
				}
				_ = client.(interface{ CloseWrite() error }).CloseWrite()
			})
			over := make(chan struct{})
			gone.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-over:
						return
					default:
					}
					var handles []fault.Handle
					for _, d := range []fault.Disturbance{
						{Kind: fault.Latency, Latency: 3 * time.Millisecond, Jitter: 3 * time.Millisecond, Direction: fault.Both},
						{Kind: fault.Bandwidth, Rate: 20 << 20, Direction: fault.Upstream},
						{Kind: fault.Slicer, Bytes: 5000, Vary: 4000, Direction: fault.Downstream},
						{Kind: fault.SlowClose, Delay: time.Millisecond, Direction: fault.Both},
					} {
						d.Share, d.Seed = 1, uint64(i)
						h, err := s.Disturb(t.Context(), "db", d)
						if err != nil {
							t.Error(err)
							return
						}
						handles = append(handles, h)
					}
					for _, h := range handles {
						_ = h.Undo()
					}
				}
			})
			got, err := io.ReadAll(client)
			if err != nil || sum(data) != sum(got) {
				t.Errorf("%d bytes came back, %v", len(got), err)
			}
			close(over)
			gone.Wait()
		})
	}
}
