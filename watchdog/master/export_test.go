package master

// ParseStartTicks reads a line of /proc/PID/stat.
var ParseStartTicks = parseStartTicks
