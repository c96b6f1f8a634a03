package guard_test

import (
	"strings"
	"testing"

	"github.com/seadog/seadog/watchdog/guard"
)

func TestTheEndOfARequestIsFoundHoweverItArrives(t *testing.T) {
	t.Parallel()
	const head, body = "POST / HTTP/1.1\r\nX: \r\r\n\r\n", "\r\n\r\nbody"
	for cut := range len(head + body) {
		text := head + body
		if !guard.Boundary(int64(len(body)), text[:cut], text[cut:]) {
			t.Errorf("not found when cut at %d", cut)
		}
		if guard.Boundary(int64(len(body)), text[:cut], text[cut:]+"G") {
			t.Errorf("the next request was overlooked when cut at %d", cut)
		}
		if guard.Boundary(-1, text[:cut], text[cut:]) {
			t.Error("a length that is not known was believed")
		}
	}
	if guard.Boundary(0, "GET / HTTP/1.1\n\n") {
		t.Error("an end was found that is none")
	}
}

func TestInterimAnswersAreToldFromOthers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"HTTP/1.1 100 Continue\r\n\r\n":                            true,
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n":              true,
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                 false,
		"HTTP/1.1 200 OK\r\n\r\n":                                  false,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n":     false,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody": false,
		"": false,
	} {
		if guard.Interim(text) != want {
			t.Errorf("%q is taken for interim: %v", text, !want)
		}
	}
}

func FuzzInterim(f *testing.F) {
	f.Add("HTTP/1.1 100 Continue\r\n\r\n")
	f.Add("HTTP/1.1 100")
	f.Fuzz(func(t *testing.T, text string) {
		if guard.Interim(text) && (!strings.HasPrefix(text, "HTTP/1.") || !strings.HasSuffix(text, "\r\n\r\n")) {
			t.Errorf("%q is no answer", text)
		}
	})
}
