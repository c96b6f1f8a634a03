package guard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// problem is the body of every answer of the guard itself.
type problem struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Request  string `json:"request"`
	Incident string `json:"incident,omitempty"`
}

func (p problem) encode(code, message string) []byte {
	p.Error.Code, p.Error.Message = code, message
	b, _ := json.Marshal(p) // strings only: never fails
	return b
}

// timeout is the whole 504 to a request that took too long. It is not 408,
// which tells clients to send the request again, by themselves.
func timeout(request, incident string, limit time.Duration) []byte {
	message := fmt.Sprintf("the request was given up after %s", limit)
	body := problem{Request: request, Incident: incident}.encode("timeout", message)
	head := fmt.Appendf(nil, "HTTP/1.1 504 Gateway Timeout\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\nX-Request-Id: %s\r\n\r\n",
		time.Now().UTC().Format(http.TimeFormat), len(body), request)
	return append(head, body...)
}

// Overloaded returns the body of a 503 to a request that [Conn.Enter] refused,
// for adapters, and the seconds after which the client should try again.
func (c *Conn) Overloaded() (body []byte, retryAfter string) {
	return problem{Request: c.ID()}.encode("overloaded", "the service is overloaded; try again in a moment"), "1"
}
