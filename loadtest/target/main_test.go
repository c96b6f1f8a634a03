package target_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/target"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a secret of the tests"

// webhooks are signed pushes, some repeated and some spoiled.
func webhooks() *loadtest.Traffic {
	return &loadtest.Traffic{
		Name: "webhooks",
		Request: loadtest.Request{
			Method: "POST", Path: "/hooks/{{project}}", Projects: []string{"shop", "till"},
			Body: loadtest.Body{Push: "github", Repository: "acme/{{project}}", MinSize: 1 << 10, MaxSize: 20 << 10},
			ID:   loadtest.ID{Header: "X-GitHub-Delivery"},
			Sign: loadtest.Sign{Scheme: "github-sha256", Header: "X-Hub-Signature-256", Secret: secret},
		},
		Expect: loadtest.Expect{Status: []int{202}},
		Replay: loadtest.Replay{Share: 0.1, Expect: loadtest.Expect{Status: []int{200, 202}}},
		Negatives: []loadtest.Negative{
			{Name: "signature", Share: 0.02, Mutate: loadtest.Mutation{Kind: "signature"}, Expect: loadtest.Expect{Status: []int{401}}},
			{Name: "unsigned", Share: 0.02, Mutate: loadtest.Mutation{Kind: "unsigned"}, Expect: loadtest.Expect{Status: []int{401}}},
			{Name: "body", Share: 0.02, Mutate: loadtest.Mutation{Kind: "body", Size: 100_000}, Expect: loadtest.Expect{Status: []int{413}}},
			{Name: "json", Share: 0.02, Mutate: loadtest.Mutation{Kind: "json"}, Expect: loadtest.Expect{Status: []int{400}}},
			{Name: "method", Share: 0.02, Mutate: loadtest.Mutation{Kind: "method"}, Expect: loadtest.Expect{Status: []int{405}}},
			{Name: "path", Share: 0.02, Mutate: loadtest.Mutation{Kind: "path", Path: "/nowhere/{{seq}}"}, Expect: loadtest.Expect{Status: []int{404}}},
		},
	}
}

func config(traffic *loadtest.Traffic) target.Config {
	return target.Config{Run: "r1", Seed: 42, BaseURL: "http://127.0.0.1:8080", Traffic: traffic}
}

func load(t testing.TB, c target.Config) *target.Magazine {
	t.Helper()
	m, err := target.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// shots returns the first n requests of a magazine that nobody fills.
func shots(t testing.TB, c target.Config, n uint64) []*target.Shot {
	t.Helper()
	m := load(t, c)
	out := make([]*target.Shot, n)
	for i := range out {
		out[i], _ = m.Next(uint64(i))
	}
	return out
}
