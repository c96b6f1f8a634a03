package guard

// boundary finds out whether a server holds bytes of the next request when it
// has answered one. fasthttp says so by the order of its calls; for net/http
// the requests must be measured. As soon as something is not certain, nothing
// is any more.
type boundary struct {
	lost    bool
	got     int64 // bytes read of this request and what follows
	head    int64 // where its header ends; 0 if that was not found
	matched int   // how much of the end of a header was read
}

const headEnd = "\r\n\r\n"

func (b *boundary) feed(p []byte) {
	for i := 0; b.head == 0 && i < len(p); i++ {
		switch {
		case p[i] == headEnd[b.matched]:
			b.matched++
		case p[i] == '\r':
			b.matched = 1
		default:
			b.matched = 0
		}
		if b.matched == len(headEnd) {
			b.head = b.got + int64(i) + 1
		}
	}
	b.got += int64(len(p))
}

// next ends a request with a body of that length, -1 if it is not known, and
// reports whether nothing that follows was read.
func (b *boundary) next(body int64) bool {
	exact := !b.lost && b.head != 0 && body >= 0 && b.got == b.head+body
	*b = boundary{lost: !exact}
	return exact
}
