package process

// What the kernel of a test machine cannot be made to say.
var (
	ParseStat  = parseStat
	Kilobytes  = kilobytes
	YamaAllows = yamaAllows
)
