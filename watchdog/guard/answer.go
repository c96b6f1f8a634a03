package guard

import "github.com/seadog/seadog/watchdog/answer"

// Overloaded returns the body of a 503 to a request that [Conn.Enter] refused,
// for adapters, and the seconds after which the client should try again.
func (c *Conn) Overloaded() (body []byte, retryAfter string) {
	p := answer.Problem{Code: "overloaded", Message: "the service is overloaded; try again in a moment", Request: c.ID()}
	return p.JSON(), "1"
}
