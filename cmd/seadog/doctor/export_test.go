package doctor

import (
	"context"
	"net/netip"
	"time"
)

// Hang runs one probe that never returns before release is closed, and one that does.
func Hang(ctx context.Context, patience time.Duration, release <-chan struct{}) []Finding {
	return runAll(ctx, Config{Patience: patience}, []probe{
		{"hangs", func(context.Context, Config) []Finding { <-release; return nil }},
		{"answers", func(context.Context, Config) []Finding { return []Finding{{"answers", OK, "", ""}} }},
	})
}

// Only runs a single probe of those for Everything.
func Only(ctx context.Context, name string, c Config) []Finding {
	c.Everything = true
	c.Patience = defaultPatience
	for _, p := range probesFor(&c) {
		if p.name == name {
			return runAll(ctx, c, []probe{p})
		}
	}
	return nil
}

var (
	JudgeSpace = judgeSpace
	JudgeClock = judgeClock
	PidsLeft   = pidsLeft
)

// ParseListeners returns address and inode of every listener in text.
func ParseListeners(text []byte) (addresses []netip.AddrPort, inodes []string) {
	for _, l := range parseListeners(text) {
		addresses, inodes = append(addresses, l.address), append(inodes, l.inode)
	}
	return addresses, inodes
}

// ParseVersion returns "" for what holds no version.
func ParseVersion(text string) string {
	if v, ok := parseVersion(text); ok {
		return v.String()
	}
	return ""
}

// Status is what a first line of a response is taken for.
func Status(bytes []byte) int { return reply{bytes: bytes}.status() }
