package memory

import (
	"bytes"
	"context"
	"io"
	"slices"

	"github.com/sidehook/sidehook/emitter/outbox/logerrors"
)

type snapshot struct {
	name    string
	content []byte
}

// Save keeps a snapshot, in place of one that has its name.
func (c *Connection) Save(ctx context.Context, name string, content io.Reader) error {
	if err := c.read(ctx, func() {}); err != nil {
		return err
	}
	all, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	return c.write(ctx, func() {
		c.servers.remove(name)
		c.servers.snapshots = append(c.servers.snapshots, snapshot{name, all})
	})
}

// Open returns a snapshot. What was opened can be read when the line is cut.
func (c *Connection) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	var found io.ReadCloser
	err := c.read(ctx, func() {
		for _, s := range c.servers.snapshots {
			if s.name == name {
				found = io.NopCloser(bytes.NewReader(s.content))
			}
		}
	})
	if err == nil && found == nil {
		err = logerrors.ErrGone
	}
	return found, err
}

// Snapshots returns the names of all snapshots, oldest first.
func (c *Connection) Snapshots(ctx context.Context) (names []string, err error) {
	err = c.read(ctx, func() {
		for _, s := range c.servers.snapshots {
			names = append(names, s.name)
		}
	})
	return names, err
}

// Remove deletes a snapshot, if there is one of this name.
func (c *Connection) Remove(ctx context.Context, name string) error {
	return c.write(ctx, func() { c.servers.remove(name) })
}

func (s *Servers) remove(name string) {
	s.snapshots = slices.DeleteFunc(s.snapshots, func(s snapshot) bool { return s.name == name })
}
