package spec_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest/spec"
)

// refused holds, for every file of testdata/refused, all that is said about it
// after the file's name.
var refused = map[string][]string{
	"alias":                 {`2:7: name: anchors, aliases and tags are not supported; write the value out`},
	"anchor":                {`2:7: name: anchors, aliases and tags are not supported; write the value out`},
	"body-ref-alone":        {`10:28: scenarios[0].request.body.ref: says something of pushes, and the body is none; write push: github beside it, or leave it out`},
	"body-size":             {`10:20: scenarios[0].request.body.size: 65MiB is out of range; write at most 64MiB`},
	"body-template-missing": {`10:24: scenarios[0].request.body.template: none.json: there is no such file; name a text file; it is looked for beside the scenario`},
	"body-template":         {`10:24: scenarios[0].request.body.template: {{what}} stands for nothing; there are {{run}}, {{seq}}, {{id}}, {{project}} and {{rand N}}`},
	"body-text":             {`10:20: scenarios[0].request.body.text: {{what}} stands for nothing; there are {{run}}, {{seq}}, {{id}}, {{project}} and {{rand N}}`},
	"body-two":              {`10:29: scenarios[0].request.body.push: a body has text already; keep one of the two`},
	"client-conns":          {`6:21: client.max_conns: 1000000 is out of range; write a number from 1 to 100000`},
	"client-inflight":       {`6:24: client.max_inflight: 0 is out of range; write how many requests may be on their way at once, from 1 to 100000`},
	"client-late-limit":     {`6:22: client.late_limit: 2h0m0s is out of range; write a duration from 0s to 1h0m0s`},
	"client-timeout":        {`6:19: client.timeout: 0s is out of range; write a duration from 1ms to 10m0s`},
	"client-transport":      {`6:21: client.transport: "http3" is not a transport; write nethttp, or fasthttp for more than 20000 requests a second`},
	"duplicate-key":         {`6:1: name: given twice, first in line 2; keep one of the two`},
	"empty": {
		`1:1: name: missing; give the scenario a name`,
		`1:1: phases: there is no phase, so nothing would be sent; list at least one: [{name: steady, for: 30s}]`,
		`1:1: scenarios: there is none, so nothing would be sent; list at least one: name, pacing and request`,
		`1:1: target.base_url: missing; write the address of the service, like http://127.0.0.1:8080`,
		`1:1: version: missing; write version: 1`,
	},
	"every-differs":       {`3:109: target.process.every: differs from target.metrics.every, and both are sampled together; write the same, or leave one out`},
	"expect-body-long":    {`9:43: scenarios[0].expect.body_contains: is longer than the part of a body that is read; make max_body larger`},
	"expect-max-body":     {`9:24: scenarios[0].expect.max_body: 65MiB is out of range; write a size from 1B to 64MiB`},
	"expect-status-none":  {`9:22: scenarios[0].expect.status: lists no status; list the codes of good answers, like [200, 202]`},
	"expect-status-value": {`9:22: scenarios[0].expect.status: must be a list, not a single value; write [a, b], or one "- …" per line`},
	"expect-status":       {`9:23: scenarios[0].expect.status[0]: 20 is not the status of an answer; write a number like 202`},
	"explicit-key":        {`5:3: not YAML: found an invalid key for this map; check indentation, quotes and brackets here`},
	"fault-argument":      {`6:59: faults[0].do.a b: "a b" cannot name what a fault does; write a plain word`},
	"fault-at":            {`6:39: faults[0].at: 10s is beyond the end of phase steady, which takes 10s; let it begin earlier`},
	"fault-every":         {`6:59: faults[0].every: 1s is too short: it would come again before it is over; write at least the duration of the fault, and at least 100ms`},
	"fault-for":           {`6:48: faults[0].for: it would last until 1s after the run; make it shorter, or a phase longer`},
	"fault-keys": {
		`6:10: faults[0].do: missing; add it`,
		`6:10: faults[0].name: missing; add it`,
		`6:10: faults[0].phase: missing; add it`,
	},
	"fault-kind-missing":   {`6:39: faults[0].do.kind: missing; add it`},
	"fault-kind":           {`6:39: faults[0].do: there is no kind explode; write stop or kill`},
	"fault-name":           {`6:17: faults[0].name: "a b" cannot name a fault; use letters, digits, -, _ and ., at most 63, beginning with a letter or digit`},
	"fault-often":          {`6:42: faults[0].every: it would come 86401 times; write a longer time; 10000 are allowed`},
	"fault-phase":          {`6:27: faults[0].phase: there is no phase stedy; did you mean steady?`},
	"fault-twice":          {`6:61: faults[1].name: faults[0] has the name a already; give every one a name of its own`},
	"fault-via-and-target": {`6:40: faults[0].via: do.target names the target already; keep one of the two`},
	"hang-gap":             {`6:13: hang.gap: 1ms is out of range; write a duration from 100ms to 1h0m0s`},
	"hang-probe":           {`6:15: hang.probe: "healthz" is not a path; write a path that begins with one /`},
	"hang-progress-alone":  {`6:7: hang.queue: missing; name the gauge of work that waits`},
	"hang-progress":        {`6:30: hang.progress: unexpected "c"; write a metric, like queue_depth or queue_depth{kind="mail"}`},
	"hang-queue-alone":     {`6:7: hang.progress: missing; name the counter of work done; a queue is stuck when it does not move`},
	"hang-queue-unseen":    {`6:15: hang.queue: is a metric, and target.metrics is missing; write where the service's metrics are`},
	"hang-queue":           {`6:19: hang.queue: expected = after label b, found "}"; write b=VALUE`},
	"header-name":          {`3:84: target.metrics.headers.A B: "A B" cannot name a header; use letters, digits and -`},
	"header-twice":         {`3:96: target.metrics.headers.accept: given twice; case means nothing in headers; keep one of the two`},
	"header-value":         {`3:80: target.metrics.headers.A: holds the end of a line; write it in one line`},
	"ledger-counter":       {`3:60: target.ledger.counter: is a metric of the service, and nobody asks it; write target.metrics.url`},
	"ledger-kind":          {`3:69: target.ledger.kind: "jobs" is not a kind of ledger; write seadog, or ids for an answer like {"ids": ["…"]}`},
	"ledger-placeholder":   {`3:56: target.ledger.url: holds a placeholder that does not exist; write {{run}} or no placeholder`},
	"list-for-value":       {`2:7: name: must be a single value, not a list; write one value`},
	"mapping-for-value":    {`2:7: name: must be a single value, not a mapping; write one value`},
	"merge-key": {
		`3:9: target.base_url: missing; write the address of the service, like http://127.0.0.1:8080`,
		`3:10: target.<<: not a key; write a plain name before the colon`,
	},
	"metrics-every":       {`3:74: target.metrics.every: 1ms is out of range; write a duration from 100ms to 1m0s`},
	"metrics-host":        {`3:57: target.metrics.url: example.com is not this machine; load only what is yours: list it under target.allow_hosts, and run with --i-own-this-host example.com`},
	"metrics-url-missing": {`3:51: target.metrics.url: missing; write where it is, like http://127.0.0.1:8080/metrics, or /metrics on the target`},
	"metrics-path":        {`3:57: target.metrics.url: "/%0" cannot stand in a URL; escape what is special in URLs, like %20 for a space`},
	"metrics-url":         {`3:57: target.metrics.url: not an HTTP URL; write one like http://127.0.0.1:8080`},
	"misplaced-key": {
		`5:76: scenarios[0].pacing.rate: "100" is not a rate; write how many in what time, like 400/s, 30/min or 10/h`,
		`6:1: rate: unknown key; the keys here are version, name, description, seed, service, target, client, phases, scenarios, faults, thresholds, hang, repeat`,
	},
	"name":              {`2:7: name: "a b" cannot name a scenario; use letters, digits, -, _ and ., at most 63, beginning with a letter or digit`},
	"negative-duration": {`4:30: phases[0].for: "-10s" is not a duration; write a number with a unit, like 500ms, 30s, 5m or 1h30m`},
	"negative-expect":   {`11:59: scenarios[0].negative[0].expect: says neither what the status is, nor that the connection is closed; write status: [401], or closed: true`},
	"negative-keys": {
		`11:16: scenarios[0].negative[0].expect: missing; add it`,
		`11:16: scenarios[0].negative[0].mutate: missing; add it`,
		`11:16: scenarios[0].negative[0].name: missing; add it`,
		`11:16: scenarios[0].negative[0].share: missing; add it`,
	},
	"negative-mutate-brackets":   {`11:45: scenarios[0].negative[0].mutate: "json(1)" is not a way to spoil a request; write signature, unsigned, json, method, body(11MiB) or path(/nowhere)`},
	"negative-mutate-large":      {`11:45: scenarios[0].negative[0].mutate: a body of 1GiB cannot be sent; write a size up to 64MiB`},
	"negative-mutate-open":       {`11:45: scenarios[0].negative[0].mutate: "body(1MiB" is not a way to spoil a request; write signature, unsigned, json, method, body(11MiB) or path(/nowhere)`},
	"negative-mutate-path":       {`11:45: scenarios[0].negative[0].mutate: "nowhere" is not a path; write a path that begins with one /`},
	"negative-mutate-size":       {`11:45: scenarios[0].negative[0].mutate: "big" is not a size; write a whole number with a unit, like 512B, 20KiB or 1MiB`},
	"negative-mutate-unsigned":   {`10:45: scenarios[0].negative[0].mutate: there is no signature to spoil; give the request sign, or spoil something else`},
	"negative-mutate":            {`11:45: scenarios[0].negative[0].mutate: "jason" is not a way to spoil a request; write signature, unsigned, json, method, body(11MiB) or path(/nowhere)`},
	"negative-name":              {`11:23: scenarios[0].negative[0].name: replay is what other requests are called; choose another name`},
	"negative-share-zero":        {`11:33: scenarios[0].negative[0].share: a share of 0% is never sent; write percent, or leave the negative out`},
	"negative-shares":            {`11:95: scenarios[0].negative[1].share: replay and negatives are more than all requests by now; lower them to 100% together`},
	"negative-twice":             {`11:84: scenarios[0].negative[1].name: scenarios[0].negative[0] has the name a already; give every one a name of its own`},
	"no-value":                   {`2:1: name: has no value; give it a value, or remove the key`},
	"not-a-boolean":              {`6:23: client.fresh_conns: "yes" is neither true nor false; write true or false`},
	"not-a-duration":             {`4:30: phases[0].for: "10" is not a duration; write a number with a unit, like 500ms, 30s, 5m or 1h30m`},
	"not-a-factor":               {`6:20: client.catch_up: "0.5x" is not a factor; write 2x to catch up at twice the rate, 1x to leave out what was missed, or unlimited`},
	"not-a-mapping":              {`1:1: must be a mapping, not a list; write "key: value" lines below it`},
	"not-a-number":               {`6:9: repeat: "many" is not a whole number; write digits only`},
	"not-a-rate":                 {`5:76: scenarios[0].pacing.rate: "100" is not a rate; write how many in what time, like 400/s, 30/min or 10/h`},
	"not-a-scale":                {`4:42: phases[0].scale: "-1" is not a number; write digits, like 0.5 or 2`},
	"not-a-seed":                 {`6:7: seed: "-1" is not a whole number from 0 to 18446744073709551615; write digits only`},
	"not-a-share":                {`10:21: scenarios[0].replay.share: "0.02" is not a share; write percent, like 2% or 0.1%`},
	"not-a-size":                 {`9:24: scenarios[0].expect.max_body: "1MB" is not a size; write a whole number with a unit, like 512B, 20KiB or 1MiB`},
	"not-a-span":                 {`10:29: scenarios[0].request.body.size: "20KiB..2KiB..1" is neither a size nor a range of sizes; write 7KiB or 2KiB..20KiB`},
	"not-utf8":                   {`1:1: not UTF-8 text; save it as UTF-8`},
	"not-yaml":                   {`6:9: not YAML: sequence end token ']' not found; check indentation, quotes and brackets here`},
	"pacing-huge-when-scaled":    {`5:76: scenarios[0].pacing.rate: in phase steady, 20000/s at scale 100 is more than can be planned; lower one of the two; together they may be 1000000/s`},
	"pacing-huge":                {`5:76: scenarios[0].pacing.rate: 9e+06/s is more than can be planned; write at most 1000000/s`},
	"pacing-key-missing":         {`5:53: scenarios[0].pacing.to: missing; add it`},
	"pacing-key-of-others":       {`5:92: scenarios[0].pacing.rate: means nothing to ramp; the keys of ramp are from, to`},
	"pacing-kind-closed":         {`5:60: scenarios[0].pacing.kind: "closed" is not a kind of pacing; write one of burst, constant, poisson, ramp, replay, search, sine, spike, steps`},
	"pacing-kind-missing":        {`5:53: scenarios[0].pacing.kind: missing; write one of burst, constant, poisson, ramp, replay, search, sine, spike, steps`},
	"pacing-kind":                {`5:60: scenarios[0].pacing.kind: "constnt" is not a kind of pacing; did you mean constant?`},
	"pacing-nothing":             {`5:53: scenarios[0].pacing: nothing is due in any phase; make the phases longer, or the first request earlier`},
	"pacing-spike-late":          {`5:93: scenarios[0].pacing.at: the spike would begin at 20s, and no phase is longer than 10s; let it begin earlier, or make a phase longer`},
	"pacing-step":                {`5:114: scenarios[0].pacing.steps[1].for: 0s is not between 1ms and 2160h0m0s; write a duration like 10s`},
	"pacing-zero":                {`5:76: scenarios[0].pacing.rate: a rate of 0 sends nothing; write a rate above 0; a phase without load says load: none`},
	"phase-for-missing":          {`4:10: phases[0].for: missing; add it`},
	"phase-load-and-scale":       {`4:79: phases[1].scale: load: none leaves nothing to scale; keep one of the two`},
	"phase-load":                 {`4:41: phases[0].load: "some" is not a load; write load: none, or a scale`},
	"phase-long":                 {`4:30: phases[0].for: 1000h0m0s is out of range; write a duration from 1ms to 744h0m0s`},
	"phase-name-missing":         {`4:10: phases[0].name: missing; add it`},
	"phase-name":                 {`4:17: phases[0].name: "a b" cannot name a phase; use letters, digits, -, _ and ., at most 63, beginning with a letter or digit`},
	"phase-scale-huge":           {`4:42: phases[0].scale: 100000 is out of range; write a factor of all rates from 0.001 to 1000; a phase without load says load: none`},
	"phase-scale":                {`4:42: phases[0].scale: 0 is out of range; write a factor of all rates from 0.001 to 1000; a phase without load says load: none`},
	"phase-twice":                {`4:43: phases[1].name: phases[0] has the name steady already; give every one a name of its own`},
	"phases-none":                {`1:1: phases: there is no phase, so nothing would be sent; list at least one: [{name: steady, for: 30s}]`},
	"process-pid-file":           {`3:51: target.process.pid_file: missing; name the file that holds the number of the service's process`},
	"push-commit":                {`10:55: scenarios[0].request.body.commits[0]: "abc" is not a commit; write its 40 hex digits`},
	"push-kind":                  {`10:20: scenarios[0].request.body.push: there are no pushes of "gitlab"; write github`},
	"push-ref":                   {`10:50: scenarios[0].request.body.ref: "a b" is not a ref; write one like refs/heads/main`},
	"push-repository-missing":    {`10:13: scenarios[0].request.body.repository: missing; write owner/name, of the repository that is pushed to`},
	"push-repository":            {`10:40: scenarios[0].request.body.repository: "https://example.com/a/b" is not a repository; write owner/name; {{project}} may be part of the name`},
	"repeat":                     {`6:9: repeat: 0 is out of range; write how many runs there are, from 1 to 25; the median one decides`},
	"replay-file-at":             {`5:74: scenarios[0].pacing.file: ../files/no-time.jsonl: line 2 says nothing of when: at is missing; name a file with a line like {"at": "1.5s"} for each request`},
	"replay-file-duration":       {`5:74: scenarios[0].pacing.file: ../files/no-duration.jsonl: line 1: "1" is not a duration; name a file with a line like {"at": "1.5s"} for each request`},
	"replay-file-empty":          {`5:74: scenarios[0].pacing.file: no request is recorded in it; record some, or use another kind of pacing`},
	"replay-file-json":           {`5:74: scenarios[0].pacing.file: ../files/not-json.jsonl: line 2 is not a JSON object; name a file with a line like {"at": "1.5s"} for each request`},
	"replay-file-missing":        {`5:74: scenarios[0].pacing.file: none.jsonl: there is no such file; name a file with a line like {"at": "1.5s"} for each request`},
	"replay-file-order":          {`5:74: scenarios[0].pacing.file: request 2 is due at 1s, before the one above it; sort it by time`},
	"replay-late":                {`5:53: scenarios[0].pacing: nothing is due in any phase; make the phases longer, or the first request earlier`},
	"replay-share-missing":       {`11:13: scenarios[0].replay.share: missing; add it`},
	"replay-share-zero":          {`11:21: scenarios[0].replay.share: a share of 0% is never sent; write percent, or leave replay out`},
	"replay-without-id":          {`9:13: scenarios[0].replay: requests have no id under which they could be sent again; name a header under request.id, or put {{id}} into the request`},
	"request-header-placeholder": {`10:22: scenarios[0].request.headers.X-A: {{what}} stands for nothing; there are {{run}}, {{seq}}, {{id}}, {{project}} and {{rand N}}`},
	"request-id":                 {`10:20: scenarios[0].request.id.header: "a b" cannot name a header; name the header that carries the id, like X-GitHub-Delivery`},
	"request-method":             {`10:15: scenarios[0].request.method: "get" is not a method; write one like GET or POST`},
	"request-path-escape":        {`9:13: scenarios[0].request.path: "/a%zz" cannot stand in a URL; escape what is special in URLs, like %20 for a space`},
	"request-path-fragment":      {`9:13: scenarios[0].request.path: "/a#b" cannot stand in a URL; escape what is special in URLs, like %20 for a space`},
	"request-path-host":          {`9:13: scenarios[0].request.path: "//example.com/" is not a path; write a path that begins with one /`},
	"request-path-missing":       {`8:5: scenarios[0].request.path: missing; add it`},
	"request-path":               {`9:13: scenarios[0].request.path: "hooks" is not a path; write a path that begins with one /`},
	"request-placeholder-open":   {`9:13: scenarios[0].request.path: {{ has no end; write }} after it`},
	"request-placeholder-random": {`9:13: scenarios[0].request.path: {{rand many}} is no number of random digits; write how many digits, from 1 to 4096, like {{rand 8}}`},
	"request-placeholder":        {`9:13: scenarios[0].request.path: {{sequence}} stands for nothing; there are {{run}}, {{seq}}, {{id}}, {{project}} and {{rand N}}`},
	"request-project-name":       {`10:18: scenarios[0].request.projects[0]: "a b" cannot name a project; use letters, digits, -, _ and ., at most 63, beginning with a letter or digit`},
	"request-projects":           {`8:5: scenarios[0].request.projects: missing; list what {{project}} stands for, one request after the other`},
	"scenario-keys": {
		`5:13: scenarios[0].name: missing; add it`,
		`5:13: scenarios[0].pacing: missing; add it`,
		`5:13: scenarios[0].request: missing; add it`,
	},
	"scenario-name":               {`5:20: scenarios[0].name: "a b" cannot name a scenario; use letters, digits, -, _ and ., at most 63, beginning with a letter or digit`},
	"scenario-phase-twice":        {`9:22: scenarios[0].phases[1]: steady is given twice; keep one of the two`},
	"scenario-phase-without-load": {`9:22: scenarios[0].phases[1]: phase drain has no load; leave it out, or give the phase a load`},
	"scenario-phase":              {`9:14: scenarios[0].phases[0]: there is no phase stedy; did you mean steady?`},
	"scenario-phases-none":        {`9:13: scenarios[0].phases: names no phase, so nothing would be sent; name phases, or leave it out to send in all`},
	"scenario-twice":              {`5:92: scenarios[1].name: scenarios[0] has the name web already; give every one a name of its own`},
	"scenarios-none":              {`1:1: scenarios: there is none, so nothing would be sent; list at least one: name, pacing and request`},
	"service-kind":                {`5:10: service.run: missing; write what is started, like run: serve`},
	"service-name":                {`5:16: service.run: "a b" cannot name a service; use letters, digits, -, _ and ., at most 63, beginning with a letter or digit`},
	"service-option":              {`5:30: service.a b: "a b" cannot name an option; write a plain word`},
	"share-of-more":               {`10:21: scenarios[0].replay.share: "120%" is not a share; write percent, like 2% or 0.1%`},
	"sign-header-missing":         {`10:13: scenarios[0].request.sign.header: missing; name the header that carries the signature`},
	"sign-header":                 {`10:45: scenarios[0].request.sign.header: "a b" cannot name a header; use letters, digits and -`},
	"sign-scheme-missing":         {`10:13: scenarios[0].request.sign.scheme: missing; add it`},
	"sign-scheme":                 {`10:22: scenarios[0].request.sign.scheme: "md5" is not a scheme; write github-sha256 or hmac-sha256-hex`},
	"sign-secret-missing":         {`10:13: scenarios[0].request.sign.secret_env: missing; name the variable that holds the secret, or use secret_file`},
	"sign-secret-unset":           {`10:45: scenarios[0].request.sign.secret: environment variable UNSET is not set; set it`},
	"span-backwards":              {`10:29: scenarios[0].request.body.size: "20KiB..2KiB" ends below its begin; write the smaller size first, like 2KiB..20KiB`},
	"target-allow-hosts":          {`3:56: target.allow_hosts[0]: "example.com:80" is not a host; write a name or an address alone, without a port`},
	"target-host-any":             {`3:20: target.base_url: 0.0.0.0 is not this machine; load only what is yours: list it under target.allow_hosts, and run with --i-own-this-host 0.0.0.0`},
	"target-host-disguised":       {`3:20: target.base_url: 127.0.0.1.example.com is not this machine; load only what is yours: list it under target.allow_hosts, and run with --i-own-this-host 127.0.0.1.example.com`},
	"target-host-not-listed":      {`3:20: target.base_url: owned.example.com is not this machine; load only what is yours: list it under target.allow_hosts, and run with --i-own-this-host owned.example.com`},
	"target-host-not-owned":       {`3:20: target.base_url: example.com is not this machine; if it is yours, run with --i-own-this-host example.com`},
	"target-host":                 {`3:20: target.base_url: example.com is not this machine; load only what is yours: list it under target.allow_hosts, and run with --i-own-this-host example.com`},
	"target-missing":              {`1:1: target.base_url: missing; write the address of the service, like http://127.0.0.1:8080`},
	"target-path":                 {`3:20: target.base_url: has more than an address; write http://host:port, and paths in the requests`},
	"target-scheme":               {`3:20: target.base_url: not an HTTP URL; write one like http://127.0.0.1:8080`},
	"target-url":                  {`3:20: target.base_url: not an HTTP URL; write one like http://127.0.0.1:8080`},
	"target-user":                 {`3:20: target.base_url: holds a user; write it without; credentials go into headers`},
	"target-variable":             {`3:20: target.base_url: not an HTTP URL; write one like http://127.0.0.1:8080; variables are replaced in secrets only`},
	"threshold-escaped":           {`7:5: thresholds[0]: p99(response{scenario="wep"}) < 50ms: there is no scenario wep; did you mean web?`},
	"threshold-fault-at-once":     {`8:36: thresholds[0]: mean(response) < 50ms in fault(kill): fault kill is over at once, so nothing is in it; give it a duration, or use in PHASE`},
	"threshold-fault-none":        {`7:36: thresholds[0]: mean(response) < 50ms in fault(freeze): there is no fault freeze; add it under faults`},
	"threshold-fault":             {`8:36: thresholds[0]: mean(response) < 50ms in fault(freez): there is no fault freez; did you mean freeze?`},
	"threshold-ledger-ids":        {`7:11: thresholds[0]: count(lost) == 0: lost is told by ids, and no scenario has one; name its header: request: {id: {header: X-Request-ID}}`},
	"threshold-ledger":            {`7:11: thresholds[0]: count(lost) == 0: lost is what the service knows of its jobs, and nobody asks it; write target.ledger.url, or target.ledger.counter`},
	"threshold-metrics":           {`7:9: thresholds[0]: max(server.queue_depth) < 5: queue_depth is a metric of the service, and nobody asks it; write where they are: target: {metrics: {url: /metrics}}`},
	"threshold-nobody-judged":     {`11:10: thresholds[0]: mean(response) < 50ms: no scenario is judged; name one: response{scenario=web}`},
	"threshold-phase":             {`7:30: thresholds[0]: mean(response) < 50ms in stedy: there is no phase stedy; did you mean steady?`},
	"threshold-process":           {`7:11: thresholds[0]: slope(rss) < 4MiB/h: rss is a metric of the service, and nobody asks it; write target.process.pid_file, or target.metrics.url`},
	"threshold-quoted":            {`7:19: thresholds[0]: p99(response{scenario=wep}) < 50ms: there is no scenario wep; did you mean web?`},
	"threshold-recover-alone":     {`8:5: thresholds[0]: recover(freeze) < 5s: recover waits until all thresholds with over hold again, and there is none but those in fault(…); add one like: p99(response) < 500ms over 1s`},
	"threshold-recover-fault":     {`8:13: thresholds[0]: recover(freez) < 5s: there is no fault freez; did you mean freeze?`},
	"threshold-recover-nothing":   {`7:13: thresholds[0]: recover(freeze) < 5s: there is no fault freeze; add it under faults`},
	"threshold-samples-fault":     {`8:5: thresholds[0]: p99(response) < 50ms in fault(freeze): p99 needs 1000 samples, and 200 are planned in fault freeze; write p95, raise the rate, or make the phase longer`},
	"threshold-samples-few":       {`7:5: thresholds[0]: p50(response) < 50ms: p50 needs 20 samples, and 10 are planned in judged phases; raise the rate, or make the phase longer`},
	"threshold-samples-none":      {`7:5: thresholds[0]: mean(response) < 50ms in drain: no request is planned in phase drain; name another phase, or another scenario`},
	"threshold-samples-window":    {`7:5: thresholds[0]: p99(response) < 50ms over 2s: p99 needs 1000 samples, and 200 are planned in the fullest window of 2s; write p95, raise the rate, or write longer windows`},
	"threshold-samples":           {`7:5: thresholds[0]: p99.9(response) < 50ms: p99.9 needs 10000 samples, and 1000 are planned in judged phases; write p99, raise the rate, or make the phase longer`},
	"threshold-scenario":          {`7:19: thresholds[0]: mean(response{scenario=wep}) < 50ms: there is no scenario wep; did you mean web?`},
	"threshold-scope-empty":       {`7:5: thresholds[0]: mean(response) < 50ms: nothing is in its scope, judged phases; name a phase, or let one be judged`},
	"threshold-single-quoted":     {`7:19: thresholds[0]: p99(response{scenario=wep}) < 50ms: there is no scenario wep; did you mean web?`},
	"threshold-syntax":            {`7:9: thresholds[0]: p99(respones) < 50ms: unknown metric respones; did you mean response?`},
	"threshold-variant":           {`7:18: thresholds[0]: count(failed{variant=replays}) == 0: there is no variant replays; did you mean replay?`},
	"threshold-variant-none":      {`7:5: thresholds[0]: mean(response{variant=replay}) < 50ms: no request is planned in judged phases; name another phase, or another scenario`},
	"threshold-recover-in-fault":  {`8:5: thresholds[0]: recover(freeze) < 5s: recover waits until all thresholds with over hold again, and there is none but those in fault(…); add one like: p99(response) < 500ms over 1s`},
	"threshold-twice":             {`8:5: thresholds[1]: the same as thresholds[0]; keep one of the two`},
	"threshold-window-long":       {`7:5: thresholds[0]: mean(response) < 50ms over 1m: no window of 1m0s fits into its scope, judged phases; write shorter windows, or make the phase longer`},
	"threshold-windows":           {`7:5: thresholds[0]: mean(response) < 50ms over 1s: 360000 windows of 1s are too many; write longer windows; 100000 are allowed`},
	"token-and-header":            {`3:92: target.metrics.headers: Authorization is what a token becomes; keep one of the two`},
	"token-empty":                 {`3:74: target.metrics.token: is empty; give it a value`},
	"token-file-directory":        {`3:79: target.metrics.token_file: .: not a regular file; name a file that holds the secret and nothing else`},
	"token-file":                  {`3:79: target.metrics.token_file: none: there is no such file; name a file that holds the secret and nothing else`},
	"token-lines":                 {`3:74: target.metrics.token: holds the end of a line; write it in one line`},
	"token-malformed":             {`3:74: target.metrics.token: ${ without the name of a variable and }; write ${NAME}`},
	"token-name":                  {`3:78: target.metrics.token_env: "A B" cannot name a variable; write the name of a variable, like HOOK_SECRET`},
	"token-twice":                 {`3:94: target.metrics.token_env: the token is given twice; keep one of them`},
	"token-unset":                 {`3:78: target.metrics.token_env: environment variable UNSET is not set; set it`},
	"two-documents":               {`7:1: more than one YAML document; keep one document`},
	"unknown-key-below-secret":    {`12:9: scenarios[0].request.sign.secret: must be a single value, not a mapping; write one value`},
	"unknown-key-far":             {`3:42: target.machines: unknown key; the keys here are base_url, allow_hosts, metrics, process, pprof, ledger`},
	"unknown-key-secret": {
		`10:13: scenarios[0].request.sign.secret_env: missing; name the variable that holds the secret, or use secret_file`,
		`10:37: scenarios[0].request.sign.sekret: unknown key; did you mean secret?`,
	},
	"unknown-key":       {`6:1: treshold: unknown key; did you mean thresholds?`},
	"value-for-list":    {`4:9: phases: must be a list, not a single value; write [a, b], or one "- …" per line`},
	"value-for-mapping": {`6:9: client: must be a mapping, not a single value; write "key: value" lines below it`},
	"version":           {`1:10: version: there is no version 2 of this format; write 1`},
}

func TestRefusedFilesAreRefusedInTheseWords(t *testing.T) {
	t.Parallel()
	for name, want := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", "refused", name+".yaml")
			_, err := spec.Load(path, options())
			var problems spec.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("Load = %v, want Problems", err)
			}
			var got []string
			for _, p := range problems {
				got = append(got, strings.TrimPrefix(p.Error(), path+":"))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestEveryRefusedFileIsInTheTable(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, f := range files {
		got = append(got, strings.TrimSuffix(filepath.Base(f), ".yaml"))
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

// TestNoProblemShowsASecret reads files whose secrets are all hunter2, and looks
// at what is printed, lines of the file included.
func TestNoProblemShowsASecret(t *testing.T) {
	t.Parallel()
	for name := range refused {
		_, err := spec.Load(filepath.Join("testdata", "refused", name+".yaml"), options())
		for _, secret := range []string{"hunter2", "from-the-environment"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s shows %s:\n%s", name, secret, err)
			}
		}
	}
}

func TestAProblemShowsItsLineWithAMark(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"threshold-quoted": `    7 |   - "p99(response{scenario=wep}) < 50ms"
      |                   ^`,
		"unknown-key-secret": `   10 |       sign: {scheme: github-sha256, sekret: [redacted]
      |                                     ^`,
		"misplaced-key": `    6 | rate: 5/s
      | ^`,
		"target-user": `    3 | target: {base_url: "http://[redacted]@127.0.0.1:1"}
      |                    ^`,
	} {
		_, err := spec.Load(filepath.Join("testdata", "refused", name+".yaml"), options())
		var problems spec.Problems
		if !errors.As(err, &problems) {
			t.Fatalf("Load = %v, want Problems", err)
		}
		last := problems[len(problems)-1]
		if diff := cmp.Diff(want, last.Source); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// Lines that go on with a secret, or are too long, are not shown as they are.
func TestExcerptsHideWhatMustNotBeSeen(t *testing.T) {
	t.Parallel()
	sign := parts(head, aim, phases, "scenarios:\n  - name: web\n    pacing: {kind: constant, rate: 1/s}\n    request:\n      path: /\n      sign:\n        secret:\n")
	for text, want := range map[string]string{
		sign + "          - hunter2: [\n":               "   12 |             [redacted]",
		sign + "        - hunter2: [\n":                 "   12 |           [redacted]",
		sign + "          a:\n\n            hunter2: [": "   14 |             [redacted]",
		parts(head, "target: {base_url: \"http://"+strings.Repeat("a", 200)+":hunter2@127.0.0.1\"}\n", phases, web):                      "    3 | target: {base_url: \"http://[redacted]@127.0.0.1\"}",
		parts(head, aim, phases, web, "x"+strings.Repeat("y", 200)+": 1\n"):                                                              "    6 | x" + strings.Repeat("y", 159) + "…",
		parts(head, aim, phases, web, "client:\r\n  transport: http3\r\n"):                                                               "    7 |   transport: http3\n",
		parts(head, "target: {base_url: \"http://127.0.0.1:1\", metrics: {url: metrics, headers: {X-Api-Key: hunter2}}}\n", phases, web): "headers: {X-Api-Key: [redacted]",
	} {
		_, err := spec.Parse("x.yaml", []byte(text), options())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Parse = %v\nwant %s", err, want)
		}
	}
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("# nothing\n", 1<<18)), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe") // reading it would never end
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yaml"): "there is no such file; name a scenario",
		dir:                             "not a regular file",
		large:                           "larger than 1MiB",
		large + "/below":                "not a directory",
		pipe:                            "not a regular file",
	} {
		if _, err := spec.Load(path, options()); err == nil || !strings.Contains(err.Error(), path+": "+want) {
			t.Errorf("Load(%s) = %v, want %s", path, err, want)
		}
	}
}
