package transcript

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"
)

// RemoveBefore removes the transcripts of deployments to which nothing was
// added since t, and returns how many there were. It stops when ctx ends.
func (b Book) RemoveBefore(ctx context.Context, t time.Time) (int, error) {
	ids, err := b.Deployments()
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, id := range ids {
		if ctx.Err() != nil {
			break
		}
		if newest, err := b.newest(id); err != nil || !newest.Before(t) {
			continue
		}
		if err := b.Remove(id); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, ctx.Err()
}

// Deployments returns the deployments that have a transcript, in no order.
func (b Book) Deployments() ([]int64, error) {
	entries, err := os.ReadDir(b.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list transcripts: %w", err)
	}
	var ids []int64
	for _, e := range entries {
		if id, err := strconv.ParseInt(e.Name(), 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// newest is when something was last written for a deployment.
func (b Book) newest(deployment int64) (time.Time, error) {
	files, err := os.ReadDir(b.directory(deployment))
	if err != nil {
		return time.Time{}, err
	}
	var newest time.Time
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			return time.Time{}, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}
