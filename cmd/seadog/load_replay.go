package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/replay"
)

// loadReplay is one "seadog load replay".
type loadReplay struct {
	loadRun

	speed       float64
	ids         string
	secretFiles []string
	secretEnvs  []string
	hooks       []string
	from        string
	length      time.Duration
	tokenFile   string
	noLedger    bool
	thresholds  []string
}

func newLoadReplayCommand(e *env) *cobra.Command {
	l := &loadReplay{loadRun: loadRun{env: e}}
	cmd := &cobra.Command{
		Use:   "replay RECORDING...",
		Short: "Send recorded deliveries again, at a multiple of their pace",
		Long: `Sends deliveries again that a service recorded (record.dir of its configuration;
name the directory, or files of it), signed anew. What was refused must be
refused again, everything else be accepted; what was accepted is followed through
the API of the service, and must be there, once. --ids same sends them under
their old ids: a service that knows them must not do anything twice.

  seadog load replay /var/lib/seadog/recording --target http://127.0.0.1:8787 \\
      --secret-file secrets/shop --secret-file till=secrets/till --token-file secrets/token --speed 10
  seadog load replay monday.jsonl --target … --from 14h --for 10m --hook shop --dry-run` + verdictExitCodes,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(errors.New("which recording? name its directory, or its files"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return l.replay(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.StringVar(&l.target, "target", "", "`URL` of the service that they are sent to, like http://127.0.0.1:8787")
	f.StringSliceVar(&l.own, "i-own-this-host", nil, "a `host` beyond this machine that is yours to load")
	f.Float64Var(&l.speed, "speed", 1, "how many times as fast as they came in")
	f.StringVar(&l.ids, "ids", "fresh", "`fresh` or same: under which ids they are sent")
	f.StringArrayVar(&l.secretFiles, "secret-file", nil, "`FILE` with the secret to sign with, or HOOK=FILE for one hook")
	f.StringArrayVar(&l.secretEnvs, "secret-env", nil, "`NAME` of an environment variable that holds it, or HOOK=NAME")
	f.StringArrayVar(&l.hooks, "hook", nil, "only the deliveries of this `hook`")
	f.StringVar(&l.from, "from", "", "begin there: a `duration` since the first delivery, or a time like 2026-03-02T09:15:30Z")
	f.DurationVar(&l.length, "for", 0, "and go on for so long, of the recording's time")
	f.StringVar(&l.tokenFile, "token-file", "", "`file` that holds a token of the service's API (default: the token in $SEADOG_TOKEN)")
	f.BoolVar(&l.noLedger, "no-ledger", false, "do not follow what was accepted: the service is no seadog")
	f.StringArrayVar(&l.thresholds, "threshold", nil, "what must hold as well, like 'p99(response) < 50ms'")
	l.flags(cmd)
	return cmd
}

func (l *loadReplay) replay(ctx context.Context, paths []string) error {
	s, err := l.scenario(paths)
	if err == nil && !l.dryRun && !l.noLedger {
		err = l.asked(ctx, s)
	}
	if err != nil {
		return usageError(err)
	}
	return l.execute(ctx, s)
}

// scenario makes a scenario of the recording.
func (l *loadReplay) scenario(paths []string) (*loadtest.Scenario, error) {
	selection, err := l.selection()
	if err != nil {
		return nil, err
	}
	secrets, err := l.secrets()
	if err != nil {
		return nil, err
	}
	switch {
	case l.ids != "fresh" && l.ids != "same":
		return nil, fmt.Errorf("--ids %s: write fresh or same", l.ids)
	case l.target == "":
		return nil, errors.New("where to? --target names the service, like http://127.0.0.1:8787")
	}
	c := replay.Config{
		Target: l.target, Own: l.own, Speed: l.speed, Same: l.ids == "same", Thresholds: l.thresholds,
		Secret: func(hook string) string { return secrets.of(hook, l.dryRun) },
	}
	if !l.noLedger {
		token, err := l.token()
		if err != nil {
			return nil, err
		}
		c.Probe, c.Ledger = "/healthz", loadtest.Endpoint{URL: strings.TrimSuffix(l.target, "/") + "/api/v1/deliveries"}
		if !token.Empty() {
			c.Ledger.Header = http.Header{"Authorization": {"Bearer " + token.Reveal()}}
		}
	}
	r, err := replay.Read(paths, selection)
	if err != nil {
		return nil, err
	}
	for _, hook := range l.hooks {
		if !slices.ContainsFunc(r.Deliveries, func(d replay.Delivery) bool { return d.Hook == hook }) {
			return nil, fmt.Errorf("--hook %s: no delivery of it is selected", hook)
		}
	}
	if r.Torn > 0 {
		fmt.Fprintf(l.env.Stderr, "%d files end in the middle of a line: whoever wrote them was killed; the half lines are left out\n", r.Torn)
	}
	s, err := replay.Scenario(r, c)
	if errors.Is(err, replay.ErrNoSecret) {
		err = fmt.Errorf("%w; give --secret-file or --secret-env", err)
	}
	return s, err
}

func (l *loadReplay) selection() (replay.Selection, error) {
	s := replay.Selection{Hooks: l.hooks, For: l.length}
	if l.length < 0 {
		return s, fmt.Errorf("--for %s: write a duration like 10m", l.length)
	}
	if l.from == "" {
		return s, nil
	}
	var err error
	if s.From, err = time.ParseDuration(l.from); err == nil && s.From >= 0 {
		return s, nil
	}
	if s.Since, err = time.Parse(time.RFC3339, l.from); err != nil {
		return s, fmt.Errorf("--from %s: write a duration like 14m, or a time like 2026-03-02T09:15:30Z", l.from)
	}
	s.From = 0
	return s, nil
}

func (l *loadReplay) token() (deployer.Secret, error) {
	if l.tokenFile == "" {
		return deployer.NewSecret(strings.TrimSpace(l.env.Getenv("SEADOG_TOKEN"))), nil
	}
	text, err := os.ReadFile(l.tokenFile)
	if err != nil {
		return deployer.Secret{}, fmt.Errorf("--token-file: %w", err)
	}
	return deployer.NewSecret(strings.TrimSpace(string(text))), nil
}

// asked makes sure, before anything is sent, that the service will tell what it accepted.
func (l *loadReplay) asked(ctx context.Context, s *loadtest.Scenario) error {
	token, err := l.token()
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{URL: s.Target.BaseURL, Token: token})
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Deliveries(ctx, deployer.DeliveryFilter{Limit: 1}); err != nil {
		return fmt.Errorf("ask %s for its deliveries: %w; give --token-file or $SEADOG_TOKEN, or --no-ledger if it is no seadog", s.Target.BaseURL, err)
	}
	return nil
}

// hookSecrets are secrets to sign with, by hook; that of "" is for all others.
type hookSecrets map[string]deployer.Secret

// of returns the secret of a hook. A plan signs nothing and needs none.
func (h hookSecrets) of(hook string, blind bool) string {
	for _, name := range []string{hook, ""} {
		if s, known := h[name]; known {
			return s.Reveal()
		}
	}
	if blind {
		return "unknown"
	}
	return ""
}

var hookPrefixRE = regexp.MustCompile(`^([a-z0-9][a-z0-9_-]*)=(.*)$`)

// secrets reads what the flags name. Its errors show no secret.
func (l *loadReplay) secrets() (hookSecrets, error) {
	all := hookSecrets{}
	add := func(flag, text string, read func(name string) (string, error)) error {
		hook, name := "", text
		if found := hookPrefixRE.FindStringSubmatch(text); found != nil {
			hook, name = found[1], found[2]
		}
		if _, twice := all[hook]; twice {
			return fmt.Errorf("%s %s: there is a secret for that already", flag, text)
		}
		value, err := read(name)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", flag, err)
		case value == "" || strings.ContainsAny(value, "\r\n\x00"):
			return fmt.Errorf("%s %s: holds no secret of one line", flag, text)
		}
		all[hook] = deployer.NewSecret(value)
		return nil
	}
	for _, text := range l.secretFiles {
		err := add("--secret-file", text, func(name string) (string, error) {
			content, err := os.ReadFile(name)
			return strings.TrimRight(string(content), "\r\n"), err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, text := range l.secretEnvs {
		err := add("--secret-env", text, func(name string) (string, error) { return l.env.Getenv(name), nil })
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
