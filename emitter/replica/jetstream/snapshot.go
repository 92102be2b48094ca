package jetstream

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// pieceSize is how long the pieces of a snapshot are, in bytes.
const pieceSize = 512 << 10

// tornAfter is for how long nothing was added to a snapshot that will not become whole.
const tornAfter = 10 * time.Second

// The headers of the last message of a snapshot, which has no content. It makes the
// snapshot whole.
const (
	headerPieces = "Sidehook-Pieces"
	headerDigest = "Sidehook-Digest"
)

// Save implements outbox.Log. It removes what others have left that died meanwhile: there
// may be something in it that was to be forgotten.
func (c *Connection) Save(ctx context.Context, name string, snapshot io.Reader) error {
	if err := c.save(ctx, c.snapshotSubject(name), snapshot); err != nil {
		// What is there of it is of no use; if it cannot be removed, the next Save does it.
		removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		_ = c.Remove(removing, name)
		return err
	}
	if err := c.removeTorn(ctx, c.snapshotSubject(name)); err != nil {
		return fmt.Errorf("cannot remove what is left of a snapshot that was not saved: %w", err)
	}
	return nil
}

// removeTorn removes snapshots that are not whole and to which nothing was added for a
// while before one was.
func (c *Connection) removeTorn(ctx context.Context, whole string) error {
	ends, err := c.snapshotEnds(ctx)
	if err != nil || ends[whole] == nil {
		return err
	}
	for subject, last := range ends {
		if _, digest := wholeness(last); digest != "" || ends[whole].Time.Sub(last.Time) < c.tornAfter {
			continue
		}
		if err := c.snapshots.purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Connection) save(ctx context.Context, subject string, snapshot io.Reader) error {
	digest := sha256.New()
	piece := make([]byte, min(pieceSize, c.MaxMessage()))
	for n := 0; ; n++ {
		size, err := io.ReadFull(snapshot, piece)
		isEnd := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !isEnd {
			return err
		}
		if size > 0 {
			digest.Write(piece[:size])
			if err := c.publishPiece(ctx, &nats.Msg{Subject: subject, Data: piece[:size]}, n); err != nil {
				return err
			}
		}
		if isEnd {
			last := &nats.Msg{Subject: subject, Header: nats.Header{}}
			last.Header.Set(headerPieces, strconv.Itoa(n+min(size, 1)))
			last.Header.Set(headerDigest, hex.EncodeToString(digest.Sum(nil)))
			return c.publishPiece(ctx, last, n+1)
		}
	}
}

// publishPiece stores a message of a snapshot, once: an acknowledgement that is lost
// makes it come again with the same id.
func (c *Connection) publishPiece(ctx context.Context, m *nats.Msg, n int) (err error) {
	id := jetstream.WithMsgID(m.Subject + "." + strconv.Itoa(n))
	for wait := minPause; ; {
		if _, err = c.snapshots.open(ctx); err == nil {
			trying, cancel := context.WithTimeout(ctx, callTimeout)
			_, err = c.js.PublishMsg(trying, m, id, jetstream.WithExpectStream(c.snapshots.name), jetstream.WithRetryAttempts(0))
			cancel()
			if err == nil {
				return nil
			}
			err = c.snapshots.failed(err)
		}
		if ctx.Err() != nil || errors.Is(err, errDenied) || hasCode(err, codeStreamFull, codeNoStorage, codeStorageLimit) {
			return err
		}
		wait = pause(ctx, wait)
	}
}

// Open implements outbox.Log. The reader ends with ctx.
func (c *Connection) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	subject := c.snapshotSubject(name)
	last, err := c.lastPiece(ctx, subject)
	if err != nil {
		return nil, err
	}
	pieces, digest := wholeness(last)
	if digest == "" {
		return nil, outbox.ErrGone
	}
	return &snapshotReader{c: c, ctx: ctx, subject: subject, left: pieces, digest: digest, sum: sha256.New()}, nil
}

// lastPiece returns the last message of a snapshot.
func (c *Connection) lastPiece(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	handle, err := c.snapshots.open(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	m, err := handle.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, outbox.ErrGone
	} else if err != nil {
		return nil, c.snapshots.failed(err)
	}
	return m, nil
}

// wholeness returns how many pieces a snapshot has, and its digest, by its last message;
// the digest is empty unless it is whole.
func wholeness(last *jetstream.RawStreamMsg) (pieces int, digest string) {
	pieces, err := strconv.Atoi(last.Header.Get(headerPieces))
	if err != nil {
		return 0, ""
	}
	return pieces, last.Header.Get(headerDigest)
}

// snapshotReader reads a snapshot piece by piece.
type snapshotReader struct {
	c       *Connection
	ctx     context.Context //nolint:containedctx // a reader has no other place for it
	subject string
	// next is the number from which the next piece is looked for, left how many there are.
	next uint64
	left int
	// rest is what was read of a piece and not taken.
	rest   []byte
	digest string
	sum    hash.Hash
}

// Read implements io.Reader. It fails at the end of a snapshot that is not what was saved.
func (r *snapshotReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.left == 0 {
			if hex.EncodeToString(r.sum.Sum(nil)) != r.digest {
				return 0, errors.New("cannot read a snapshot: it is not what was saved")
			}
			return 0, io.EOF
		}
		m, err := r.c.snapshots.message(r.ctx, r.next+1, r.subject)
		if err != nil {
			return 0, fmt.Errorf("cannot read a snapshot: %w", err)
		}
		r.next, r.rest, r.left = m.Sequence, m.Data, r.left-1
		r.sum.Write(r.rest)
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (*snapshotReader) Close() error { return nil }

// Snapshots implements outbox.Log.
func (c *Connection) Snapshots(ctx context.Context) (names []string, err error) {
	ends, err := c.snapshotEnds(ctx)
	if err != nil {
		return nil, err
	}
	inOrder := func(a, b string) int { return cmp.Compare(ends[a].Sequence, ends[b].Sequence) }
	for _, subject := range slices.SortedFunc(maps.Keys(ends), inOrder) {
		if _, digest := wholeness(ends[subject]); digest != "" {
			names = append(names, strings.TrimPrefix(subject, c.snapshotSubject("")))
		}
	}
	return names, nil
}

// snapshotEnds returns the last message that there is of each snapshot, by its subject.
func (c *Connection) snapshotEnds(ctx context.Context) (ends map[string]*jetstream.RawStreamMsg, err error) {
	info, err := c.snapshots.info(ctx, jetstream.WithSubjectFilter(c.snapshots.subject))
	if err != nil {
		return nil, err
	}
	ends = map[string]*jetstream.RawStreamMsg{}
	for subject := range info.State.Subjects {
		last, err := c.lastPiece(ctx, subject)
		if errors.Is(err, outbox.ErrGone) {
			continue
		} else if err != nil {
			return nil, err
		}
		ends[subject] = last
	}
	return ends, nil
}

// Remove implements outbox.Log.
func (c *Connection) Remove(ctx context.Context, name string) error {
	return c.snapshots.purge(ctx, jetstream.WithPurgeSubject(c.snapshotSubject(name)))
}

func (c *Connection) snapshotSubject(name string) string {
	return c.options.App + ".snapshots." + name
}
