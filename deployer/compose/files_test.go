package compose_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/compose"
	"github.com/seadog/seadog/deployer/process"
)

// never is for projects in which nothing may be executed.
func never(t *testing.T) process.Exec {
	t.Helper()
	return func(_ context.Context, c process.Command) (process.Exit, error) {
		t.Errorf("executed %s %q", c.Path, c.Args)
		return process.Exit{}, nil
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files []string
		spec  deployer.Compose
		want  []string
	}{
		"compose.yaml comes first":    {files: []string{"docker-compose.yml", "compose.yml", "compose.yaml"}, want: []string{"compose.yaml"}},
		"then compose.yml":            {files: []string{"docker-compose.yaml", "compose.yml"}, want: []string{"compose.yml"}},
		"then docker-compose.yaml":    {files: []string{"docker-compose.yml", "docker-compose.yaml"}, want: []string{"docker-compose.yaml"}},
		"then docker-compose.yml":     {files: []string{"docker-compose.yml"}, want: []string{"docker-compose.yml"}},
		"no override joins by itself": {files: []string{"compose.yaml", "compose.override.yaml"}, want: []string{"compose.yaml"}},
		"named ones keep their order": {
			files: []string{"a/b.yaml", "a/c/d.yaml"}, spec: deployer.Compose{Directory: "a", Files: []string{"c/d.yaml", "b.yaml"}},
			want: []string{"a/c/d.yaml", "a/b.yaml"},
		},
		"a path may wander as long as it stays": {
			files: []string{"x.yaml", "a/y"}, spec: deployer.Compose{Directory: "a", Files: []string{"../x.yaml"}}, want: []string{"x.yaml"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{}
			for _, f := range tt.files {
				files[f] = "services: {}\n"
			}
			s := compose.Stack{Project: "p", Worktree: worktree(t, files), Spec: tt.spec}
			got, err := s.Files()
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, w := range tt.want {
				want = append(want, filepath.Join(s.Worktree, w))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestHostilePathsExecuteNothing(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(outside, []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			target, err := filepath.Rel(dir, outside)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tt := range map[string]struct {
		project string
		spec    deployer.Compose
		prepare func(t *testing.T, dir string)
		want    string
	}{
		"no file":                   {want: "no Compose file in the repository"},
		"project with dots":         {project: "../x", want: `Compose project name "../x"`},
		"project that is an option": {project: "-f", want: `Compose project name "-f"`},
		"file above":                {spec: deployer.Compose{Files: []string{"../compose.yaml"}}, want: `compose file "../compose.yaml" leads out of the repository`},
		"file far above":            {spec: deployer.Compose{Files: []string{"a/../../../etc/passwd"}}, want: "leads out of the repository"},
		"absolute file":             {spec: deployer.Compose{Files: []string{outside}}, want: "leads out of the repository"},
		"file with a zero byte":     {spec: deployer.Compose{Files: []string{"a\x00b"}}, want: "leads out of the repository"},
		"missing file":              {spec: deployer.Compose{Files: []string{"x.yaml"}}, want: `compose file "x.yaml" is not in the repository`},
		"directory above":           {spec: deployer.Compose{Directory: ".."}, want: `compose directory ".." leads out of the repository`},
		"absolute directory":        {spec: deployer.Compose{Directory: "/etc"}, want: `compose directory "/etc" is an absolute path`},
		"missing directory":         {spec: deployer.Compose{Directory: "x"}, want: `compose directory "x" is not in the repository`},
		"link out of the worktree":  {prepare: link("compose.yaml"), want: `compose file "compose.yaml" cannot be used: a symbolic link leads out`},
		"linked directory": {
			spec: deployer.Compose{Directory: "d", Files: []string{"secret.yaml"}}, want: `compose directory "d" cannot be used`,
			prepare: func(t *testing.T, dir string) {
				t.Helper()
				if err := os.Symlink(filepath.Dir(outside), filepath.Join(dir, "d")); err != nil {
					t.Fatal(err)
				}
			},
		},
		"pipe": {
			spec: deployer.Compose{Files: []string{"p"}}, want: `compose file "p" is not a regular file`,
			prepare: func(t *testing.T, dir string) {
				t.Helper()
				if err := syscall.Mkfifo(filepath.Join(dir, "p"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
		},
		"env file above":   {spec: deployer.Compose{Files: []string{"ok.yaml"}, EnvFiles: []string{"../../x.env"}}, want: `env file "../../x.env" leads out of the repository`},
		"missing env file": {spec: deployer.Compose{Files: []string{"ok.yaml"}, EnvFiles: []string{"/nowhere/x.env"}}, want: `env file "/nowhere/x.env" is not a readable file`},
		"linked env file":  {spec: deployer.Compose{Files: []string{"ok.yaml"}, EnvFiles: []string{"e"}}, prepare: link("e"), want: `env file "e" cannot be used`},
		"linked .env":      {spec: deployer.Compose{Files: []string{"ok.yaml"}}, prepare: link(".env"), want: `.env" cannot be used`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := compose.Stack{Project: "p", Worktree: worktree(t, map[string]string{"ok.yaml": "services: {}\n"}), Spec: tt.spec, Exec: never(t)}
			if tt.project != "" {
				s.Project = tt.project
			}
			if tt.prepare != nil {
				tt.prepare(t, s.Worktree)
			}
			_, err := s.Config(t.Context())
			if deployer.CodeOf(err) != deployer.CodeInvalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("config: got %v, want …%s…", err, tt.want)
			}
			if err := s.Up(t.Context()); deployer.CodeOf(err) != deployer.CodeInvalid {
				t.Errorf("up: got %v", err)
			}
		})
	}
}
