package target

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// mostCommits is how many commits GitHub names in one push.
const mostCommits = 2048

// pushes writes push events as GitHub sends them: the fields that their readers
// use, and what makes them as long as they are in the field. Immutable.
type pushes struct {
	ref      text
	commits  []string // that are pushed, oldest first; nil: random ones
	projects int
	repos    map[string]repository // by project
}

// repository is the part of a push that is the same in all pushes to it.
type repository struct {
	short, long string // its object, without and with the addresses of its API
	url         string
	commit      int // bytes of a commit
}

// routes are the addresses below a repository that every event names.
const routes = `archive assignees blobs branches collaborators comments commits compare contents contributors deployments
downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels languages merges
milestones notifications pulls releases stargazers statuses subscribers subscription tags teams trees`

func newPushes(r *loadtest.Request) (*pushes, error) {
	p := &pushes{commits: r.Body.Commits, projects: max(1, len(r.Projects)), repos: map[string]repository{}}
	name, err := parse(r.Body.Repository)
	if err != nil {
		return nil, fmt.Errorf("repository: %w", err)
	}
	if name.has(seq) || name.has(id) || name.has(random) || name.has(run) {
		return nil, fmt.Errorf("repository %q: of placeholders, it may hold {{project}} only", r.Body.Repository)
	}
	if p.ref, err = parse(r.Body.Ref); err != nil {
		return nil, fmt.Errorf("ref: %w", err)
	}
	if len(p.ref) == 0 {
		p.ref = text{{literal: "refs/heads/main"}}
	}
	if len(r.Projects) == 0 {
		p.repos[""], err = newRepository(string(name.fill(nil, &facts{})))
	}
	for _, of := range r.Projects {
		if err == nil {
			p.repos[of], err = newRepository(string(name.fill(nil, &facts{project: of})))
		}
	}
	if err == nil && strings.ContainsAny(r.Body.Ref, "\"\\\n") {
		err = fmt.Errorf("ref %q is none; write one like refs/heads/main", r.Body.Ref)
	}
	for _, c := range p.commits {
		if len(c) != 40 || strings.Trim(c, "0123456789abcdef") != "" {
			return nil, fmt.Errorf("commit %q is none; write 40 hex digits", cut(c))
		}
	}
	return p, err
}

func newRepository(full string) (repository, error) {
	owner, name, found := strings.Cut(full, "/")
	if !found || owner == "" || name == "" || strings.ContainsAny(full, "\"\\\n ") {
		return repository{}, fmt.Errorf("repository %q is none; write owner/name", cut(full))
	}
	at, url := "https://api.github.com/repos/"+full, "https://github.com/"+full
	begin := fmt.Sprintf(`{"id":186853002,"node_id":"MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=","name":%q,"full_name":%q,"private":true,`+
		`"owner":{"name":%q,"login":%q,"id":21031067,"type":"Organization","site_admin":false},"html_url":%q,"fork":false,"url":%q,`,
		name, full, owner, owner, url, url)
	end := fmt.Sprintf(`"created_at":1557933565,"pushed_at":1557933657,"clone_url":"%s.git","ssh_url":"git@github.com:%s.git",`+
		`"default_branch":"main","master_branch":"main"}`, url, full)
	var addresses strings.Builder
	for _, r := range strings.Fields(routes) {
		fmt.Fprintf(&addresses, `"%s_url":"%s/%s{/sha}",`, r, at, r)
	}
	r := repository{short: begin + end, long: begin + addresses.String() + end, url: url}
	r.commit = len(appendCommit(nil, url, &[40]byte{}, &[40]byte{}, 0))
	return r, nil
}

// commit returns the commit that request of pushes, "" for a random one. Each
// project gets the given ones in turn, and then the last one again.
func (p *pushes) commit(of uint64) string {
	if len(p.commits) == 0 {
		return ""
	}
	return p.commits[min(of/uint64(p.projects), uint64(len(p.commits)-1))]
}

// write appends a push of size bytes, or a little more where that is too small
// to hold one. Commits are fresh unless they are given.
func (p *pushes) write(b []byte, f *facts, size int) []byte {
	start, repo := len(b), p.repos[f.project]
	var before, after, tree [40]byte
	fresh(&before, f.draw)
	fresh(&after, f.draw)
	fresh(&tree, f.draw)
	copy(after[:], p.commit(f.seq))

	b = append(p.ref.fill(append(b, `{"ref":"`...), f), `","before":"`...)
	b = append(append(append(b, before[:]...), `","after":"`...), after[:]...)
	b = append(b, `","created":false,"deleted":false,"forced":false,"base_ref":null,"compare":"`...)
	b = append(append(append(append(b, repo.url...), "/compare/"...), before[:12]...), "..."...)
	b = append(append(b, after[:12]...), `","pusher":{"name":"ana","email":"ana@example.org"},"sender":{"login":"ana","id":21031067,"type":"User"},"repository":`...)

	const frame = len(`,"commits":[],"head_commit":}`)
	left := size - (len(b) - start) - frame - 2*repo.commit
	if left >= len(repo.long) {
		b, left = append(b, repo.long...), left-len(repo.long)
	} else {
		b, left = append(b, repo.short...), left-len(repo.short)
	}
	b = append(b, `,"commits":[`...)
	var older [40]byte
	for n := 1; n < mostCommits && left > repo.commit; n++ {
		fresh(&older, f.draw)
		b = append(appendCommit(b, repo.url, &older, &tree, 0), ',')
		left -= repo.commit + 1
	}
	b = appendCommit(b, repo.url, &after, &tree, 0)
	b = append(b, `],"head_commit":`...)
	b = appendCommit(b, repo.url, &after, &tree, left)
	return append(b, '}')
}

const (
	commitMiddle = `","distinct":true,"message":"Make it faster, and a little simpler","timestamp":"2026-05-15T15:20:57Z","url":"`
	commitEnd    = `","author":{"name":"Ana Nym","email":"ana@example.org","username":"ana"},` +
		`"committer":{"name":"Ana Nym","email":"ana@example.org","username":"ana"},"added":[],"removed":[],"modified":["cmd/shop/main.go`
	fileBreak = `","`
	fileName  = "internal/shop/basket/discount_of_the_week.go"
)

// appendCommit appends a commit, longer by more bytes if more is positive:
// further files were modified, and what is too short for another one lengthens
// a name.
func appendCommit(b []byte, url string, id, tree *[40]byte, more int) []byte {
	b = append(append(append(append(b, `{"id":"`...), id[:]...), `","tree_id":"`...), tree[:]...)
	b = append(append(append(append(b, commitMiddle...), url...), "/commit/"...), id[:]...)
	b = append(b, commitEnd...)
	const file = len(fileBreak) + len(fileName)
	for ; more > 0 && more%file > 0; more-- {
		b = append(b, 'o')
	}
	for ; more > 0; more -= file {
		b = append(append(b, fileBreak...), fileName...)
	}
	return append(b, `"]}`...)
}

func fresh(h *[40]byte, draw *rand.PCG) { appendHex(h[:0], draw, len(h)) }
