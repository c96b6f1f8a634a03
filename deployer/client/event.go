package client

import (
	"bytes"
	"errors"
	"strconv"
	"time"
)

// frame is one server-sent event as it came in.
type frame struct {
	kind  string // the "event" field
	id    string // the last id that was seen; it outlives the event that brought it
	data  []byte // valid until the next frame
	retry time.Duration
}

// frameReader reads server-sent events. Comments, unknown fields and events
// without data are passed over, as the format asks for.
type frameReader struct {
	lines *lineReader
	data  []byte
	id    string
	retry time.Duration // what the sender asked for, 0 until it did
}

// next returns the next event. Example input:
//
//	retry: 1000
//
//	: still here
//	id: 2:4711
//	event: line
//	data: {"step":"build","line":"#5 DONE 0.1s"}
//
// An event that the stream ends in is dropped.
func (f *frameReader) next() (frame, error) {
	kind := ""
	f.data = f.data[:0]
	for {
		line, err := f.lines.next()
		switch {
		case err != nil:
			return frame{}, err
		case len(line) == 0 && len(f.data) > 0:
			return frame{kind: kind, id: f.id, data: f.data[:len(f.data)-1], retry: f.retry}, nil
		case len(line) == 0:
			kind = ""
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			kind = string(value)
		case "data":
			f.data = append(append(f.data, value...), '\n')
			if len(f.data) > maxLine {
				return frame{}, errors.New("an event without end")
			}
		case "id":
			if !bytes.ContainsRune(value, 0) {
				f.id = string(value)
			}
		case "retry":
			if ms, err := strconv.ParseUint(string(value), 10, 16); err == nil {
				f.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
}
