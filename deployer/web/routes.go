package web

import (
	"github.com/seadog/seadog/deployer"
)

// route is one page, or what a page asks for.
type route struct {
	method string
	path   string
	scope  deployer.Scope // that a session needs; "" asks for none
	body   int64          // bytes
	stream bool
	handle func(*UI, *visit) error
}

// formBody is room for the longest reason of a lock, and all else is shorter.
const formBody = 8 << 10

// routes is all that there is. It does not look at u, so that the labels of
// requests are known without one.
func (u *UI) routes() []route {
	const read, deploy = deployer.ScopeRead, deployer.ScopeDeploy
	return []route{
		{method: get, path: "/", scope: read, handle: (*UI).overview},
		{method: get, path: "/live", scope: read, stream: true, handle: (*UI).live},
		{method: get, path: "/projects/{project}", scope: read, handle: (*UI).project},
		{method: post, path: "/projects/{project}/{action}", scope: deploy, body: formBody, handle: (*UI).order},
		{method: get, path: "/deployments", scope: read, handle: (*UI).deployments},
		{method: get, path: "/deployments/{id}", scope: read, handle: (*UI).deployment},
		{method: get, path: "/deployments/{id}/live", scope: read, stream: true, handle: (*UI).follow},
		{method: get, path: "/deployments/{id}/log", scope: read, stream: true, handle: (*UI).logRecords},
		{method: get, path: "/deployments/{id}/log.txt", scope: read, stream: true, handle: (*UI).logText},
		{method: post, path: "/deployments/{id}/cancel", scope: deploy, body: formBody, handle: (*UI).cancel},

		{method: get, path: "/deliveries", scope: read, handle: (*UI).deliveries},
		{method: get, path: "/deliveries/{id}", scope: read, handle: (*UI).delivery},
		{method: get, path: "/workers", scope: read, handle: (*UI).workers},
		{method: get, path: "/incidents", scope: read, handle: (*UI).incidents},
		{method: get, path: "/incidents/{id}", scope: read, handle: (*UI).incident},
		{method: get, path: "/incidents/{id}/dump", scope: read, stream: true, handle: (*UI).rawDump},
		{method: get, path: "/reports", scope: read, handle: (*UI).reports},
		{method: get, path: "/reports/{id}", scope: read, handle: (*UI).report},
		{method: get, path: "/reports/{id}/report.html", scope: read, stream: true, handle: (*UI).reportHTML},
		{method: get, path: "/settings", scope: read, handle: (*UI).settings},
		{method: get, path: "/settings/seadog.yml", scope: deployer.ScopeAdmin, handle: (*UI).config},

		{method: get, path: "/sign-in", handle: (*UI).signIn},
		{method: post, path: "/sign-in", body: formBody, handle: (*UI).tryToken},
		{method: post, path: "/sign-out", scope: read, body: formBody, handle: (*UI).signOut},
		{method: post, path: "/theme", scope: read, body: formBody, handle: (*UI).theme},
		{method: get, path: "/assets/{name}", handle: (*UI).asset},
	}
}
