package httpd

// Routes returns what requests are counted by: the paths of the route table
// and one label for everything that no route matched.
func Routes() []string {
	var s Server
	labels := []string{routeNone}
	seen := map[string]bool{}
	for _, r := range s.routes() {
		if !seen[r.path] {
			seen[r.path] = true
			labels = append(labels, r.path)
		}
	}
	return labels
}
