package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/watchdog/stackdump"
)

const (
	dumpTimeout = 30 * time.Second // of a URL: a profile stops the world once per doubling of its buffer
	dumpBytes   = 256 << 20        // of any source; the runtime's profile stops at 64 MiB

	shownLocks   = 5
	shownNames   = 8 // waiters of a lock that are named
	shownHolders = 2
	shownRows    = 15
)

func newDumpCommand(e *env) *cobra.Command {
	var asJSON bool
	var pid int
	cmd := &cobra.Command{
		Use:   "dump [FILE|URL|PID|-]",
		Short: "Say what the goroutines of a Go program wait for",
		Long: `Reads a goroutine dump and says what is stuck: the verdict first, then the locks
that somebody waits for and who may hold them, then the largest groups of
goroutines. It reads what runtime.Stack, /debug/pprof/goroutine (debug=1 or 2),
SIGQUIT or a panic print, from a file, from stdin (-), or from a pprof URL.

  seadog dump crash.log
  seadog dump http://127.0.0.1:6060/debug/pprof/goroutine
  seadog dump 4711
  seadog dump --kill 4711

A process under the watchdog (master, HTTP worker, runner, admin; of "serve",
"lab", or any program that uses watchdog/service) is asked by its pid and goes on;
root may, and its own user. It refuses while a thread computes without a pause:
the dump could be its end.

Any other process has to be ended for it. --kill sends SIGQUIT: the process prints
its goroutines on its stderr and ends.`,
		Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			source := strings.Join(args, "")
			if cmd.Flags().Changed("kill") {
				if source != "" {
					return deployer.Errorf(deployer.CodeInvalid, "--kill takes the dump of a process, %q is another source", source)
				}
				return killForDump(cmd.Context(), e, pid, asJSON)
			}
			if pid, ok := processNamed(source); ok {
				return askForDump(cmd.Context(), e, pid, asJSON)
			}
			r, err := openDump(cmd.Context(), e, source)
			if err != nil {
				return err
			}
			defer r.Close()
			return printDump(e, r, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVar(&pid, "kill", 0, "end the process with this `pid` by SIGQUIT, and read its dump where that is possible")
	return cmd
}

// openDump opens what the argument names.
func openDump(ctx context.Context, e *env, source string) (io.ReadCloser, error) {
	switch {
	case source == "" || source == "-":
		return io.NopCloser(e.Stdin), nil
	case strings.HasPrefix(source, "http://"), strings.HasPrefix(source, "https://"):
		return fetchDump(ctx, source)
	}
	file, err := os.Open(source)
	if errors.Is(err, os.ErrNotExist) {
		return nil, deployer.Errorf(deployer.CodeNotFound, "there is no file %s", source)
	}
	if err != nil {
		return nil, fmt.Errorf("open dump: %w", err)
	}
	return file, nil
}

// fetchDump gets a goroutine profile, as text even if the URL does not ask for that.
func fetchDump(ctx context.Context, source string) (io.ReadCloser, error) {
	u, err := url.Parse(source)
	if err != nil {
		return nil, deployer.Errorf(deployer.CodeInvalid, "%q is no URL", source)
	}
	if q := u.Query(); q.Get("debug") == "" {
		q.Set("debug", "2")
		u.RawQuery = q.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	answer, err := (&http.Client{Timeout: dumpTimeout}).Do(request)
	if err != nil {
		return nil, &exitError{Code: exitUnreachable, Err: fmt.Errorf("get dump: %w", err)}
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, &exitError{Code: exitUnreachable, Err: fmt.Errorf("%s answers %s", u.Redacted(), answer.Status)}
	}
	return answer.Body, nil
}

// printDump reads a dump and prints what it says.
func printDump(e *env, r io.Reader, asJSON bool) error {
	page, err := readDump(r)
	if err != nil {
		return err
	}
	return page.show(e, asJSON)
}

func readDump(r io.Reader) (*dumpPage, error) {
	limited := &io.LimitedReader{R: r, N: dumpBytes}
	d, err := stackdump.Parse(limited, 0)
	if err != nil && d.Total() == 0 {
		return nil, &exitError{Code: exitFailed, Err: err}
	}
	if err == nil && limited.N == 0 {
		err = fmt.Errorf("only the first %d MiB were read", dumpBytes>>20)
	}
	if d.Total() == 0 {
		return nil, &exitError{Code: exitFailed, Err: errors.New("no goroutine in it: a dump is what runtime.Stack, SIGQUIT or /debug/pprof/goroutine?debug=2 print")}
	}
	page := newDumpPage(d)
	if err != nil { // half a dump is better than none
		page.Incomplete = err.Error()
	}
	return page, nil
}

func (p *dumpPage) show(e *env, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(e.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(p)
	}
	return p.print(terminalOf(e, e.Stdout))
}

// dumpPage is what is said about a dump.
type dumpPage struct {
	Verdict    string      `json:"verdict"`
	Process    *dumpOrigin `json:"process,omitempty"` // that was asked
	Reason     string      `json:"reason,omitempty"`
	Incomplete string      `json:"incomplete,omitempty"`
	Goroutines int         `json:"goroutines"`
	Locks      []dumpLock  `json:"locks"`
	Groups     []dumpGroup `json:"groups"`
	Runtime    int         `json:"runtime"`
	Dropped    int         `json:"dropped,omitempty"`
	Problems   int         `json:"problems,omitempty"`
	First      string      `json:"first_problem,omitempty"`
}

type dumpLock struct {
	Kind    stackdump.Kind  `json:"kind"`
	Address stackdump.Addr  `json:"address,omitempty"`
	Waiting int             `json:"waiting"`
	Waiters []dumpGoroutine `json:"waiters"`
	Holders []dumpGoroutine `json:"may_be_held_by,omitempty"`
}

type dumpGoroutine struct {
	ID     int64             `json:"id,omitempty"`
	At     string            `json:"at"`
	Labels map[string]string `json:"labels,omitempty"`
	Why    string            `json:"why,omitempty"`
}

type dumpGroup struct {
	Count   int    `json:"count"`
	State   string `json:"state,omitempty"`
	At      string `json:"at"`
	Creator string `json:"started_in,omitempty"`
	Minutes int    `json:"minutes,omitempty"`
}

func newDumpPage(d *stackdump.Dump) *dumpPage {
	locks, groups := stackdump.Locks(d), stackdump.Groups(d)
	p := &dumpPage{
		Verdict: stackdump.Verdict(locks, groups), Goroutines: d.Total(), Dropped: d.Dropped,
		Locks: []dumpLock{}, Groups: []dumpGroup{}, Problems: len(d.Problems) + d.MoreProblems,
	}
	if !strings.HasPrefix(d.Reason, "SIGQUIT") { // that is how the dump was asked for
		p.Reason = d.Reason
	}
	if len(d.Problems) > 0 {
		first := d.Problems[0]
		p.First = fmt.Sprintf("line %d: %s", first.Line, first.What)
	}
	for _, l := range locks {
		entry := dumpLock{Kind: l.Kind, Address: l.Addr, Waiting: l.Count}
		for _, g := range l.Waiters {
			entry.Waiters = append(entry.Waiters, dumpGoroutine{ID: g.ID, At: g.Where().String(), Labels: g.Labels})
		}
		for _, c := range l.Holders {
			g := c.Goroutine
			entry.Holders = append(entry.Holders, dumpGoroutine{ID: g.ID, At: g.Where().String(), Labels: g.Labels, Why: c.Why})
		}
		p.Locks = append(p.Locks, entry)
	}
	for _, g := range groups {
		if g.Runtime {
			p.Runtime += g.Count
			continue
		}
		p.Groups = append(p.Groups, dumpGroup{g.Count, g.State, g.Where.String(), g.Creator.Name(), g.Minutes})
	}
	return p
}

func (p *dumpPage) print(t *terminal) error {
	var b strings.Builder
	if p.Reason != "" {
		fmt.Fprintln(&b, t.paint(red, printable("The process ended with "+p.Reason)))
	}
	fmt.Fprintln(&b, t.paint(bold, printable(p.Verdict)))
	for i, l := range p.Locks {
		if i == shownLocks {
			fmt.Fprintf(&b, "\n%s more; --json shows all\n", count(len(p.Locks)-i, "lock"))
			break
		}
		l.print(&b, t)
	}
	fmt.Fprintln(&b)
	if err := t.printf("%s", strings.TrimSuffix(b.String(), "\n")); err != nil {
		return err
	}
	tb := &table{empty: "all goroutines are the runtime's own", header: []string{"COUNT", "STATE", "AT", "STARTED IN"}}
	for _, g := range p.Groups[:min(len(p.Groups), shownRows)] {
		state := cmp.Or(g.State, "?")
		if g.Minutes > 0 {
			state += fmt.Sprintf(", ~%d min", g.Minutes)
		}
		tb.add(cell{fmt.Sprint(g.Count), bold}, cell{state, plain}, cell{g.At, plain}, cell{g.Creator, dim})
	}
	if err := tb.print(t); err != nil {
		return err
	}
	return t.printf("%s", t.paint(dim, printable(p.footer())))
}

func (p *dumpPage) footer() string {
	parts := []string{count(p.Goroutines, "goroutine")}
	if p.Process != nil {
		parts[0] += " of " + p.Process.String()
	}
	if p.Runtime > 0 {
		parts = append(parts, fmt.Sprintf("%d of them the runtime's", p.Runtime))
	}
	if more := len(p.Groups) - shownRows; more > 0 {
		parts = append(parts, count(more, "smaller group")+" in --json")
	}
	if p.Dropped > 0 {
		parts = append(parts, fmt.Sprintf("%d only counted", p.Dropped))
	}
	if p.Problems > 0 {
		parts = append(parts, fmt.Sprintf("%s not understood (%s)", count(p.Problems, "place"), p.First))
	}
	if p.Incomplete != "" {
		parts = append(parts, "incomplete: "+p.Incomplete)
	}
	return strings.Join(parts, ", ")
}

func (l *dumpLock) print(b *strings.Builder, t *terminal) {
	name := string(l.Kind)
	if l.Address != 0 {
		name += " " + l.Address.String()
	}
	fmt.Fprintf(b, "\n%s\n", t.paint(yellow, printable(fmt.Sprintf("%s: %d waiting", name, l.Waiting))))
	for i, g := range l.Waiters {
		if i == shownNames {
			fmt.Fprintf(b, "  … and %d more\n", l.Waiting-i)
			break
		}
		fmt.Fprintf(b, "  waits        %s\n", printable(g.text()))
	}
	for _, g := range l.Holders[:min(len(l.Holders), shownHolders)] {
		fmt.Fprintf(b, "  may hold it  %s\n", printable(g.text()))
	}
}

func (g *dumpGoroutine) text() string {
	var parts []string
	if g.ID != 0 {
		parts = append(parts, fmt.Sprintf("goroutine %d", g.ID))
	}
	keys := make([]string, 0, len(g.Labels))
	for k := range g.Labels {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		parts = append(parts, k+"="+g.Labels[k])
	}
	parts = append(parts, "at "+g.At)
	if g.Why != "" {
		parts = append(parts, g.Why)
	}
	return strings.Join(parts, ", ")
}
