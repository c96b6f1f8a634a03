// Package answer holds what the watchdog itself says to clients: worker and
// master answer a request that was given up in the same words. It starts no
// goroutine and writes to nobody.
package answer

import (
	"encoding/json"
	"fmt"
	"time"
)

// Problem is the body of an answer.
type Problem struct {
	Code     string
	Message  string
	Request  string // its id
	Incident string // "" if there is none
}

// JSON returns the body.
func (p Problem) JSON() []byte {
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
		Request  string `json:"request"`
		Incident string `json:"incident,omitempty"`
	}
	body.Error.Code, body.Error.Message = p.Code, p.Message
	body.Request, body.Incident = p.Request, p.Incident
	b, _ := json.Marshal(body) // strings only: never fails
	return b
}

// Timeout returns the whole 504 to a request that was given up. It is not 408,
// which tells clients to send the request again, by themselves.
func Timeout(request, incident, message string) []byte {
	body := Problem{Code: "timeout", Message: message, Request: request, Incident: incident}.JSON()
	head := fmt.Appendf(nil, "HTTP/1.1 504 Gateway Timeout\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n",
		time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), len(body))
	if harmless(request) {
		head = fmt.Appendf(head, "X-Request-Id: %s\r\n", request)
	}
	return append(append(head, "\r\n"...), body...)
}

// harmless reports whether an id may stand in a header. The master has it from
// a process that failed, which may have had it from the client.
func harmless(id string) bool {
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return id != ""
}
