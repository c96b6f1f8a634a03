package handoff

// ParseEstate returns the descriptors that an estate names.
func ParseEstate(value string) ([]int, error) {
	e, err := parseEstate(value)
	var fds []int
	for _, k := range e.Sockets {
		fds = append(fds, k.FD)
	}
	for _, w := range e.Survivors {
		fds = append(fds, w.FD)
	}
	return fds, err
}
