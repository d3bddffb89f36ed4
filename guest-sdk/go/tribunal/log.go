package tribunal

// LogLevel is how much a line matters.
type LogLevel uint8

// The levels.
const (
	Debug LogLevel = iota
	Info
	Warn
)

// LogTo is where lines of the operator's log go: in a component to the host, in a test wherever the test says.
var LogTo = func(level LogLevel, message string) {}

// Log writes a line to the operator's log; the host may drop it.
func Log(level LogLevel, message string) { LogTo(level, message) }
