package main

import (
	"context"
	"errors"
)

// board is what "seadog top --json" tells about the workers, as far as it is
// of interest here.
type board struct {
	SoftKills int `json:"soft_kills"`
	Kills     int `json:"kills"`
	Lost      int `json:"lost"`
	Shed      int `json:"shed"`
	Workers   []struct {
		PID   int    `json:"pid"`
		State string `json:"state"`
	} `json:"workers"`
}

func (s *server) top(ctx context.Context) (board, error) {
	var all struct {
		Pools []board `json:"pools"`
	}
	if err := s.tell(ctx, &all, "top"); err != nil {
		return board{}, err
	}
	if len(all.Pools) != 1 {
		return board{}, errors.New("seadog top: not one pool")
	}
	return all.Pools[0], nil
}

// leaving counts the workers that are being replaced.
func (b board) leaving() int {
	n := 0
	for _, w := range b.Workers {
		switch w.State {
		case "quarantined", "draining", "stopping":
			n++
		}
	}
	return n
}
