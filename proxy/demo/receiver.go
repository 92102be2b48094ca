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

// maxWebhook is the largest webhook that a Receiver reads, in bytes.
const maxWebhook = 1 << 20

// Receiver is what somebody who wants webhooks would write: it verifies the
// signature of each and prints it.
type Receiver struct {
	// Secret is what webhooks are signed with.
	Secret string
	// Out gets the webhooks, one after the other.
	Out io.Writer

	printing sync.Mutex
}

// ServeHTTP takes a webhook: 204, or 401 when its signature is not ours.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxWebhook))
	if err != nil {
		http.Error(w, "cannot read the webhook", http.StatusBadRequest)
		return
	}
	if !r.signed(req.Header.Get("X-Decsys-Signature"), body) {
		http.Error(w, "the signature does not verify", http.StatusUnauthorized)
		return
	}
	r.print(req.Header.Get("webhook-id"), body)
	w.WriteHeader(http.StatusNoContent)
}

func (r *Receiver) signed(signature string, body []byte) bool {
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
