package git_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/git"
)

func TestValidRemote(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"https://github.com/ana/app.git", "https://user:p%40ss@git.example.org:8443/app", "http://127.0.0.1:3000/x.git", "https://token@h/x",
		"ssh://git@host:2222/ana/app.git", "git@github.com:ana/app.git", "host:app.git", "deploy+x@host:~/app", "/srv/git/app.git", "/srv/with space",
		"file:///srv/git/app.git", "https://[::1]:80/x",
	} {
		if err := git.ValidRemote(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{
		"", "-x", "--upload-pack=touch /tmp/x", "ext::sh -c id", "fd::17", "transport::address", "relative/path", "./x", "../x", "app",
		"git://host/x", "ftp://host/x", "javascript://x", "ssh://-oProxyCommand=id/x", "ssh://-l@host/x", "ssh://user:pass@host/x", "git@-host:x", "-u@host:x",
		"host:-x", "host:", "git@host:a b", "https:///x", "https://", "file://host/x", "file://u@/x", "https://h/x\n", "https://h/%0a", "https://u:%0ahost=x@h/x",
		"https://h/x#y", "https://h:port/x", "/srv/\x00", strings.Repeat("/x", 2000),
	} {
		if err := git.ValidRemote(s); deployer.CodeOf(err) != deployer.CodeInvalid {
			t.Errorf("%q is valid: %v", s, err)
		}
	}
	if err := git.ValidRemote("gopher://user:hunter22@host/x"); err == nil || strings.Contains(err.Error(), "hunter22") {
		t.Errorf("error = %v", err)
	}
}

func FuzzValidRemote(f *testing.F) {
	for _, s := range []string{"https://u:p@h/x", "git@host:x", "ext::x", "/x", "ssh://h/x", "-x", "a:b::c"} {
		f.Add(s)
	}
	helper := regexp.MustCompile(`^[A-Za-z0-9+.-]*::`) // what git takes for a remote helper
	f.Fuzz(func(t *testing.T, s string) {
		if git.ValidRemote(s) == nil && (strings.HasPrefix(s, "-") || strings.ContainsAny(s, "\n\r\x00") || helper.MatchString(s)) {
			t.Errorf("%q is valid", s)
		}
	})
}

func TestSSH(t *testing.T) {
	t.Parallel()
	newOrigin(t)
	bin := t.TempDir()
	// A fake ssh that tells its arguments and environment, and refuses.
	script := "#!/bin/sh\n{ echo \"args: $*\"; env; } >" + bin + "/$(basename $0).out\nexit 1\n"
	for _, name := range []string{"ssh", "my-ssh"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	said := func(name string) string {
		b, err := os.ReadFile(filepath.Join(bin, name+".out"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	m := mirror(t, "git@host.example:ana/app.git", plenty)
	m.Env = append(m.Env, "SSH_AUTH_SOCK=/run/agent", "GIT_DIR=/elsewhere", "GIT_TERMINAL_PROMPT=1", "SSH_ASKPASS=/usr/bin/ask")
	m.Env[0] = "PATH=" + bin + ":" + os.Getenv("PATH")
	if _, err := m.Fetch(t.Context(), "refs/heads/main", "", 0); err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"-oBatchMode=yes", "-oConnectTimeout=15", "-oServerAliveInterval=15", "git@host.example",
		"SSH_AUTH_SOCK=/run/agent", "GIT_TERMINAL_PROMPT=0", "GCM_INTERACTIVE=never", "SSH_ASKPASS=\n", "GIT_ASKPASS=\n", "LC_ALL=C",
	} {
		if !strings.Contains(said("ssh"), want) {
			t.Errorf("%q is not in %s", want, said("ssh"))
		}
	}
	m.Env = append(m.Env, "GIT_SSH_COMMAND=my-ssh -i /my/key")
	if _, err := m.Fetch(t.Context(), "refs/heads/main", "", 0); err == nil {
		t.Fatal("no error")
	}
	if got := said("my-ssh"); !strings.Contains(got, "-i /my/key") || strings.Contains(got, "BatchMode") {
		t.Errorf("the user's own command: %s", got)
	}
}
