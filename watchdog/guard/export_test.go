package guard

// Boundary feeds a boundary and reports whether the request ended exactly.
func Boundary(body int64, reads ...string) bool {
	var b boundary
	for _, r := range reads {
		b.feed([]byte(r))
	}
	return b.next(body) && !b.lost
}

// Interim is what a write of p is taken for.
func Interim(p string) bool { return interim([]byte(p)) }
