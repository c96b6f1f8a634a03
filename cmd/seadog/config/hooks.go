package config

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// hooks builds one hook per name. Projects that share one may each say how it
// is verified, or leave that to one of them, but may not contradict each other.
func (b *builder) hooks() {
	hooks := map[string]*deployer.Hook{}
	said := map[string]string{} // hook → project that said how it is verified
	for i := range b.cfg.Projects {
		p := &b.cfg.Projects[i]
		key, w := child(child("projects", p.Name), "webhook"), &b.f.projects[p.Name].Webhook
		if !deployer.ValidName(p.Hook) && w.Hook != "" {
			b.fail(child(key, "hook"), nameRule, "%q cannot name a hook", p.Hook)
		}
		h := hooks[p.Hook]
		if h == nil {
			h = &deployer.Hook{Name: p.Hook}
			hooks[p.Hook] = h
		}
		h.Projects = append(h.Projects, p.Name)
		secrets := b.hookSecrets(key, w)
		if w.Provider == "" && len(secrets) == 0 {
			continue
		}
		provider := deployer.Provider(w.Provider)
		b.provider(key, provider)
		if provider == deployer.DockerHub {
			b.pathSafe(child(key, "secret"), secrets)
		}
		switch other, ok := said[p.Hook]; {
		case !ok:
			h.Provider, h.Secrets = provider, secrets
			said[p.Hook] = p.Name
		case h.Provider != provider || !slices.Equal(h.Secrets, secrets):
			b.fail(key, "give provider and secret in one of them only, or the same in both", "contradicts project %s, which shares the hook %s", other, p.Hook)
		}
	}
	b.complete(hooks)
}

// complete refuses hooks that nobody can send to, or anybody.
func (b *builder) complete(hooks map[string]*deployer.Hook) {
	for _, h := range hooks {
		key := child(child("projects", h.Projects[0]), "webhook")
		if h.Provider == "" {
			b.provider(key, h.Provider)
		}
		if len(h.Secrets) == 0 && !b.insecure && !b.secretTried(h) {
			b.fail(child(key, "secret"), "give secret or secret_file the value that the sender has, or start with --insecure", "missing, so anybody could deploy")
		}
		b.cfg.Hooks = append(b.cfg.Hooks, *h)
	}
	slices.SortFunc(b.cfg.Hooks, func(x, y deployer.Hook) int { return cmp.Compare(x.Name, y.Name) })
}

// secretTried reports whether a secret was given but could not be used, which is a problem of its own.
func (b *builder) secretTried(h *deployer.Hook) bool {
	return slices.ContainsFunc(h.Projects, func(name string) bool {
		key, w := child(child("projects", name), "webhook"), b.f.projects[name].Webhook
		return w.SecretFile != "" || w.PreviousSecretFile != "" || b.given(child(key, "secret")) || b.given(child(key, "previous_secret"))
	})
}

func (b *builder) provider(key string, p deployer.Provider) {
	if slices.Contains(deployer.Providers(), p) {
		return
	}
	names := make([]string, 0, len(deployer.Providers()))
	for _, known := range deployer.Providers() {
		names = append(names, string(known))
	}
	if p == "" {
		b.fail(child(key, "provider"), "write one of "+strings.Join(names, ", "), "missing: it is never guessed from what a sender claims")
		return
	}
	b.fail(child(key, "provider"), "write one of "+strings.Join(names, ", "), "%q is not a provider", p)
}

var segmentRE = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// pathSafe refuses secrets that a URL would change: Docker Hub does not sign,
// so its secret is the last segment of the hook's URL.
func (b *builder) pathSafe(key string, secrets []deployer.Secret) {
	for _, s := range secrets {
		if !segmentRE.MatchString(s.Reveal()) {
			b.fail(key, "make a new one with: openssl rand -hex 32", "the secret of docker-hub is part of a URL and may hold only letters, digits, _ and -")
		}
	}
}

func (b *builder) hookSecrets(key string, w *webhook) []deployer.Secret {
	current := b.secret(child(key, "secret"), w.Secret, w.SecretFile, strong)
	previous := b.secret(child(key, "previous_secret"), w.PreviousSecret, w.PreviousSecretFile, strong)
	if current.Empty() {
		if !previous.Empty() {
			b.fail(child(key, "previous_secret"), "give the new one as secret", "there is no secret that it precedes")
		}
		return nil
	}
	if previous.Empty() {
		return []deployer.Secret{current}
	}
	return []deployer.Secret{current, previous}
}
