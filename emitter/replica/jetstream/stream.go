package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// replicas is how many servers of a cluster keep a stream: losing one loses nothing.
	replicas = 3
	// usualBytes bounds a stream unless the options do, minBytes is the least of it. Room
	// for it is reserved where the servers bound theirs, so that less is tried there.
	usualBytes, minBytes = 8 << 30, 64 << 20
	// unreserved is the bound of a stream that takes what room there is.
	unreserved = -1
)

// The codes of server errors that the client has no names for.
const (
	codeNoPeers        jetstream.ErrorCode = 10005
	codeNoStorage      jetstream.ErrorCode = 10047
	codeNoResources    jetstream.ErrorCode = 10023
	codeStorageLimit   jetstream.ErrorCode = 10028
	codeNotClustered   jetstream.ErrorCode = 10074
	codeStreamFull     jetstream.ErrorCode = 10077
	codeMessageTooLong jetstream.ErrorCode = 10054
)

// stream is one of the streams, which is made when it is needed first.
type stream struct {
	*Connection
	name, subject string
	// denial is nil if the user may use it, as far as is known.
	denial atomic.Pointer[denial]

	mu     sync.Mutex
	handle jetstream.Stream // nil until it is known to exist
}

func (c *Connection) newStream(kind streamKind) *stream {
	return &stream{Connection: c, name: c.options.streamName(kind), subject: c.options.subject(kind)}
}

// open returns the stream, which is made if it does not exist.
func (s *stream) open(ctx context.Context) (jetstream.Stream, error) {
	s.mu.Lock()
	handle := s.handle
	s.mu.Unlock()
	if handle != nil {
		return handle, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	handle, err := s.js.Stream(ctx, s.name)
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, errConfig) {
		handle, err = s.create(ctx)
	}
	if err == nil {
		err = checkConfig(handle.CachedInfo().Config, s.subject)
	}
	if err != nil {
		return nil, s.explain(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handle = handle
	return handle, nil
}

// create makes the stream, with as much room as the servers grant.
func (s *stream) create(ctx context.Context) (handle jetstream.Stream, err error) {
	config := streamConfig(s.name, s.subject)
	if config.MaxBytes = s.options.MaxBytes; config.MaxBytes <= 0 {
		config.MaxBytes = usualBytes
	}
	if isCluster := s.conn.ConnectedClusterName() != ""; isCluster {
		config.Replicas = replicas
	}
	for {
		handle, err = s.js.CreateStream(ctx, config)
		lacksRoom := hasCode(err, codeNoStorage, codeNoResources, codeStorageLimit)
		if !lacksRoom || config.MaxBytes == unreserved {
			break
		}
		if config.MaxBytes /= 4; config.MaxBytes < minBytes {
			config.MaxBytes = unreserved
			s.log.Warn("the servers of the replicas have little room: nothing is reserved for this stream, and webhooks wait once it is used up; raise max_file_store",
				"stream", s.name, "wanted", minBytes)
		}
	}
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another replica was faster
		return s.js.Stream(ctx, s.name)
	}
	return handle, err
}

// info returns the state of the stream now.
func (s *stream) info(ctx context.Context, options ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	handle, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	info, err := handle.Info(ctx, options...)
	if err == nil {
		err = checkConfig(info.Config, s.subject)
	}
	if err != nil {
		return nil, s.failed(err)
	}
	return info, nil
}

// message returns the first message from a number on, that of a subject where it is not
// empty; errNone if there is none.
func (s *stream) message(ctx context.Context, number uint64, subject string) (*jetstream.RawStreamMsg, error) {
	handle, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var options []jetstream.GetMsgOpt
	if subject != "" {
		options = append(options, jetstream.WithGetMsgSubject(subject))
	}
	m, err := handle.GetMsg(ctx, number, options...)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, errNone
	} else if err != nil {
		return nil, s.failed(err)
	}
	return m, nil
}

// drop deletes the messages up to a number.
func (s *stream) drop(ctx context.Context, upTo uint64) error {
	if upTo == 0 {
		return nil
	}
	return s.purge(ctx, jetstream.WithPurgeSequence(upTo+1))
}

func (s *stream) purge(ctx context.Context, option jetstream.StreamPurgeOpt) error {
	handle, err := s.open(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := handle.Purge(ctx, option); err != nil {
		return s.failed(err)
	}
	return nil
}

// errNone is the error for a message that there is not.
var errNone = errors.New("there is no such message")

// failed notes that a stream which is gone or was edited has to be opened again, and
// explains an error.
func (s *stream) failed(err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s.mu.Lock()
		s.handle = nil
		s.mu.Unlock()
	}
	return s.explain(err)
}

// explain says in plain words what a server's error means for the stream.
func (s *stream) explain(err error) error {
	if text, isDenied := s.isDenied(); isDenied {
		return fmt.Errorf("cannot use the stream %s: %w: %s", s.name, errDenied, text)
	}
	why := ""
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		why = "JetStream is off: turn it on at the servers, and for the account: "
	case hasCode(err, codeNoPeers, codeNotClustered):
		why = fmt.Sprintf("a stream of a cluster is kept by %d servers, and fewer are there: ", replicas)
	case hasCode(err, codeNoStorage, codeNoResources, codeStorageLimit):
		why = "the servers have no room for it: raise max_file_store, or the limits of the account: "
	case hasCode(err, codeStreamFull):
		why = "it is full: "
	case hasCode(err, codeMessageTooLong):
		why = "a message is too long: raise max_payload: "
	case !s.IsConnected():
		why = "no server is connected: "
	}
	return fmt.Errorf("cannot use the stream %s: %s%w", s.name, why, s.options.hide(err))
}

// hasCode reports whether a server has answered with one of these codes.
func hasCode(err error, codes ...jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode == code {
			return true
		}
	}
	return false
}
