package admin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

const (
	// handoverTopic is the topic of requests that the leader answers.
	handoverTopic = "admin"
	// maxHandover is the longest body of a request that is handed over, in bytes.
	maxHandover = 1 << 20
	// leaderPatience is how long a request waits for a replica to lead, and how long one
	// that works on it may be silent.
	leaderPatience = 5 * time.Second
	// readPatience is how long a page waits for what only the leader knows.
	readPatience = time.Second
	// askEvery is how often the leader is asked for the response.
	askEvery = 250 * time.Millisecond
)

var (
	errNoLeader = refusal{
		http.StatusServiceUnavailable, "no replica leads at the moment: one does some seconds after the last leader is gone, " +
			"unless the servers of the replicas cannot be reached; sidehook replicas shows who is there",
	}
	errLeaderLost = refusal{http.StatusServiceUnavailable, "the leader is gone, and it is not known what it has done of this: look, and try again"}
	errTooLong    = refusal{http.StatusBadRequest, "the request is too long to be handed to the replica that leads: send it there"}
)

// Link is what joins an Admin with those of the other replicas. Who can write to it is
// trusted: a request was authorised where it came in.
type Link interface {
	Ask(ctx context.Context, topic string, question []byte, fn func(answer []byte) (goesOn bool)) error
	Answer(ctx context.Context, topic string, fn func(question []byte) (answer []byte)) error
	MaxMessage() int
	IsConnected() bool
}

// handedRequest is a request on its way to the leader. The one that was asked first
// sends it until the leader has it, and then its ID alone until it has the response:
// messages may be lost, and what is sent twice is done once.
type handedRequest struct {
	ID     string `json:"id"`
	Method string `json:"method,omitempty"`
	// Target is the path and the query, empty where the leader has the request.
	Target      string `json:"target,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Body        []byte `json:"body,omitempty"`
}

// handedResponse is what the leader answers.
type handedResponse struct {
	// Done is false while the leader works on it.
	Done   bool              `json:"done"`
	Status int               `json:"status,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   []byte            `json:"body,omitempty"`
}

// byLeader has the replica that leads serve a request that changes something. limit
// is how long that may take.
func (a *Admin) byLeader(limit time.Duration, next http.HandlerFunc) http.HandlerFunc {
	if a.config.Replicas == nil {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if a.config.Store.Leads() {
			next(w, r)
			return
		}
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(limit + leaderPatience + requestTimeout))
		_ = control.SetWriteDeadline(time.Now().Add(limit + leaderPatience + requestTimeout))
		ctx, cancel := context.WithTimeout(r.Context(), limit+leaderPatience)
		defer cancel()
		response, err := a.handOver(ctx, r)
		if err != nil {
			refuse(w, err)
			return
		}
		for name, value := range response.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(response.Status)
		_, _ = w.Write(response.Body) // the client may be gone
	}
}

// readFromLeader reads what only the replica that leads knows.
func (a *Admin) readFromLeader(ctx context.Context, target string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	response, err := a.handOver(ctx, r)
	if err != nil {
		return err
	}
	return json.Unmarshal(response.Body, into)
}

// handOver sends a request to the leader, and returns its response.
func (a *Admin) handOver(ctx context.Context, r *http.Request) (*handedResponse, error) {
	request := handedRequest{ID: rand.Text(), Method: r.Method, Target: r.URL.RequestURI(), ContentType: r.Header.Get("Content-Type")}
	if r.Body != nil {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxHandover+1))
		if err != nil {
			return nil, badRequest(fmt.Errorf("cannot read the request: %w", err))
		}
		request.Body = body
	}
	whole, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("cannot hand the request over: %w", err)
	}
	if len(request.Body) > maxHandover || len(whole) > a.config.Replicas.Link.MaxMessage() {
		return nil, errTooLong
	}
	response := a.askLeader(ctx, whole)
	if response == nil {
		return nil, errNoLeader
	}
	again, err := json.Marshal(handedRequest{ID: request.ID})
	for err == nil && !response.Done {
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return nil, errLeaderLost
		}
		if response = a.askLeader(ctx, again); response == nil {
			return nil, errLeaderLost
		}
	}
	return response, err
}

// askLeader returns the answer to a question, nil if there is none for leaderPatience.
func (a *Admin) askLeader(ctx context.Context, question []byte) (response *handedResponse) {
	ctx, cancel := context.WithTimeout(ctx, leaderPatience)
	defer cancel()
	for response == nil && ctx.Err() == nil {
		round, end := context.WithTimeout(ctx, 2*askEvery)
		err := a.config.Replicas.Link.Ask(round, handoverTopic, question, func(answer []byte) bool {
			var one handedResponse
			if json.Unmarshal(answer, &one) != nil {
				return true
			}
			response = &one
			return false
		})
		if err != nil || response == nil {
			<-round.Done()
		}
		end()
	}
	return response
}

// isFollower reports whether err says that another replica leads.
func isFollower(err error) bool { return errors.Is(err, outbox.ErrFollows) }
