package spec

// Keys are all keys of the format.
func Keys() []string { return formatKeys() }
