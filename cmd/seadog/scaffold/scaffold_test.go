package scaffold_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/cmd/seadog/scaffold"
)

func TestEveryKindPrints(t *testing.T) {
	t.Parallel()
	for _, kind := range scaffold.Kinds() {
		if text, err := scaffold.Print(kind, scaffold.Example{}); err != nil || len(text) < 100 {
			t.Errorf("Print(%s) = %d bytes, %v", kind, len(text), err)
		}
	}
	if _, err := scaffold.Print("apache", scaffold.Example{}); err == nil || !strings.Contains(err.Error(), "nginx") {
		t.Errorf("Print(apache) = %v, want the list of kinds", err)
	}
}

func TestARepositoryCannotInjectYAML(t *testing.T) {
	t.Parallel()
	text, err := scaffold.Config(scaffold.Example{Repository: "x\"\nlisten: [\"0.0.0.0:1\"]\n${HOME}"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "\nlisten: [\"0.0.0.0:1\"]") || !strings.Contains(text, `$${HOME}`) {
		t.Error("the repository was not quoted")
	}
}

func TestTheImageIsBuiltFromTheDockerfileThatIsPrinted(t *testing.T) {
	t.Parallel()
	top, err := os.ReadFile("../../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	printed, err := scaffold.Print("dockerfile", scaffold.Example{})
	if err != nil {
		t.Fatal(err)
	}
	if printed != string(top) {
		t.Error("Dockerfile and cmd/seadog/scaffold/Dockerfile differ: copy one over the other")
	}
}

func TestSystemdAcceptsTheUnits(t *testing.T) {
	t.Parallel()
	need(t, "systemd-analyze")
	dir := t.TempDir()
	binary := filepath.Join(dir, "seadog")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var units []string
	for kind, name := range map[string]string{"systemd": "seadog.service", "socket": "seadog.socket"} {
		text, err := scaffold.Print(kind, scaffold.Example{})
		if err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, "/usr/local/bin/seadog", binary)
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		units = append(units, path)
	}
	// Units of the distribution that are not ours to judge are named in warnings, too.
	out, err := command(t, "systemd-analyze", append([]string{"verify", "--man=no"}, units...)...)
	if err != nil || strings.Contains(out, "seadog.service:") || strings.Contains(out, "seadog.socket:") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

func TestTheUnitStopsLaterThanDeploymentsMayGoOn(t *testing.T) {
	t.Parallel()
	unit, err := scaffold.Print("systemd", scaffold.Example{})
	if err != nil {
		t.Fatal(err)
	}
	example, err := scaffold.Config(scaffold.Example{})
	if err != nil {
		t.Fatal(err)
	}
	stop := duration(t, unit, `(?m)^TimeoutStopSec=(\d+)$`) // seconds
	grace := duration(t, example, `(?m)^stop_grace: (\w+)$`)
	kill := duration(t, example, `(?m)^ +grace: (\w+) `)
	if stop < grace+2*kill {
		t.Errorf("TimeoutStopSec %s, but deployments get %s and their processes %s more", stop, grace, kill)
	}
	for _, want := range []string{
		"Type=notify", "NotifyAccess=main", "KillMode=mixed", "OOMPolicy=continue", "Restart=always", "WatchdogSec=",
		"StateDirectory=seadog", "ProtectSystem=strict", "NoNewPrivileges=yes", "SupplementaryGroups=docker", "LimitNOFILE=65536",
	} {
		if !strings.Contains(unit, "\n"+want) {
			t.Errorf("the unit lacks %s", want)
		}
	}
}

func duration(t *testing.T, text, pattern string) time.Duration {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("nothing matches %s", pattern)
	}
	if regexp.MustCompile(`^\d+$`).MatchString(m[1]) {
		m[1] += "s"
	}
	d, err := time.ParseDuration(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNginxAcceptsTheSnippet(t *testing.T) {
	t.Parallel()
	need(t, "nginx")
	dir := t.TempDir()
	certificate(t, dir)
	snippet, err := scaffold.Print("nginx", scaffold.Example{})
	if err != nil {
		t.Fatal(err)
	}
	snippet = strings.ReplaceAll(snippet, "/etc/letsencrypt/live/deploy.example.com", dir)
	// What the distribution's nginx.conf has around it, in a place of our own.
	whole := "pid " + dir + "/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		whole += temp + "_temp_path " + dir + "/" + temp + ";\n"
	}
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(whole+snippet+"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, "nginx", "-t", "-q", "-p", dir, "-c", path); err != nil {
		t.Errorf("nginx -t: %v\n%s", err, out)
	}
	if body := regexp.MustCompile(`client_max_body_size 26m;`); !body.MatchString(snippet) {
		t.Error("nginx would refuse bodies that seadog takes")
	}
}

// certificate writes a self-signed certificate under the names that certbot uses.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "deploy.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"fullchain.pem": {Type: "CERTIFICATE", Bytes: cert},
		"privkey.pem":   {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func command(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func need(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("SKIPPED LOUDLY: %s is not installed", name)
}
