package process

// What the kernel of a test machine cannot be made to say.
var (
	ParseStat    = parseStat
	ParseRunning = parseRunning
	ParseWaits   = parseWaits
	Kilobytes    = kilobytes
	YamaAllows   = yamaAllows
)
