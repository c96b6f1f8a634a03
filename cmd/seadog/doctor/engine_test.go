package doctor_test

import (
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seadog/seadog/cmd/seadog/doctor"
)

// fakeEngine answers like Docker, but for the paths that hang until the client
// gives up. A real engine cannot be wedged on purpose.
func fakeEngine(t *testing.T, hangs func(path string) bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hangs(r.URL.Path) {
			<-r.Context().Done()
			return
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			w.Header().Set("Api-Version", "1.43")
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			json.NewEncoder(w).Encode([]map[string]any{{"Id": "0123456789abcdef", "Names": []string{"/web-1"}}})
		case strings.HasSuffix(r.URL.Path, "/0123456789abcdef/json"):
			json.NewEncoder(w).Encode(map[string]any{"Id": "0123456789abcdef", "Name": "/web-1"})
		case strings.HasSuffix(r.URL.Path, "/info"):
			json.NewEncoder(w).Encode(map[string]any{"DockerRootDir": filepath.Dir(path)})
		default:
			http.NotFound(w, r)
		}
	})}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	return "unix://" + path
}

func examineEngine(t *testing.T, host string) []doctor.Finding {
	t.Helper()
	return doctor.Only(t.Context(), "engine", doctor.Config{Getenv: noEnvironment, DockerHost: host})
}

func TestAHealthyEngine(t *testing.T) {
	t.Parallel()
	host := fakeEngine(t, func(string) bool { return false })
	findings := examineEngine(t, host)
	expect(t, findings, "engine", doctor.OK, "answers in")
	expect(t, findings, "engine list", doctor.OK, "1 containers")
	expect(t, findings, "engine inspect", doctor.OK, "1 containers inspected")
	disk := doctor.Only(t.Context(), "disk", doctor.Config{Getenv: noEnvironment, DockerHost: host, Data: t.TempDir()})
	if len(disk) != 2 || !strings.Contains(disk[1].What, filepath.Dir(strings.TrimPrefix(host, "unix://"))) {
		t.Errorf("disk = %+v, want the engine's own root", disk)
	}
}

func TestAnEngineThatPingsButDoesNotListIsNamedAsWedged(t *testing.T) {
	t.Parallel()
	host := fakeEngine(t, func(path string) bool { return strings.HasSuffix(path, "/containers/json") })
	findings := examineEngine(t, host)
	expect(t, findings, "engine", doctor.OK, "answers in")
	expect(t, findings, "engine list", doctor.Fail, "it is wedged")
}

func TestAContainerThatCannotBeInspectedIsNamed(t *testing.T) {
	t.Parallel()
	host := fakeEngine(t, func(path string) bool { return strings.HasSuffix(path, "/0123456789abcdef/json") })
	expect(t, examineEngine(t, host), "engine inspect", doctor.Fail, "hangs when it inspects container web-1")
}

func TestAnEngineThatDoesNotEvenPing(t *testing.T) {
	t.Parallel()
	host := fakeEngine(t, func(string) bool { return true })
	expect(t, examineEngine(t, host), "engine", doctor.Fail, "does not answer _ping within 3s")
}

func TestAnEngineThatIsNotThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "docker.sock")
	expect(t, examineEngine(t, "unix://"+path), "engine", doctor.Fail, "does not exist")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	expect(t, examineEngine(t, "unix://"+path), "engine", doctor.Fail, "nothing listens on")
	expect(t, examineEngine(t, "ssh://host"), "engine", doctor.Warn, "not examined")
	expect(t, examineEngine(t, "nonsense"), "engine", doctor.Fail, "cannot be used")
}
