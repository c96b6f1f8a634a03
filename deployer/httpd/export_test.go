package httpd

import "github.com/seadog/seadog/deployer"

// Route is a line of the route table, for the test of openapi.json.
type Route struct {
	Method, Path string
	Scope        deployer.Scope
}

// Routes returns the route table.
func (s *Server) Routes() []Route {
	var all []Route
	for _, r := range s.routes() {
		all = append(all, Route{r.method, r.path, r.scope})
	}
	return all
}

// SameRepository is pure and has a table of its own.
var SameRepository = sameRepository
