package spec

import "reflect"

// The structs of this file are the format: one field per key, in the order in
// which a scenario is printed. What the keys mean stands in example.yaml.

type file struct {
	Version     int               `yaml:"version"`
	Name        string            `yaml:"name"`
	Description string            `yaml:"description,omitempty"`
	Seed        uint64            `yaml:"seed"`
	Service     map[string]string `yaml:"service,omitempty"`
	Target      target            `yaml:"target,omitempty"`
	Client      client            `yaml:"client"`
	Phases      []phase           `yaml:"phases"`
	Scenarios   []traffic         `yaml:"scenarios"`
	Faults      []fault           `yaml:"faults,omitempty"`
	Thresholds  []string          `yaml:"thresholds,omitempty"`
	Hang        hang              `yaml:"hang"`
	Repeat      int               `yaml:"repeat"`
}

type target struct {
	BaseURL    string     `yaml:"base_url,omitempty"`
	AllowHosts []string   `yaml:"allow_hosts,omitempty"`
	Metrics    metrics    `yaml:"metrics,omitempty"`
	Process    process    `yaml:"process,omitempty"`
	Pprof      endpoint   `yaml:"pprof,omitempty"`
	Ledger     ledgerFile `yaml:"ledger,omitempty"`
}

type endpoint struct {
	URL       string            `yaml:"url,omitempty"`
	Headers   map[string]string `yaml:"headers,omitempty"`
	Token     string            `yaml:"token,omitempty"`
	TokenEnv  string            `yaml:"token_env,omitempty"`
	TokenFile string            `yaml:"token_file,omitempty"`
}

type metrics struct {
	endpoint `yaml:",inline"`
	Every    duration `yaml:"every,omitempty"`
}

type process struct {
	PIDFile string   `yaml:"pid_file,omitempty"`
	Every   duration `yaml:"every,omitempty"`
}

type ledgerFile struct {
	endpoint `yaml:",inline"`
	Kind     string `yaml:"kind,omitempty"`
	Counter  string `yaml:"counter,omitempty"`
}

type client struct {
	Transport   string   `yaml:"transport"`
	MaxInflight int      `yaml:"max_inflight"`
	MaxConns    int      `yaml:"max_conns"`
	Timeout     duration `yaml:"timeout"`
	LateLimit   duration `yaml:"late_limit"`
	CatchUp     times    `yaml:"catch_up"`
	FreshConns  bool     `yaml:"fresh_conns"`
	Insecure    bool     `yaml:"insecure"`
}

type phase struct {
	Name    string   `yaml:"name"`
	For     duration `yaml:"for"`
	Judged  bool     `yaml:"judged"`
	Scale   number   `yaml:"scale,omitempty"`
	Load    string   `yaml:"load,omitempty"`
	Stretch bool     `yaml:"stretch,omitempty"`
}

type traffic struct {
	Name     string     `yaml:"name"`
	Judged   bool       `yaml:"judged"`
	Phases   []string   `yaml:"phases,omitempty"`
	Pacing   pacing     `yaml:"pacing"`
	Request  request    `yaml:"request"`
	Expect   expect     `yaml:"expect"`
	Replay   replay     `yaml:"replay,omitempty"`
	Negative []negative `yaml:"negative,omitempty"`
}

type pacing struct {
	Kind      string   `yaml:"kind"`
	Rate      rate     `yaml:"rate,omitempty"`
	From      rate     `yaml:"from,omitempty"`
	To        rate     `yaml:"to,omitempty"`
	Step      rate     `yaml:"step,omitempty"`
	Steps     []step   `yaml:"steps,omitempty"`
	Mean      rate     `yaml:"mean,omitempty"`
	Amplitude rate     `yaml:"amplitude,omitempty"`
	Period    duration `yaml:"period,omitempty"`
	Shift     number   `yaml:"shift,omitempty"`
	Base      rate     `yaml:"base,omitempty"`
	Peak      rate     `yaml:"peak,omitempty"`
	At        duration `yaml:"at,omitempty"`
	For       duration `yaml:"for,omitempty"`
	Size      int      `yaml:"size,omitempty"`
	Every     duration `yaml:"every,omitempty"`
	File      string   `yaml:"file,omitempty"`
	Speed     number   `yaml:"speed,omitempty"`
}

type step struct {
	Rate rate     `yaml:"rate"`
	For  duration `yaml:"for"`
}

type request struct {
	Method   string            `yaml:"method"`
	Path     string            `yaml:"path"`
	Headers  map[string]string `yaml:"headers,omitempty"`
	Projects []string          `yaml:"projects,omitempty"`
	Body     body              `yaml:"body,omitempty"`
	ID       id                `yaml:"id,omitempty"`
	Sign     sign              `yaml:"sign,omitempty"`
}

type body struct {
	Text       string   `yaml:"text,omitempty"`
	Template   string   `yaml:"template,omitempty"`
	Push       string   `yaml:"push,omitempty"`
	Repository string   `yaml:"repository,omitempty"`
	Ref        string   `yaml:"ref,omitempty"`
	Commits    []string `yaml:"commits,omitempty"`
	Size       span     `yaml:"size,omitempty"`
}

type id struct {
	Header string `yaml:"header,omitempty"`
}

type sign struct {
	Scheme     string `yaml:"scheme,omitempty"`
	Header     string `yaml:"header,omitempty"`
	Secret     string `yaml:"secret,omitempty"`
	SecretEnv  string `yaml:"secret_env,omitempty"`
	SecretFile string `yaml:"secret_file,omitempty"`
}

type expect struct {
	Status       []int  `yaml:"status,omitempty"`
	BodyContains string `yaml:"body_contains,omitempty"`
	Closed       bool   `yaml:"closed,omitempty"`
	MaxBody      size   `yaml:"max_body,omitempty"`
}

type replay struct {
	Share  share  `yaml:"share,omitempty"`
	Expect expect `yaml:"expect,omitempty"`
}

type negative struct {
	Name   string `yaml:"name"`
	Share  share  `yaml:"share"`
	Mutate string `yaml:"mutate"`
	Expect expect `yaml:"expect"`
}

type fault struct {
	Name  string            `yaml:"name"`
	Phase string            `yaml:"phase"`
	At    duration          `yaml:"at"`
	For   duration          `yaml:"for,omitempty"`
	Every duration          `yaml:"every,omitempty"`
	Via   string            `yaml:"via,omitempty"`
	Do    map[string]string `yaml:"do"`
}

type hang struct {
	After    duration `yaml:"after"`
	Gap      duration `yaml:"gap"`
	Probe    string   `yaml:"probe,omitempty"`
	Drain    duration `yaml:"drain"`
	Queue    string   `yaml:"queue,omitempty"`
	Progress string   `yaml:"progress,omitempty"`
	Tolerate bool     `yaml:"tolerate"`
}

// formatKeys returns all keys of the format, wherever they stand.
func formatKeys() []string { return keysOf(reflect.TypeFor[file]()) }

func keysOf(t reflect.Type) []string {
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	collect(reflect.New(t).Elem(), func(name string, _ reflect.StructTag, field reflect.Value) {
		keys = append(append(keys, name), keysOf(field.Type())...)
	})
	return keys
}
