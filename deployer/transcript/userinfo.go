package transcript

import "bytes"

// separators are the ways in which "://" is written, plainly and escaped, with
// what ends the part after them in that way of writing.
var separators = []struct{ text, at, colon, ends string }{
	{"://", "@", ":", "/?#"},
	{`:\/\/`, "@", ":", `\/?#`},
	{"%3a%2f%2f", "%40", "%3a", "/?#"},
	{"%3A%2F%2F", "%40", "%3A", "/?#"},
}

// redactURLs masks the user information of URLs, user and password alike
// because tokens are passed as either. A user without password, as in
// ssh://git@host, stays unless the scheme is http or https. It returns line
// itself if there is nothing to mask.
func redactURLs(line []byte) []byte {
	for _, sep := range separators {
		var out []byte
		done := 0 // what of line is in out
		for from := 0; ; {
			i := bytes.Index(line[from:], []byte(sep.text))
			if i < 0 {
				break
			}
			scheme, begin := line[:from+i], from+i+len(sep.text)
			authority := line[begin : begin+authorityLen(line[begin:], sep.ends, sep.at != "@")]
			at := bytes.LastIndex(authority, []byte(sep.at))
			// Nothing that has to be masked begins within the rest: there would be a
			// colon before it. Without this, a hostile line would take forever.
			from = begin + len(authority)
			if at <= 0 || string(authority[:at]) == mask {
				continue
			}
			web := bytes.HasSuffix(scheme, []byte("http")) || bytes.HasSuffix(scheme, []byte("https"))
			if web || bytes.Contains(authority[:at], []byte(sep.colon)) {
				out = append(append(out, line[done:begin]...), mask...)
				done = begin + at
			}
		}
		if out != nil {
			line = append(out, line[done:]...)
		}
	}
	return line
}

// authorityLen is the length of the user and host that b, which may be encoded
// as a whole, starts with.
func authorityLen(b []byte, ends string, encoded bool) int {
	for i, c := range b {
		if encoded && c == '%' && i+2 < len(b) && endsEncoded(b[i+1], b[i+2]) {
			return i
		}
		if c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || bytes.IndexByte([]byte(ends), c) >= 0 {
			return i
		}
	}
	return len(b)
}

// endsEncoded reports whether % and those digits stand for what ends an
// authority: in a form, nothing else does, and all that follows it up to the
// next e-mail address would be taken for a user.
func endsEncoded(high, low byte) bool {
	switch string([]byte{high, low | 0x20}) { // letters in lower case; digits stay what they are
	case "2f", "3f", "23", "22", "20", "27", "3c", "3e", "5c", "0a", "0d", "09":
		return true
	}
	return false
}
