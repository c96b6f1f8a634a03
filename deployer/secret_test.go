package deployer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/seadog/seadog/deployer"
)

const hidden = "sentinel-5f1e"

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	secret := deployer.NewSecret(hidden)
	type outer struct {
		Exported   deployer.Secret
		unexported deployer.Secret
		list       []deployer.Secret
		byName     map[string]deployer.Secret
		pointer    *deployer.Secret
		any        any
	}
	values := []any{
		secret, &secret,
		[]deployer.Secret{secret},
		map[string]deployer.Secret{"a": secret},
		map[deployer.Secret]int{secret: 1},
		outer{secret, secret, []deployer.Secret{secret}, map[string]deployer.Secret{"a": secret}, &secret, secret},
		&outer{secret, secret, []deployer.Secret{secret}, map[string]deployer.Secret{"a": secret}, &secret, &secret},
		deployer.Hook{Name: "h", Secrets: []deployer.Secret{secret}},
		deployer.Project{Secrets: map[string]deployer.Secret{"TOKEN": secret}},
		struct{ deployer.Secret }{secret},
		fmt.Errorf("wrapped: %w, %v, %d", errors.New("x"), secret, secret),
	}
	var out bytes.Buffer
	for _, v := range values {
		for _, verb := range "vsdqxXtbcoOUeEfFgGpTw" {
			for _, flags := range []string{"", "+", "#", "-20.3", "020", " "} {
				fmt.Fprintf(&out, "%"+flags+string(verb)+"\n", v)
			}
		}
		fmt.Fprintln(&out, v)
		if data, err := json.Marshal(v); err == nil {
			out.Write(data)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", v, "group", slog.GroupValue(slog.Any("value", v)))
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", v)
	}
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), fmt.Sprint([]byte(hidden)), "senti"} {
		if at := strings.Index(out.String(), form); at >= 0 {
			t.Errorf("printed: …%s…", out.String()[max(0, at-80):min(out.Len(), at+80)])
		}
	}
	if got := secret.String() + fmt.Sprintf("%s %d %#v", secret, secret, secret); got != "[redacted][redacted] [redacted] [redacted]" {
		t.Errorf("prints as %q", got)
	}
}

func TestSecretEqualsOnlyItself(t *testing.T) {
	t.Parallel()
	secret := deployer.NewSecret(hidden)
	for v, want := range map[string]bool{hidden: true, "": false, hidden + "x": false, hidden[1:]: false, "[redacted]": false} {
		if got := secret.Equal(v); got != want {
			t.Errorf("equal to %q: %v, want %v", v, got, want)
		}
	}
	for _, none := range []deployer.Secret{{}, deployer.NewSecret("")} {
		if !none.Empty() || none.Reveal() != "" || none.Equal("") {
			t.Error("an empty secret equals something")
		}
	}
	if secret.Empty() || secret.Reveal() != hidden {
		t.Error("the secret is lost")
	}
}
