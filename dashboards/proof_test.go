package dashboards_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/dashboards"
)

// interval is how often things are scraped here, and what $__rate_interval is:
// four scrapes, as Grafana takes it.
const (
	interval     = time.Second
	rateInterval = 4 * interval
)

// TestEveryQueryHasAnAnswer runs seadog, a sick server and a load, lets a real
// Prometheus scrape them, and asks it everything that is on a dashboard or in a rule.
func TestEveryQueryHasAnAnswer(t *testing.T) {
	prometheus, promtool := need(t, "prometheus"), need(t, "promtool")
	binary := build(t)
	service, lab := startService(t, binary), startLab(t, binary)
	generator := freePorts(t, 1)[0]
	p := startPrometheus(t, prometheus, map[string]string{"seadog": service.admin, "lab": lab.admin, "loadgen": generator})
	began := time.Now()
	ended := startLoad(t, binary, service, generator, 15*time.Second)
	eventually(t, "seadog, the lab and the generator are scraped", func() bool { return len(p.ask(t, "up == 1", time.Time{})) == 3 })
	eventually(t, "there is a healthy lab to look back to", func() bool {
		return len(p.ask(t, `count_over_time(seadog_watchdog_passes_total{job="lab"}[1m]) >= 2`, time.Time{})) == 1
	})
	lab.sicken()
	eventually(t, "a deployment has failed, and a worker was killed", func() bool {
		return len(p.ask(t, `seadog_deployments_total{status="failed"} > 0`, time.Time{})) > 0 &&
			len(p.ask(t, `sum(seadog_watchdog_kills_total{level="hard"}) > 0`, time.Time{})) > 0
	})
	eventually(t, "all rules were evaluated", func() bool {
		for _, r := range dashboards.Records() {
			if len(p.ask(t, r.Name, time.Time{})) == 0 {
				return false
			}
		}
		return true
	})
	requireVerdict(t, <-ended)
	time.Sleep(2 * rateInterval) // rates of all that happened

	asked := 0
	for _, e := range append(expressions(), rules()...) {
		asked++
		from := time.Time{}
		if e.graph {
			from = began
		}
		if answer := p.ask(t, fill(e.expr, time.Since(began)), from); len(answer) == 0 {
			t.Errorf("%s: nothing answers %s", e.where, e.expr)
		}
	}
	for name := range generatorNames() {
		if len(p.ask(t, "{__name__=~\""+name+"(_count)?\"}", began)) == 0 {
			t.Errorf("nobody exports %s", name)
		}
	}
	requireHealthyRules(t, p)
	requireCatalogue(t, service, promtool)
	t.Logf("%d queries were answered, %s after the start", asked, time.Since(began).Round(time.Second))
}

// requireVerdict: the load test came to one. Which one is this machine's business.
func requireVerdict(t *testing.T, err error) {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() == 64 || exit.ExitCode() == 70) {
		t.Errorf("the load test: %v", err)
	}
}

// fill chooses everything, as a dashboard does at first.
func fill(expr string, shown time.Duration) string {
	return strings.NewReplacer(
		"$__rate_interval", rateInterval.String(), "$__range", shown.Round(time.Second).String(),
		"$job", ".*", "$instance", ".*", "$generator", ".*",
	).Replace(expr)
}

// requireHealthyRules: Prometheus evaluated every rule, and none went wrong.
func requireHealthyRules(t *testing.T, p *server) {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	if err := json.Unmarshal([]byte(get(t, "http://"+p.url+"/api/v1/rules")), &answer); err != nil {
		t.Fatal(err)
	}
	healthy := 0
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			if r.Health == "ok" {
				healthy++
			} else {
				t.Errorf("rule %s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	if want := len(rules()); healthy != want {
		t.Errorf("%d rules are healthy, want %d", healthy, want)
	}
}

// requireCatalogue holds what the service exports against the names that dashboards
// rely on, and both against Prometheus' own rules for names.
func requireCatalogue(t *testing.T, s *process, promtool string) {
	t.Helper()
	exposition := []byte(get(t, "http://"+s.admin+"/metrics"))
	known, exported := catalogue(t), map[string]string{}
	var ours bytes.Buffer
	for line := range strings.Lines(string(exposition)) {
		fields := strings.Fields(line)
		if len(fields) > 3 && fields[1] == "TYPE" && strings.HasPrefix(fields[2], "seadog_") {
			exported[fields[2]] = fields[3]
		}
		if strings.Contains(line, "seadog_") {
			ours.WriteString(line)
		}
	}
	for name, kind := range known {
		if exported[name] != kind {
			t.Errorf("%s is exported as %q, want %q", name, exported[name], kind)
		}
	}
	for name := range exported {
		if known[name] == "" {
			t.Errorf("%s is exported, and not in the catalogue", name)
		}
	}
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = &ours
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// server is a Prometheus.
type server struct{ url string }

func startPrometheus(t *testing.T, binary string, targets map[string]string) *server {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs("prometheus/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "global: {scrape_interval: %s, evaluation_interval: %s}\nrule_files: [%q]\nscrape_configs:\n", interval, interval, rules)
	for name, target := range targets {
		fmt.Fprintf(&text, "  - {job_name: %s, static_configs: [{targets: [%q]}]}\n", name, target)
	}
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &server{url: freePorts(t, 1)[0]}
	run(t, binary, "--config.file="+config, "--web.listen-address="+s.url, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--log.level=warn")
	eventually(t, "Prometheus is ready", func() bool { return reachable("http://" + s.url + "/-/ready") })
	return s
}

// ask returns the series that answer a query: now, or, if from is not zero, at any time since then.
func (s *server) ask(t *testing.T, query string, from time.Time) []json.RawMessage {
	t.Helper()
	values, path := url.Values{"query": {query}}, "/api/v1/query"
	if !from.IsZero() {
		path = "/api/v1/query_range"
		values.Set("start", fmt.Sprint(from.Unix()))
		values.Set("end", fmt.Sprint(time.Now().Unix()))
		values.Set("step", "1")
	}
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	text := get(t, "http://"+s.url+path+"?"+values.Encode())
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%s: %v: %s", query, err, text)
	}
	if answer.Status != "success" {
		t.Errorf("%s: %s", query, answer.Error)
	}
	return answer.Data.Result
}

// fetch reads from a connection of its own.
func fetch(from string) (int, string, error) {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(from)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func get(t *testing.T, from string) string {
	t.Helper()
	_, text, err := fetch(from)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func reachable(from string) bool {
	status, _, err := fetch(from)
	return err == nil && status == http.StatusOK
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ports = append(ports, ln.Addr().String())
	}
	return ports
}
