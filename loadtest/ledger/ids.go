package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// closeIDs reads {"ids": […]}: an id that is there twice was processed twice.
// It asks again until everything that was accepted is there.
func (l *Ledger) closeIDs(ctx context.Context, r *loadtest.LedgerReport) error {
	x, err := l.newIndex()
	if err != nil {
		return err
	}
	until := time.Now().Add(l.config.Patience)
	for {
		found, again := newSet(x.total), newSet(x.total)
		err := l.list.get(ctx, l.list.url, func(body io.Reader) error {
			return eachID(io.LimitReader(body, mostAnswer), func(id string) {
				position, ours := x.find(id)
				switch {
				case !ours:
				case found.has(position):
					again.add(position)
				default:
					found.add(position)
				}
			})
		})
		complete := err == nil && l.complete(x, found)
		if !complete && time.Now().Before(until) && !errors.As(err, new(errFinal)) && pause(ctx, betweenPolls) {
			continue
		}
		if err != nil {
			return err
		}
		b := balance{index: x, report: r}
		for position := range x.total {
			b.judge(position, found.has(position))
			if again.has(position) {
				r.Duplicate++
				b.example(aboutDuplicate, position, "processed more than once")
			}
		}
		b.close()
		return nil
	}
}

// complete reports whether everything that was accepted is there.
func (l *Ledger) complete(x *index, found set) bool {
	for position := range x.total {
		if x.state(position) == accepted && !found.has(position) {
			return false
		}
	}
	return true
}

// eachID reads the list without keeping it.
func eachID(body io.Reader, f func(id string)) error {
	dec := json.NewDecoder(body)
	if err := expect(dec, json.Delim('{')); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		if key != "ids" {
			if err := dec.Decode(new(json.RawMessage)); err != nil {
				return fmt.Errorf("decode: %w", err)
			}
			continue
		}
		token, err := dec.Token()
		switch {
		case err != nil:
			return fmt.Errorf("decode: %w", err)
		case token == nil: // an empty list of Go's
			return nil
		case token != json.Delim('['):
			return unlike(token, '[')
		}
		for dec.More() {
			var id string
			if err := dec.Decode(&id); err != nil {
				return fmt.Errorf("decode: %w", err)
			}
			f(id)
		}
		return expect(dec, json.Delim(']'))
	}
	return errFinal{errors.New(`no "ids" in it; the answer must be {"ids": ["…"]}`)}
}

func expect(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if token != want {
		return unlike(token, want)
	}
	return nil
}

func unlike(token json.Token, want json.Delim) error {
	return errFinal{fmt.Errorf(`%v where %v belongs; the answer must be {"ids": ["…"]}`, token, want)}
}
