package webhook

import "github.com/seadog/seadog/deployer"

// providerOf is the table of providers.
func providerOf(p deployer.Provider) (provider, bool) {
	switch p {
	case deployer.GitHub:
		return provider{verifyGitHub, parseGitHub}, true
	case deployer.GitLab:
		return provider{verifyGitLab, parseGitLab}, true
	case deployer.Gitea:
		return provider{verifyGitea, parseGitea}, true
	case deployer.Forgejo:
		return provider{verifyForgejo, parseForgejo}, true
	case deployer.Gogs:
		return provider{verifyGogs, parseGogs}, true
	case deployer.BitbucketCloud:
		return provider{verifyBitbucketCloud, parseBitbucketCloud}, true
	case deployer.BitbucketServer:
		return provider{verifyBitbucketServer, parseBitbucketServer}, true
	case deployer.Registry:
		return provider{verifyRegistry, parseRegistry}, true
	case deployer.DockerHub:
		return provider{verifyDockerHub, parseDockerHub}, true
	case deployer.Generic:
		return provider{verifyGeneric, parseGeneric}, true
	}
	return provider{}, false
}
