package webhooks

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// push is the part of GitHub's push event that its readers use, at the length
// that it has in the field: most of it is addresses.
type push struct {
	Ref        string         `json:"ref"`
	Before     string         `json:"before"`
	After      string         `json:"after"`
	Repository map[string]any `json:"repository"`
	Pusher     person         `json:"pusher"`
	Sender     map[string]any `json:"sender"`
	Created    bool           `json:"created"`
	Deleted    bool           `json:"deleted"`
	Forced     bool           `json:"forced"`
	BaseRef    *string        `json:"base_ref"`
	Compare    string         `json:"compare"`
	Commits    []commit       `json:"commits"`
	HeadCommit commit         `json:"head_commit"`
}

type person struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Username string `json:"username,omitempty"`
}

type commit struct {
	ID        string   `json:"id"`
	TreeID    string   `json:"tree_id"`
	Distinct  bool     `json:"distinct"`
	Message   string   `json:"message"`
	Timestamp string   `json:"timestamp"`
	URL       string   `json:"url"`
	Author    person   `json:"author"`
	Committer person   `json:"committer"`
	Added     []string `json:"added"`
	Removed   []string `json:"removed"`
	Modified  []string `json:"modified"`
}

// addresses are the routes below a repository that every event names.
var addresses = strings.Fields(`keys collaborators teams hooks issue_events events assignees branches tags blobs git_tags
git_refs trees statuses languages stargazers contributors subscribers subscription commits git_commits comments
issue_comment contents compare merges archive downloads issues pulls milestones notifications labels releases deployments`)

// pushBody returns a push of a random commit to the main branch of repository,
// of size bytes, or a little more where that is too small to hold one.
func pushBody(repository string, size int) ([]byte, error) {
	at := "https://api.github.com/repos/" + repository
	owner, name, _ := strings.Cut(repository, "/")
	repo := map[string]any{
		"id": 186853002, "node_id": "MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=", "name": name, "full_name": repository, "private": true,
		"owner": map[string]any{"name": owner, "login": owner, "id": 21031067, "type": "Organization", "site_admin": false}, "fork": false,
		"url": "https://github.com/" + repository, "clone_url": "https://github.com/" + repository + ".git",
		"created_at": 1557933565, "pushed_at": 1557933657, "default_branch": "main", "master_branch": "main", "archived": false, "open_issues": 2,
	}
	for _, a := range addresses {
		repo[a+"_url"] = at + "/" + a + "{/sha}"
	}
	somebody := person{Name: "Ana Nym", Email: "ana@example.org", Username: "ana"}
	head := commit{
		ID: hash(), TreeID: hash(), Distinct: true, Message: "Make it faster\n\nand a little simpler", Timestamp: "2026-05-15T15:20:57Z",
		Author: somebody, Committer: somebody, Added: []string{}, Removed: []string{}, Modified: []string{"cmd/shop/main.go"},
	}
	head.URL = "https://github.com/" + repository + "/commit/" + head.ID
	p := push{
		Ref: "refs/heads/main", Before: hash(), After: head.ID, Repository: repo, Pusher: somebody,
		Sender:  map[string]any{"login": "ana", "id": 21031067, "type": "User", "url": "https://api.github.com/users/ana"},
		Compare: "https://github.com/" + repository + "/compare/x...y", Commits: []commit{head}, HeadCommit: head,
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode push: %w", err)
	}
	if missing := size - len(body) - len(`,""`); missing > 0 {
		p.HeadCommit.Modified = append(p.HeadCommit.Modified, strings.Repeat("x", missing))
		body, err = json.Marshal(p)
	}
	return body, err
}

func hash() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// delivery is one request as it goes over the wire, but for its delivery id.
type delivery struct {
	wire []byte
	id   int // where the delivery id stands in wire
}

// idLength is that of a UUID.
const idLength = 36

func newDelivery(host, hook, secret string, size int) (delivery, error) {
	body, err := pushBody("acme/"+hook, size)
	if err != nil {
		return delivery{}, err
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /hooks/%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: GitHub-Hookshot/044aadd\r\nAccept: */*\r\n", hook, host)
	fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\nX-GitHub-Event: push\r\nX-GitHub-Hook-ID: 292430182\r\n", len(body))
	fmt.Fprintf(&b, "X-Hub-Signature-256: sha256=%x\r\nX-GitHub-Delivery: ", mac.Sum(nil))
	d := delivery{id: b.Len()}
	b.WriteString(strings.Repeat("0", idLength) + "\r\n\r\n")
	b.Write(body)
	d.wire = b.Bytes()
	return d, nil
}

// stamp writes the n-th delivery id of a run into id. The run's own part comes first.
func stamp(id []byte, run [12]byte, n uint64) {
	const digits = "0123456789abcdef"
	hex.Encode(id, run[:])
	copy(id[24:], "000000000000")
	for i := idLength - 1; n > 0 && i >= 24; i-- {
		id[i] = digits[n&15]
		n >>= 4
	}
	// 8-4-4-4-12: the dashes take the place of digits that tell nothing apart.
	id[8], id[13], id[18], id[23] = '-', '-', '-', '-'
}
