package demo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/sidehook/sidehook/rules/terminal"
)

// maxWebhook is the largest body of a webhook, in bytes.
const maxWebhook = 1 << 20

// Receiver is a minimal receiver of webhooks: it verifies the signature of each
// one and prints it.
type Receiver struct {
	// Secret is the key that webhooks are signed with.
	Secret string
	// Out gets each webhook; writes to it do not overlap.
	Out io.Writer

	printing sync.Mutex
}

// ServeHTTP implements http.Handler. It responds 204, or 401 if the signature does
// not verify.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxWebhook))
	if err != nil {
		http.Error(w, "cannot read the webhook", http.StatusBadRequest)
		return
	}
	if !r.verifies(req.Header.Get("X-Decsys-Signature"), body) {
		http.Error(w, "the signature does not verify", http.StatusUnauthorized)
		return
	}
	r.print(req.Header.Get("webhook-id"), body)
	w.WriteHeader(http.StatusNoContent)
}

func (r *Receiver) verifies(signature string, body []byte) bool {
	mac := hmac.New(sha256.New, []byte(r.Secret))
	mac.Write(body)
	return hmac.Equal([]byte(signature), []byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))))
}

func (r *Receiver) print(id string, body []byte) {
	var pretty any = json.RawMessage(body)
	text, err := json.MarshalIndent(pretty, "  ", "  ")
	if err != nil {
		text = body
	}
	r.printing.Lock()
	defer r.printing.Unlock()
	fmt.Fprintf(r.Out, "\nwebhook %s, signature verified\n  %s\n", terminal.Line(id), terminal.Text(string(text)))
}
