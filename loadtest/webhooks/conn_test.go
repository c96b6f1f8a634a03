package webhooks

import (
	"bufio"
	"strings"
	"testing"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		status int
		last   bool
		ok     bool
	}{
		"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\n{}\n":                                      {202, false, true},
		"HTTP/1.1 503 Service Unavailable\r\ncontent-length:0\r\nconnection: Close\r\nX: a:b\r\n\r\n": {503, true, true},
		"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\n{}":                                        {},
		"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n":                        {},
		"HTTP/1.1 202 Accepted\r\nContent-Length: x\r\n\r\n":                                          {},
		"HTTP/1.1 2": {},
		"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n": {},
		"SSH-2.0-OpenSSH_9.2p1 Debian\r\n":             {},
		"":                                             {},
	} {
		status, last, err := readAnswer(bufio.NewReader(strings.NewReader(in)))
		if status != want.status || want.ok && last != want.last || (err == nil) != want.ok {
			t.Errorf("%q: got %d, %v, %v", in, status, last, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\n{}\n")
	f.Add("HTTP/1.1 503 x\nconnection: close\ncontent-length:-1\n\n")
	f.Add("HTTP/1.1 \n:\n")
	f.Fuzz(func(t *testing.T, in string) {
		status, _, err := readAnswer(bufio.NewReader(strings.NewReader(in)))
		if (err == nil) != (status != 0) {
			t.Errorf("status %d, %v", status, err)
		}
	})
}

func TestIdsOfARunAreUUIDsThatDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, n := range []uint64{0, 1, 15, 16, 4096, 1 << 40} {
		var id [idLength]byte
		stamp(id[:], [12]byte{0xde, 0xad, 0xbe, 0xef}, n)
		seen[string(id[:])] = true
		if !strings.HasPrefix(string(id[:]), "deadbeef-") || strings.Count(string(id[:]), "-") != 4 {
			t.Errorf("id %q", id)
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d different ids of 6", len(seen))
	}
}
