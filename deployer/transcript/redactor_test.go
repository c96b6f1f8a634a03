package transcript_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/transcript"
)

func secrets() (list []deployer.Secret) {
	for i := range 20 {
		list = append(list, deployer.NewSecret(fmt.Sprintf("s3cr3t/%d+p@ss w0rd&\"%d'$x", i, i*i)))
	}
	return list
}

func TestASecretIsFoundInEveryForm(t *testing.T) {
	t.Parallel()
	const secret = `p@ss/w0rd+"quoted"<&>'it' $HOME`
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string]string{
		"plain":              secret,
		"query":              url.QueryEscape(secret),
		"path":               url.PathEscape(secret),
		"user information":   url.UserPassword("u", secret).String()[2:],
		"lower-case escapes": strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3C", "%3c", "%3E", "%3e").Replace(url.QueryEscape(secret)),
		"JSON":               strings.Trim(string(quoted), `"`),
		"base64":             base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 raw URL":     base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"compose config":     strings.ReplaceAll(secret, "$", "$$"),
		"YAML":               strings.ReplaceAll(secret, "'", "''"),
	}
	r := transcript.NewRedactor(deployer.NewSecret(secret))
	for name, form := range forms {
		if got := r.String("a=" + form + " b"); got != "a=[redacted] b" {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, user := range []string{"u", "us", "use", "user"} {
		for _, after := range []string{"", "\n", "xx"} {
			text := base64.StdEncoding.EncodeToString([]byte(user + ":" + secret + after))
			got := r.String("Authorization: Basic " + text)
			if left := strings.TrimPrefix(got, "Authorization: Basic "); len(left) > 10+24 || !strings.Contains(left, "[redacted]") {
				t.Errorf("in base64 after %q: %q of %q", user, got, text)
			}
		}
	}
}

func TestRedaction(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN KEY-----\nAAAAB3NzaC1\r\n  bbbb2222cccc\nabc\n-----END KEY-----\n"
	r := transcript.NewRedactor(
		deployer.NewSecret("alpha-beta"), deployer.NewSecret("beta-gamma"), deployer.NewSecret("alpha"),
		deployer.NewSecret("abc"), deployer.NewSecret(""), deployer.NewSecret(key), deployer.NewSecret("gr\x1b[1mün-geheim"),
	)
	for in, want := range map[string]string{
		"":                                   "",
		"nothing here":                       "nothing here",
		"alpha":                              "[redacted]",
		"alphalpha":                          "[redacted]",
		"alphaalpha":                         "[redacted][redacted]",
		"x alpha-beta y":                     "x [redacted] y",
		"alpha-beta-gamma.":                  "[redacted].",
		"abc is too short":                   "abc is too short",
		"AAAAB3NzaC1 bbbb2222cccc!":          "[redacted] [redacted]!",
		"grün-geheim":                        "[redacted]",
		"https://u:p@h/x":                    "https://[redacted]@h/x",
		"https://token@h/x":                  "https://[redacted]@h/x",
		"https://u:p@ss@h/x":                 "https://[redacted]@h/x",
		"https://h/x@y:z":                    "https://h/x@y:z",
		"https://h?q=a@b":                    "https://h?q=a@b",
		"ssh://git@h/x":                      "ssh://git@h/x",
		"git@h:x/y":                          "git@h:x/y",
		"postgres://u:p@h,https://h":         "postgres://[redacted]@h,https://h",
		`"https:\/\/u:p@h\/x"`:               `"https:\/\/[redacted]@h\/x"`,
		"https%3A%2F%2Fu%3Ap%40h":            "https%3A%2F%2F[redacted]%40h",
		"https%3a%2f%2ftoken%40h":            "https%3a%2f%2f[redacted]%40h",
		"https%3A%2F%2Fh%2Fx%22%2C+%22a%40b": "https%3A%2F%2Fh%2Fx%22%2C+%22a%40b",
		"%22https%3a%2f%2fa%3ab%252f%40h%2fx%22%3a%22c%40d%22": "%22https%3a%2f%2f[redacted]%40h%2fx%22%3a%22c%40d%22",
		"https://u:p%2Fq@h/x":       "https://[redacted]@h/x",
		"redis://:p@h redis://:q@h": "redis://[redacted]@h redis://[redacted]@h",
	} {
		if got := r.String(in); got != want {
			t.Errorf("%q = %q, want %q", in, got, want)
		}
		line := []byte(in)
		if got := string(r.Redact(line)); got != want || string(line) != in {
			t.Errorf("%q = %q, and became %q", in, got, line)
		}
	}
	var none transcript.Redactor
	if got := none.String("https://u:p@h alpha"); got != "https://[redacted]@h alpha" {
		t.Errorf("zero value: %q", got)
	}
}

// TestAHostileLineTakesTimeInProportionToItsLength: squared, this takes hours.
func TestAHostileLineTakesTimeInProportionToItsLength(t *testing.T) {
	t.Parallel()
	var r transcript.Redactor
	for piece, want := range map[string]string{
		"http://a@b ":       "http://[redacted]@b ",
		"%3a%2f%2f":         "%3a%2f%2f",
		"http%3a%2f%2fa ":   "http%3a%2f%2fa ",
		`ssh:\/\/git@h\/x `: `ssh:\/\/git@h\/x `,
	} {
		const n = 1 << 19
		if got := r.String(strings.Repeat(piece, n)); got != strings.Repeat(want, n) {
			t.Errorf("%q became %.60q …", piece, got)
		}
	}
}

// FuzzRedact: whatever is around a secret, it does not come through.
func FuzzRedact(f *testing.F) {
	f.Add("correct-horse", "a", "b")
	f.Add("aaaa", "aaa", "aaa")
	f.Add("a://", "http", "u:p@h")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if len(secret) < 4 || strings.Contains("[redacted]", secret) {
			t.Skip()
		}
		r := transcript.NewRedactor(deployer.NewSecret(secret))
		got := r.String(before + secret + after)
		for part := range strings.SplitSeq(got, "[redacted]") {
			if strings.Contains(part, secret) {
				t.Errorf("%q in %q", secret, got)
			}
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	r := transcript.NewRedactor(secrets()...)
	line := []byte(strings.Repeat("#12 34.56 Get:7 http://deb.example.org/debian stable/main amd64 libexample1 amd64 1.2.3-4 [56.7 kB] ", 10))
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		r.Redact(line)
	}
}
