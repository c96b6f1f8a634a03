package webhook_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/webhook"
)

var (
	commitA = strings.Repeat("a", 40)
	commitB = strings.Repeat("b", 40)
)

func generic(t *testing.T, body string) deployer.Push {
	t.Helper()
	e, err := webhook.Parse(deployer.Generic, request(header(), body))
	if err != nil {
		t.Fatal(err)
	}
	return e.Pushes[0]
}

func github(t *testing.T, body string) deployer.Push {
	t.Helper()
	e, err := webhook.Parse(deployer.GitHub, request(header("X-GitHub-Event", "push"), body))
	if err != nil {
		t.Fatal(err)
	}
	return e.Pushes[0]
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	git := header("X-GitHub-Event", "push", "X-Gitlab-Event", "Push Hook", "X-Gitea-Event", "push", "X-Forgejo-Event", "push",
		"X-Gogs-Event", "push", "X-Event-Key", "repo:push")
	server := header("X-Event-Key", "repo:refs_changed")
	for _, test := range []struct {
		provider deployer.Provider
		headers  headers
		body     string
		message  string
	}{
		{deployer.GitHub, header(), `{}`, "the header X-GitHub-Event is missing"},
		{deployer.GitLab, header(), `{}`, "the header X-Gitlab-Event is missing"},
		{deployer.Gitea, header("X-GitHub-Event", "push"), `{}`, "the header X-Gitea-Event is missing"},
		{deployer.Forgejo, header(), `{}`, "the header X-Forgejo-Event is missing"},
		{deployer.Gogs, header(), `{}`, "the header X-Gogs-Event is missing"},
		{deployer.BitbucketCloud, header(), `{}`, "the header X-Event-Key is missing"},
		{deployer.BitbucketServer, header(), `{}`, "the header X-Event-Key is missing"},
		{deployer.GitHub, git, ``, "the body is not a JSON object"},
		{deployer.GitHub, git, `[]`, "the body is not a JSON object"},
		{deployer.GitHub, git, `null`, "the body is not a JSON object"},
		{deployer.GitHub, git, `{"ref":`, "the body is not valid JSON: byte 7: it ends too early"},
		{deployer.GitHub, git, `{} {}`, "the body is not valid JSON: byte 3: something follows the JSON object"},
		{deployer.GitHub, git, `{}`, "the field ref is missing"},
		{deployer.GitHub, git, `{"ref":"main","after":"` + commitA + `"}`, "the field ref is not a full name"},
		{deployer.GitHub, git, `{"ref":"refs/heads/main"}`, "the field after is missing"},
		{deployer.GitHub, git, `{"ref":1}`, "the field ref must be a string"},
		{deployer.GitHub, git, `{"forced":"no"}`, "the field forced must be true or false"},
		{deployer.GitHub, git, `{"commits":{}}`, "the field commits must be a list"},
		{deployer.GitHub, git, `{"commits":[[]]}`, "the field commits must be an object"},
		{deployer.GitHub, git, `{"head_commit":{"author":{"name":[]}}}`, "the field head_commit.author.name must be a string"},
		{deployer.Gitea, git, `{"total_commits":1.5}`, "the field total_commits must be a whole number"},
		{deployer.Gitea, git, `{"total_commits":"1"}`, "the field total_commits must be a number"},
		{deployer.GitLab, git, `{}`, "the field object_kind is missing"},
		{deployer.GitLab, git, `{"object_kind":"push"}`, "the field ref is missing"},
		{deployer.GitLab, git, `{"object_kind":"push"`, "the body is not valid JSON: byte 21: a comma or closing bracket is missing"},
		{deployer.BitbucketCloud, git, `{}`, "the field push is missing"},
		{deployer.BitbucketCloud, git, `{"push":[]}`, "the field push must be an object"},
		{deployer.BitbucketServer, server, `{}`, "the field changes is missing"},
		{deployer.BitbucketServer, server, `{"changes":[{}]}`, "the field changes must name refId, fromHash and toHash of every ref"},
		{deployer.BitbucketServer, server, `{"changes":1}`, "the field changes must be a list"},
		{deployer.Registry, header(), `{}`, "the field events is missing"},
		{deployer.Registry, header(), `{"events":[{"target":{"tag":7}}]}`, "the field events.target.tag must be a string"},
		{deployer.DockerHub, header(), `{"push_data":{"tag":"1"}}`, "the field repository.repo_name is missing"},
		{deployer.DockerHub, header(), `{"repository":{"repo_name":"a"}}`, "the field push_data.tag is missing"},
		{deployer.DockerHub, header(), `x`, "the body is not a JSON object"},
		{deployer.Generic, header(), `{}`, "the field ref is missing"},
		{deployer.Generic, header(), `{"ref":"refs/heads/main","after":"main"}`, "the field after is not a commit"},
		{deployer.Generic, header(), `{"ref":"refs/heads/main","after":"` + strings.ToUpper(commitA) + `"}`, "the field after is not a commit"},
		{deployer.Generic, header(), `{"image":"a"}`, "the field tag is missing"},
		{deployer.Generic, header(), `{"image":"a","tag":"1","ref":"refs/heads/main"}`, "the fields ref and image exclude each other"},
		{deployer.Generic, header(), `{"image":"refs/heads/main","tag":"1"}`, "the field image is not the name of an image"},
		{deployer.Generic, header(), `{"id":42}`, "the field id must be a string"},
		{deployer.Generic, header(), `{"` + strings.Repeat("k", 500) + `":nul}`, "the body is not valid JSON: byte 504: not a JSON value"},
		{"sourceforge", header(), `{}`, `the provider "sourceforge" is not known`},
	} {
		_, err := webhook.Parse(test.provider, request(test.headers, test.body))
		var e *deployer.Error
		if !errors.As(err, &e) {
			t.Errorf("%s, %.60s: got %v, want a deployer.Error", test.provider, test.body, err)
			continue
		}
		if e.Code != deployer.CodeInvalid || e.Message != test.message {
			t.Errorf("%s, %.60s:\n got %s %q\nwant %s %q", test.provider, test.body, e.Code, e.Message, deployer.CodeInvalid, test.message)
		}
	}
}

// Deliveries that deploy nothing are not read at all.
func TestParseIgnoresBodiesOfOtherEvents(t *testing.T) {
	t.Parallel()
	for p, name := range map[deployer.Provider]string{
		deployer.GitHub: "X-GitHub-Event", deployer.GitLab: "X-Gitlab-Event", deployer.Gitea: "X-Gitea-Event",
		deployer.Forgejo: "X-Forgejo-Event", deployer.Gogs: "X-Gogs-Event",
		deployer.BitbucketCloud: "X-Event-Key", deployer.BitbucketServer: "X-Event-Key",
	} {
		e, err := webhook.Parse(p, request(header(name, "something new"), "not even JSON"))
		if err != nil || e.Kind != deployer.EventOther || e.Name != "something new" || len(e.Pushes) != 0 {
			t.Errorf("%s: got %+v, %v", p, e, err)
		}
	}
}

func TestParseNeverTurnsAHostileRefIntoAnother(t *testing.T) {
	t.Parallel()
	long := "refs/heads/main" + strings.Repeat("/x", 5_000)
	for _, ref := range []string{
		long, long[:513], `refs/heads/main\u0000`, `refs/heads/ma\u0000in`, `refs/heads/main\u001b[2J`, "refs/heads/main\xff", "refs/heads/\xed\xa0\x80",
		`refs/heads/\ud800`, `refs/heads/main\n`, `refs/heads/--upload-pack=touch /tmp/x`, `refs/heads/-o`, `refs/heads/../main`, `refs/heads/main.lock`,
	} {
		p := generic(t, `{"ref":"`+ref+`","after":"`+commitA+`"}`)
		if ok, _ := everything.Wants(p); ok {
			t.Errorf("%.40q becomes %.40q, which is wanted", ref, p.Ref)
		}
		if len(p.Ref) > 512 || !utf8.ValidString(p.Ref) || strings.ContainsRune(p.Ref, 0) {
			t.Errorf("%.40q: the ref that is kept is %q", ref, p.Ref)
		}
	}
	p := github(t, `{"ref":"refs/heads/main","after":"`+commitA+strings.Repeat("0", 100)+`"}`)
	if deployer.ValidCommit(p.After) {
		t.Errorf("a commit that is too long was cut to %q", p.After)
	}
}

func TestParseBoundsAndCleansText(t *testing.T) {
	t.Parallel()
	body := `{"ref":"refs/heads/main","before":"` + commitB + `","after":"` + commitA + `","message":"` +
		strings.Repeat("é", 1<<20) + `","repository":"` + strings.Repeat("r", 10_000) + `","id":"` + strings.Repeat("i", 10_000) + `"}`
	e, err := webhook.Parse(deployer.Generic, request(header(), body))
	if err != nil {
		t.Fatal(err)
	}
	p := e.Pushes[0]
	if len(p.Message) > 200 || len(p.Message) < 190 || !utf8.ValidString(p.Message) {
		t.Errorf("message of %d bytes: %q", len(p.Message), p.Message)
	}
	if len(p.Repository) != 512 || len(e.ID) > 200 {
		t.Errorf("repository of %d bytes, id of %d", len(p.Repository), len(e.ID))
	}
	if got := generic(t, `{"ref":"refs/heads/main","after":"`+commitA+`","message":"a\u0000b\u001bc\td\u0085`+"\xff"+`"}`).Message; got != "a\ufffdb\ufffdc\td\ufffd\ufffd" {
		t.Errorf("cleaned message is %q", got)
	}
	h := header("X-GitHub-Event", strings.Repeat("e", 1_000)+"\x00", "X-GitHub-Delivery", "a\x00b")
	e, err = webhook.Parse(deployer.GitHub, request(h, ""))
	if err != nil || len(e.Name) != 100 || !strings.HasPrefix(e.ID, "sha256:") {
		t.Errorf("got name of %d bytes, id %q, %v", len(e.Name), e.ID, err)
	}
}

func TestDeliveryIDsThatAreTooLongStayDifferent(t *testing.T) {
	t.Parallel()
	id := func(id string) string {
		e, err := webhook.Parse(deployer.Generic, request(header(), `{"ref":"refs/heads/main","after":"`+commitA+`","id":"`+id+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		return e.ID
	}
	for n, kept := range map[int]bool{1: true, 200: true, 201: false} {
		if given := strings.Repeat("i", n); (id(given) == given) != kept {
			t.Errorf("an id of %d bytes is kept as %q", n, id(given))
		}
	}
	long := strings.Repeat("x", 5_000)
	if a, b := id(long+"1"), id(long+"2"); a == b || len(a) > 200 {
		t.Errorf("ids of two deliveries: %q and %q", a, b)
	}
	if first, again := id(long), id(long); first != again {
		t.Errorf("the id of one delivery changes from %q to %q", first, again)
	}
}

// What is not signed must not stand in for what is: a replay with another
// header would otherwise be another delivery.
func TestGenericDeliveryIDsComeFromWhatIsSigned(t *testing.T) {
	t.Parallel()
	push := `{"ref":"refs/heads/main","after":"` + commitA + `"`
	for _, test := range []struct {
		fact string
		h    headers
		body string
		want string
	}{
		{"the body, against headers", header("webhook-id", "h", "Idempotency-Key", "k"), push + `,"id":"b"}`, "b"},
		{"the id of a signature, against the body", header("webhook-id", "h", "webhook-signature", "v1,x"), push + `,"id":"b"}`, "h"},
		{"headers, if there is nothing else", header("webhook-id", "h", "Idempotency-Key", "k"), push + `}`, "k"},
		{"the other header", header("webhook-id", "h"), push + `}`, "h"},
		{"nothing", header(), push + `,"id":null}`, ""},
	} {
		if e, err := webhook.Parse(deployer.Generic, request(test.h, test.body)); err != nil || e.ID != test.want {
			t.Errorf("%s: got %q, %v; want %q", test.fact, e.ID, err, test.want)
		}
	}
}

// push returns a push to GitHub of one commit with the given members.
func push(members, commit string) string {
	return fmt.Sprintf(`{"ref":"refs/heads/main","before":%q,"after":%q,%s"commits":[%s]}`, commitB, commitA, members, commit)
}

func TestPathsAreCompleteOnlyIfThatIsCertain(t *testing.T) {
	t.Parallel()
	commit := `{"id":"` + commitA + `","added":["a"],"removed":["r"],"modified":["m","a"]}`
	many := func(n int) string {
		return `{"id":"` + commitA + `","added":[` + strings.Repeat(`"x",`, n-1) + `"x"],"removed":[],"modified":[]}`
	}
	for _, test := range []struct {
		fact string
		body string
		want bool
	}{
		{"one listed commit", push("", commit), true},
		{"forced", push(`"forced":true,`, commit), false},
		{"created", push(`"created":true,`, commit), false},
		{"created, by its zeros", strings.Replace(push("", commit), commitB, strings.Repeat("0", 40), 1), false},
		{"a tag", strings.Replace(push("", commit), "heads", "tags", 1), false},
		{"no commits", push("", ""), false},
		{"no commits at all", `{"ref":"refs/heads/main","before":"` + commitB + `","after":"` + commitA + `"}`, false},
		{"null commits", `{"ref":"refs/heads/main","before":"` + commitB + `","after":"` + commitA + `","commits":null}`, false},
		{"the list ends elsewhere", push("", strings.ReplaceAll(commit, commitA, commitB)), false},
		{"a list is missing", push("", `{"id":"`+commitA+`","added":["a"],"removed":[]}`), false},
		{"a list is null", push("", `{"id":"`+commitA+`","added":["a"],"removed":[],"modified":null}`), false},
		{"an earlier commit lacks lists", push("", `{"id":"`+commitB+`"},`+commit), false},
		{"2,047 commits", push("", strings.Repeat(commit+",", 2_046)+commit), true},
		{"2,048 commits", push("", strings.Repeat(commit+",", 2_047)+commit), false},
		{"2,999 files of a commit", push("", many(2_999)), true},
		{"3,000 files of a commit", push("", many(3_000)), false},
		{"10,000 files", push("", strings.Repeat(many(2_000)+",", 4)+many(2_000)), true},
		{"10,001 files", push("", strings.Repeat(many(2_000)+",", 4)+many(2_001)), false},
		{"a path that is not text", push("", strings.Replace(commit, `"a"`, "\"\xff\"", 1)), false},
		{"a path that is too long", push("", strings.Replace(commit, `"a"`, `"`+strings.Repeat("p", 4_097)+`"`, 1)), false},
	} {
		p := github(t, test.body)
		if p.Complete != test.want || !p.Complete && p.Paths != nil {
			t.Errorf("%s: complete is %v with %d paths, want %v", test.fact, p.Complete, len(p.Paths), test.want)
		}
	}
	if p := github(t, push("", commit)); strings.Join(p.Paths, " ") != "a m r" {
		t.Errorf("paths are %q, want a, m and r once each", p.Paths)
	}
}

func TestParseKeepsAThousandPushesAtMost(t *testing.T) {
	t.Parallel()
	change := `{"old":null,"new":{"type":"branch","name":"b","target":{"hash":"` + commitA + `"}}}`
	ref := `{"refId":"refs/heads/b","fromHash":"` + commitA + `","toHash":"` + commitB + `","type":"UPDATE"}`
	event := `{"id":"1","action":"push","target":{"mediaType":"application/vnd.oci.image.manifest.v1+json","repository":"a","tag":"1"}}`
	list := func(before, element, after string) string {
		return before + strings.Repeat(element+",", 1_500) + element + after
	}
	for p, r := range map[deployer.Provider]webhook.Request{
		deployer.BitbucketCloud:  request(header("X-Event-Key", "repo:push"), list(`{"push":{"changes":[`, change, `]}}`)),
		deployer.BitbucketServer: request(header("X-Event-Key", "repo:refs_changed"), list(`{"changes":[`, ref, `]}`)),
		deployer.Registry:        request(header(), list(`{"events":[`, event, `]}`)),
	} {
		if e, err := webhook.Parse(p, r); err != nil || len(e.Pushes) != 1_000 {
			t.Errorf("%s: %d pushes, %v", p, len(e.Pushes), err)
		}
	}
}

func TestParseOfHostileBodiesStaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 25 MiB several times")
	}
	const size = 25 << 20
	fill := func(before, element, after string) string {
		return before + strings.Repeat(element+",", size/(len(element)+1)) + element + after
	}
	head := `"ref":"refs/heads/main","before":"` + commitB + `","after":"` + commitA + `"`
	for name, body := range map[string]string{
		"empty commits":              fill(`{`+head+`,"commits":[`, `{}`, `]}`),
		"one file each":              fill(`{`+head+`,"commits":[`, `{"added":["x"],"removed":[],"modified":[]}`, `]}`),
		"one commit with many files": fill(`{`+head+`,"commits":[{"removed":[],"modified":[],"added":[`, `"x"`, `]}]}`),
		"one long message":           `{` + head + `,"head_commit":{"message":"` + strings.Repeat(`\u00e9`, size/6) + `"}}`,
		"many keys":                  fill(`{`+head+`,`, `"k":1`, `}`),
		"escaped keys":               fill(`{`+head+`,`, `"\u0041\u0042":1`, `}`),
		"deep arrays":                `{` + head + `,"x":` + strings.Repeat("[", size) + `}`,
		"deep objects":               `{` + head + `,"x":` + strings.Repeat(`{"a":`, size/5) + `}`,
		"deep commits":               `{` + head + `,"commits":` + strings.Repeat("[", size) + `}`,
		"no end":                     `{` + head + `,"x":"` + strings.Repeat("x", size),
	} {
		r := request(header("X-GitHub-Event", "push"), body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := webhook.Parse(deployer.GitHub, r)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > size/4 && name != "escaped keys" {
			t.Errorf("%s: reading %d bytes allocated %d", name, len(body), used)
		}
		if err != nil && deployer.CodeOf(err) != deployer.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEventsDoNotAliasTheBody(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		r := s.request()
		event, err := webhook.Parse(s.provider, r)
		if err != nil {
			t.Fatal(err)
		}
		before := fmt.Sprintf("%+v", event)
		for i := range r.Body {
			r.Body[i] = 'X'
		}
		if after := fmt.Sprintf("%+v", event); after != before {
			t.Errorf("%s/%s changed with the body:\n%s\n%s", s.provider, s.name, before, after)
		}
	}
}
