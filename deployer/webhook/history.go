package webhook

import (
	"slices"
	"time"

	"github.com/seadog/seadog/deployer"
)

// commit is what a payload says about one commit.
type commit struct {
	id      string
	message string
	author  string
	time    time.Time
}

// history is a payload's list of commits: what they changed, and the two of
// them that can be the newest, for forges list in either direction.
type history struct {
	count       int
	paths       []string
	vague       bool // some file may not be named in paths
	first, last span
}

// span is where in the document a listed commit is, and its id.
type span struct {
	id         string
	start, end int
}

// commit reads the commit object at hand.
func (c *cursor) commit() commit {
	var m commit
	for key := range c.members() {
		switch string(key) {
		case "id":
			m.id = c.name(maxCommit)
		case "message":
			m.message = c.text(maxMessage)
		case "timestamp":
			m.time = c.time()
		case "author":
			m.author = c.member(maxAuthor, "name", "username")
		}
	}
	return m
}

// commits reads the list of commits at hand. limit is how many files the forge
// names per commit at most, 0 if it names them all.
func (c *cursor) commits(limit int) history {
	var h history
	for i := range c.elements() {
		at := span{start: c.pos}
		lists, files := 0, 0
		for key := range c.members() {
			switch string(key) {
			case "id":
				at.id = c.name(maxCommit)
			case "added", "modified", "removed":
				if c.peek() != 'n' { // null is no list
					lists++
					files += c.files(&h)
				}
			}
		}
		h.vague = h.vague || lists != 3 || limit > 0 && files >= limit
		at.end = c.pos
		if h.last = at; i == 0 {
			h.first = at
		}
		h.count++
	}
	return h
}

// files adds the list of files at hand to h and returns their number.
func (c *cursor) files(h *history) int {
	n := 0
	for range c.elements() {
		n++
		if len(h.paths) == maxPaths {
			h.vague = true
		}
		if h.vague {
			continue // nobody will ask for the others
		}
		path, whole := clean(c.prefix(maxPath), maxPath)
		h.paths = append(h.paths, path)
		h.vague = !whole
	}
	return n
}

// find returns the commit named id if it is the first or last that is listed.
func (h history) find(data []byte, id string) (commit, bool) {
	for _, at := range []span{h.last, h.first} {
		if id != "" && at.id == id {
			return open(data[at.start:at.end]).commit(), true
		}
	}
	return commit{}, false
}

// describe sets what p says about its newest commit.
func describe(p *deployer.Push, head commit) {
	p.Message = deployer.ShortMessage(head.message)
	p.Author = head.author
	p.Time = head.time
}

// cover sets the changed files of p from h. They are complete only if the push
// moved an existing branch forward and the list, whose length is known to be
// the number of commits pushed, leads up to the new commit.
func cover(p *deployer.Push, h history, listed bool) {
	_, branch := p.Branch()
	reaches := p.After != "" && (h.last.id == p.After || h.first.id == p.After)
	if !branch || p.Created || p.Deleted || p.Forced || h.vague || !listed || !reaches {
		return
	}
	slices.Sort(h.paths)
	p.Paths, p.Complete = slices.Compact(h.paths), true
}
