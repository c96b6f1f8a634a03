package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/cmd/seadog/config"
)

// refused holds, for every file of testdata/refused, all that is said about it
// after the file's name. DIR is the directory of this package.
var refused = map[string][]string{
	"admin-clash":           {`1:17: admin.listen: 127.0.0.1:8787 is the address of both listen and admin.listen; give every listener an address of its own`},
	"alias":                 {`1:7: node: anchors, aliases and tags are not supported; write the value out, or put what projects share under defaults`},
	"anchor":                {`1:7: node: anchors, aliases and tags are not supported; write the value out, or put what projects share under defaults`},
	"complex-key":           {`8:14: not YAML: found an invalid key for this map; check indentation, quotes and brackets here`},
	"compose-build-args":    {`8:35: projects.web.compose.build_args.A=B: "A=B" cannot name a build argument; use letters, digits and _`},
	"compose-depth":         {`8:22: projects.web.compose.depth: 0 is not a number of commits; write 1 or more, or -1 for the whole history`},
	"compose-directory":     {`8:26: projects.web.compose.directory: "../.." leaves the repository; write a path below the repository, like deploy/compose.yaml`},
	"compose-env-files":     {`8:27: projects.web.compose.env_files[0]: "../.env" leaves the repository; write a path below the repository, like deploy/compose.yaml`},
	"compose-files":         {`8:23: projects.web.compose.files[0]: "/etc/passwd" leaves the repository; write a path below the repository, like deploy/compose.yaml`},
	"compose-profiles":      {`8:26: projects.web.compose.profiles[0]: "--all" cannot name a profile; use letters, digits, _, . and -`},
	"compose-project-taken": {`11:24: projects.web.compose.project: the Compose project api belongs to project api; give each a compose.project of its own, or they replace each other's containers`},
	"compose-project":       {`8:24: projects.web.compose.project: "Web App" cannot name a Compose project; use lower-case letters, digits, - and _, at most 63, beginning with a letter or digit`},
	"data-empty":            {`1:7: data: is empty; name a directory, like /var/lib/seadog`},
	"docker-timeout":        {`1:19: docker.timeout: 20ms is not between 1s and 5m; write a duration like 10s`},
	"docker-host":           {`1:16: docker.host: "/var/run/docker.sock" is not the address of an engine; write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host`},
	"duplicate-key":         {`9:1: node: given twice, first in line 1; keep one of the two`},
	"env-and-secret":        {`9:18: projects.web.secrets.A: is in env as well; keep one of the two`},
	"env-name":              {`8:18: projects.web.env.A B: "A B" cannot name an environment variable; use letters, digits and _, not beginning with a digit`},
	"env-nul":               {`8:14: projects.web.env.A: holds a NUL byte; remove it`},
	"secret-name":           {`9:14: projects.web.secrets.A B: "A B" cannot name an environment variable; use letters, digits and _, not beginning with a digit`},
	"env-reserved":          {`8:24: projects.web.env.SEADOG_STEP: names that begin with SEADOG_ are seadog's own; choose another name`},
	"explicit-key":          {`9:7: projects.web.env.?: not a key; write a plain name before the colon`},
	"follows-nothing":       {`8:5: projects.web.branches: the project follows nothing, so nothing would ever deploy it; list branches, tags or images`},
	"git-env":               {`1:13: git.env[0]: "HTTPS PROXY" is not the name of an environment variable; write a name like SSH_AUTH_SOCK; its value comes from the service's own environment`},
	"glob-empty":            {`8:16: projects.web.branches[0]: empty pattern; use * within a segment, ** for any segments, ? for one character`},
	"glob-prefix":           {`8:16: projects.web.branches[0]: begins with refs/heads/, which no name does; write main`},
	"glob-stars":            {`8:13: projects.web.paths[0]: "**" must stand alone between slashes in "a**"; use * within a segment, ** for any segments, ? for one character`},
	"health-stable":         {`8:22: projects.web.health.stable: 5m0s is not shorter than the health step's deadline (3m0s), so no deployment could pass; make it shorter than steps.health.deadline`},
	"hook-contradiction":    {`10:5: projects.web.webhook: contradicts project api, which shares the hook mono; give provider and secret in one of them only, or the same in both`},
	"hook-docker-hub":       {`7:45: projects.web.webhook.secret: the secret of docker-hub is part of a URL and may hold only letters, digits, _ and -; make a new one with: openssl rand -hex 32`},
	"hook-name":             {`7:65: projects.web.webhook.hook: "../x" cannot name a hook; use lower-case letters, digits, - and _, at most 63, beginning with a letter or digit`},
	"host-branches":         {`6:5: projects.web.branches: means nothing without a repository; remove it, or give the repository`},
	"host-directory":        {`5:3: projects.web.repository: missing; write https://host/owner/name.git, git@host:owner/name.git, or an absolute path; only a project that follows images can do with an absolute compose.directory instead`},
	"images-without-branch": {`8:5: projects.web.branches: no branch to take the Compose files from when an image is pushed; add one without wildcards`},
	"images-missing":        {`5:3: projects.web.images: registry announces images, and the project follows none; list image:tag patterns, like app:latest`},
	"keep":                  {`8:11: projects.web.keep: 0 is out of range; write a number from 1 to 100`},
	"limits-body":           {`1:16: limits.body: 1KiB is not between 64KiB and 256MiB; write 26MiB: GitHub and GitLab send up to 25 MB`},
	"limits-budget":         {`1:23: limits.body_budget: 1MiB is smaller than limits.body (26MiB), so the largest webhook could never be read; make it several times limits.body`},
	"limits-connections":    {`1:23: limits.connections: 9000 is out of range; write a number from 16 to 8192`},
	"watchdog-harakiri":     {`1:22: watchdog.harakiri: 10ms is not between 1s and 1h0m0s; write a duration like 30s`},
	"watchdog-memory":       {`1:30: watchdog.recycle.memory: 1MiB is less than a worker needs; write 1GiB, or 0 for no limit`},
	"watchdog-memory-hard":  {`1:49: watchdog.recycle.memory_hard: 512MiB is not larger than watchdog.recycle.memory (1GiB); make it larger than watchdog.recycle.memory, or 0 for no limit`},
	"watchdog-requests":     {`1:32: watchdog.recycle.requests: -1 is out of range; write a number from 0 to 1000000000`},
	"log-format":            {`1:15: log.format: "xml" is not a format; write auto, text or json`},
	"log-level":             {`1:14: log.level: "all" is not a level; write debug, info, warn or error`},
	"limits-log":            {`1:20: limits.step_log: 1KiB is smaller than 64KiB; write 16MiB`},
	"limits-queries":        {`1:24: limits.query_budget: 0 is out of range; write a number from 1 to 10000`},
	"limits-timeout":        {`1:26: limits.header_timeout: 0s is not between 100ms and 1h; write a duration like 30s`},
	"list-for-value":        {`1:1: node: must be a single value, not a list; write one value`},
	"listen-address":        {`1:10: listen[0]: "localhost" is not an address; write host:port, unix:/path/to/socket or systemd:name`},
	"listen-admin":          {`1:10: listen[0]: 127.0.0.1:8788 is the address of both listen and admin.listen; give every listener an address of its own`},
	"listen-empty":          {`1:1: listen: no address, so no webhook could arrive; write an address like 127.0.0.1:8787`},
	"listen-port":           {`1:10: listen[0]: "99999" is not a port; write a number from 0 to 65535; 0 takes a free one`},
	"listen-systemd":        {`1:10: listen[0]: "" is not the name of a systemd socket; write what FileDescriptorName= in the socket unit says`},
	"listen-twice":          {`1:26: listen[1]: 127.0.0.1:80 and 0.0.0.0:80 are the same address; give every listener an address of its own`},
	"listen-unix":           {`1:10: listen[0]: not the path of a Unix socket; write a path of at most 107 bytes`},
	"merge-key":             {`8:5: projects.web.<<: merge keys are not supported; put what projects share under defaults`},
	"negative-duration":     {`1:13: stop_grace: "-30s" is not a duration; write a number with a unit, like 90s, 5m or 1h30m`},
	"no-value":              {`1:1: node: has no value; give it a value, or remove the key`},
	"node-invalid":          {`1:7: node: "a b" cannot name a machine; write a host name`},
	"not-a-boolean":         {`8:27: projects.web.compose.submodules: "yes" is neither true nor false; write true or false`},
	"not-a-duration":        {`1:13: stop_grace: "30" is not a duration; write a number with a unit, like 90s, 5m or 1h30m`},
	"not-a-mapping":         {`1:1: must be a mapping, not a list; write "key: value" lines below it`},
	"not-a-number":          {`1:17: workers.http: "many" is not a whole number; write digits only`},
	"not-a-size":            {`1:16: limits.body: "26M" is not a size; write a number with a unit, like 512KiB, 26MiB or 1GiB`},
	"not-utf8":              {`1:1: not UTF-8 text; save it as UTF-8`},
	"previous-secret-alone": {`7:50: projects.web.webhook.previous_secret: there is no secret that it precedes; give the new one as secret`},
	"probe-both":            {`8:23: projects.web.health.probes[0]: needs exactly one of http and tcp; write {http: http://127.0.0.1:8080/} or {tcp: 127.0.0.1:5432}`},
	"probe-http":            {`8:30: projects.web.health.probes[0].http: "127.0.0.1:80" is not an HTTP URL; write a URL like http://127.0.0.1:8080/health`},
	"probe-status":          {`8:59: projects.web.health.probes[0].status: 99 means nothing here; write the status that http must answer with, or remove it`},
	"probe-tcp":             {`8:29: projects.web.health.probes[0].tcp: "localhost" is not an address; write host:port`},
	"project-name":          {`5:3: projects.Web: "Web" cannot name a project; use lower-case letters, digits, - and _, at most 63, beginning with a letter or digit`},
	"project-secret-none":   {`8:15: projects.web.secrets.A: has no value; write {secret: …} or {secret_file: …}`},
	"projects-none":         {`1:1: projects: no project, so there is nothing to deploy; add one: its name, and below it repository and webhook`},
	"provider-missing":      {`7:5: projects.web.webhook.provider: missing: it is never guessed from what a sender claims; write one of github, gitlab, gitea, forgejo, gogs, bitbucket-cloud, bitbucket-server, registry, docker-hub, generic`},
	"provider-unknown":      {`7:25: projects.web.webhook.provider: "githab" is not a provider; write one of github, gitlab, gitea, forgejo, gogs, bitbucket-cloud, bitbucket-server, registry, docker-hub, generic`},
	"proxies-everybody":     {`1:19: trusted_proxies[0]: trusts everybody, so any client could forge its address; name the proxy's own address`},
	"proxies":               {`1:19: trusted_proxies[0]: "10.0.0.0/33" is not a network; write an address or a network like 10.0.0.0/8`},
	"record-bytes":          {`1:17: record.bytes: 1KiB is smaller than 1MiB; write 256MiB`},
	"record-deliveries":     {`1:22: record.deliveries: 0 is out of range; write a number from 100 to 10000000`},
	"repository-helper":     {`6:17: projects.web.repository: not a repository; write https://host/owner/name.git, ssh://git@host/owner/name.git, git@host:owner/name.git, or an absolute path`},
	"repository-missing":    {`5:3: projects.web.repository: missing; write https://host/owner/name.git, git@host:owner/name.git, or an absolute path; only a project that follows images can do with an absolute compose.directory instead`},
	"repository-option":     {`6:17: projects.web.repository: not a repository; write https://host/owner/name.git, ssh://git@host/owner/name.git, git@host:owner/name.git, or an absolute path`},
	"repository-password":   {`6:17: projects.web.repository: holds a password, which ssh does not take; use a key, and name the user only`},
	"repository-relative":   {`6:17: projects.web.repository: not a repository; write https://host/owner/name.git, ssh://git@host/owner/name.git, git@host:owner/name.git, or an absolute path`},
	"repository-scheme":     {`6:17: projects.web.repository: not a repository; write https://host/owner/name.git, ssh://git@host/owner/name.git, git@host:owner/name.git, or an absolute path`},
	"retention":             {`1:26: retention.deployments: -1 is out of range; write a number from 0 to 1000000`},
	"rollback":              {`8:15: projects.web.rollback: "never" is not a policy; write auto, notify or off`},
	"runners":               {`1:20: workers.runners: 65 is out of range; write a number from 1 to 64`},
	"secret-both":           {`7:72: projects.web.webhook.secret_file: secret is given as well; keep one of the two`},
	"secret-empty":          {`7:41: projects.web.webhook.secret: is empty; give it a value, or remove the key`},
	"secret-file-directory": {`7:46: projects.web.webhook.secret_file: DIR/testdata/secrets is not a regular file; name a file that holds nothing but the secret`},
	"secret-file-empty":     {`7:46: projects.web.webhook.secret_file: DIR/testdata/secrets/empty is empty; write the secret into it`},
	"secret-file-missing":   {`7:46: projects.web.webhook.secret_file: there is no file DIR/testdata/secrets/missing; write the secret into it, readable only by the user that runs seadog`},
	"secret-file-weak":      {`7:46: projects.web.webhook.secret_file: has 7 bytes, fewer than 16; make a new one with: openssl rand -hex 32`},
	"secret-weak":           {`7:41: projects.web.webhook.secret: has 7 bytes, fewer than 16; make a new one with: openssl rand -hex 32`},
	"several": {
		`1:1: lisen: unknown key; did you mean listen?`,
		`2:17: workers.http: 0 is out of range; write a number from 1 to 20`,
		`5:26: api.tokens[0].scope: "root" is not a scope; write read, deploy or admin`,
		`10:15: projects.web.rollback: "never" is not a policy; write auto, notify or off`,
		`11:3: projects.Api: "Api" cannot name a project; use lower-case letters, digits, - and _, at most 63, beginning with a letter or digit`,
		`12:17: projects.Api.repository: missing; write https://host/owner/name.git, git@host:owner/name.git, or an absolute path; only a project that follows images can do with an absolute compose.directory instead`,
		`13:5: projects.Api.webhook.provider: missing: it is never guessed from what a sender claims; write one of github, gitlab, gitea, forgejo, gogs, bitbucket-cloud, bitbucket-server, registry, docker-hub, generic`,
		`13:5: projects.Api.webhook.secret: missing, so anybody could deploy; give secret or secret_file the value that the sender has, or start with --insecure`,
	},
	"step-deadline":          {`8:30: projects.web.steps.pull.deadline: 0s is not between 1s and 24h: no step may run for ever; write a duration like 5m`},
	"step-grace":             {`8:20: projects.web.steps.grace: 1h0m0s is not between 100ms and 5m; write a duration like 10s`},
	"step-silence-default":   {`5:42: defaults.steps.build.silence: 2m0s is not shorter than the deadline (1m0s), so it means nothing; make it shorter, or remove it`},
	"step-silence":           {`8:44: projects.web.steps.build.silence: 1m0s is not shorter than the deadline (1m0s), so it means nothing; make it shorter, or remove it`},
	"store-driver":           {`1:17: store.driver: "mysql" is not a driver; write sqlite or postgres`},
	"store-dsn-sqlite":       {`1:30: store.dsn: has no meaning for driver sqlite; remove it, or set driver: postgres`},
	"store-dsn":              {`1:32: store.dsn: neither a postgres:// URL nor key=value pairs; write postgres://user:password@host:5432/seadog`},
	"store-no-dsn":           {`1:1: store.dsn: driver postgres needs one; write postgres://user:password@host:5432/seadog, or name a file with dsn_file`},
	"store-path-postgres":    {`1:62: store.path: has no meaning for driver postgres; remove it, or set driver: sqlite`},
	"syntax-secret":          {`7:15: not YAML: could not find end character of double-quoted text; check indentation, quotes and brackets here`},
	"syntax":                 {`2:1: not YAML: ',' or ']' must be specified; check indentation, quotes and brackets here`},
	"tabs":                   {`2:1: not YAML: found character '	' that cannot start any token; check indentation, quotes and brackets here`},
	"tag":                    {`1:7: node: anchors, aliases and tags are not supported; write the value out, or put what projects share under defaults`},
	"tls-no-cert":            {`1:1: tls.cert: missing beside tls.key; name the PEM file of the certificate and its chain`},
	"tls-no-key":             {`1:1: tls.key: missing beside tls.cert; name the PEM file of the certificate's key`},
	"tls-unusable":           {`1:13: tls.cert: cannot be used: tls: failed to find any PEM data in certificate input; name a PEM certificate and the key that belongs to it`},
	"token-block":            {`3:7: api.tokens[0]: has no token; give token, token_file or hash`},
	"token-hash-and-token":   {`3:39: api.tokens[0].hash: the token itself is given as well; keep one of the two`},
	"token-hash":             {`3:39: api.tokens[0].hash: not a SHA-256 hash; write sha256: and what this prints: printf %s TOKEN | sha256sum`},
	"token-name-taken":       {`4:14: api.tokens[1].name: ops is taken; give every token a name of its own: locks and deployments show it`},
	"token-name":             {`3:14: api.tokens[0].name: "" cannot name a token; use lower-case letters, digits, - and _, at most 63, beginning with a letter or digit`},
	"token-none":             {`3:7: api.tokens[0]: has no token; give token, token_file or hash`},
	"token-scope":            {`3:26: api.tokens[0].scope: "root" is not a scope; write read, deploy or admin`},
	"token-twice":            {`4:7: api.tokens[1]: the same token as ops; make a new one with: openssl rand -hex 32`},
	"token-weak":             {`3:40: api.tokens[0].token: has 7 bytes, fewer than 16; make a new one with: openssl rand -hex 32`},
	"tokens-none":            {`1:1: api.tokens: no token, so nobody could use the API; add one ({name: ops, scope: admin, token_file: secrets/token}), or start with --insecure`},
	"two-documents":          {`9:1: more than one YAML document; keep one document`},
	"unknown-key-far":        {`1:11: workers.machines: unknown key; the keys here are http, runners`},
	"unknown-key-secret":     {`7:59: projects.web.webhook.sekret: unknown key; did you mean secret?`},
	"unknown-key":            {`1:1: lisen: unknown key; did you mean listen?`},
	"value-for-list":         {`1:9: listen: must be a list, not a single value; write [a, b], or one "- …" per line`},
	"value-for-mapping":      {`1:10: workers: must be a mapping, not a single value; write "key: value" lines below it`},
	"variable-malformed":     {`1:7: node: ${ without the name of a variable and }; write ${NAME} or ${NAME:-default}, or $${ for a literal ${`},
	"variable-unclosed":      {`1:7: node: ${ without the name of a variable and }; write ${NAME} or ${NAME:-default}, or $${ for a literal ${`},
	"variable-unset":         {`1:7: node: environment variable NOT_SET is not set; set it for every process of the service, or write ${NOT_SET:-default}`},
	"webhook-secret-missing": {`7:5: projects.web.webhook.secret: missing, so anybody could deploy; give secret or secret_file the value that the sender has, or start with --insecure`},
	"workers":                {`1:17: workers.http: 0 is out of range; write a number from 1 to 20`},
}

func TestRefusedFilesAreRefusedInTheseWords(t *testing.T) {
	t.Parallel()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", "refused", name+".yml")
			_, err := config.Load(path, config.Options{Getenv: noEnvironment})
			var problems config.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("Load = %v, want Problems", err)
			}
			var got []string
			for _, p := range problems {
				text := strings.TrimPrefix(p.Error(), path+":")
				got = append(got, strings.ReplaceAll(text, dir, "DIR"))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestEveryRefusedFileIsInTheTable(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/refused/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, f := range files {
		got = append(got, strings.TrimSuffix(filepath.Base(f), ".yml"))
	}
	for name := range refused {
		want = append(want, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-table +files\n%s", diff)
	}
}

// TestNoProblemShowsASecret reads files whose secrets are all spelled with
// hunter2 or 0123456789abcdef, and looks at what is printed, source lines included.
func TestNoProblemShowsASecret(t *testing.T) {
	t.Parallel()
	for name := range refused {
		_, err := config.Load(filepath.Join("testdata", "refused", name+".yml"), config.Options{Getenv: noEnvironment})
		for _, sentinel := range []string{"hunter2", "0123456789abcde", "0123456789/abcdef"} {
			if strings.Contains(err.Error(), sentinel) {
				t.Errorf("%s shows %s:\n%s", name, sentinel, err)
			}
		}
	}
}

func noEnvironment(string) string { return "" }
