package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxVarz bounds the answer of a monitor, in bytes.
const maxVarz = 1 << 20

// monitor asks a server's monitoring whether it syncs what it acknowledges.
func (i *inspection) monitor(ctx context.Context, address string) {
	varz, err := getVarz(ctx, address)
	shown := address
	if u, parsed := url.Parse(address); parsed == nil {
		shown = u.Host
	}
	switch {
	case err != nil:
		i.find(Unmonitored, "the monitor of %s does not say whether the server syncs what it acknowledges: %v", shown, err)
	case varz.JetStream.Config == nil:
		i.find(NoJetStream, "JetStream is off at %s", shown)
	case varz.JetStream.Config.MaxStore >= 0 && varz.JetStream.Config.MaxStore < 3*minBytes:
		i.find(NoRoom, "the server at %s has room for %d MiB, and %d MiB are the least that is needed: raise max_file_store", shown, varz.JetStream.Config.MaxStore>>20, 3*minBytes>>20)
	}
	if varz.JetStream.Config != nil && !varz.JetStream.Config.SyncAlways {
		i.find(NotSynced, "the server at %s acknowledges what is not on its disk yet: set jetstream {sync_interval: always} there", shown)
	}
}

// varz is what we want of a server's /varz.
type varz struct {
	JetStream struct {
		Config *struct {
			MaxStore   int64 `json:"max_storage"`
			SyncAlways bool  `json:"sync_always"`
		} `json:"config"`
	} `json:"jetstream"`
}

func getVarz(ctx context.Context, address string) (v varz, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/varz", nil)
	if err != nil {
		return v, errors.New("its address is not a URL")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return v, errors.Unwrap(err) // without the URL
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return v, fmt.Errorf("status %d", response.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxVarz)).Decode(&v); err != nil {
		return v, errors.New("what answers there is no NATS server")
	}
	return v, nil
}
