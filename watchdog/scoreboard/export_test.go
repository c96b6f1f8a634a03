package scoreboard

// CreateUnlinked is what serves where there is no memfd_create.
var CreateUnlinked = createUnlinked
