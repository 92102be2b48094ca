package demo_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/proxy/demo"
)

func TestReceiverAcceptsOnlySignedWebhooks(t *testing.T) {
	// Signed by openssl: printf '{"a":1}' | openssl dgst -sha256 -hmac key -binary | base64
	f := func(signature string, want int, printed string) {
		t.Helper()
		var out strings.Builder
		receiver := &demo.Receiver{Secret: "key", Out: &out}
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"a":1}`))
		req.Header.Set("X-Decsys-Signature", signature)
		req.Header.Set("webhook-id", "msg_1")
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, req)
		if w.Code != want || !strings.Contains(out.String(), printed) || printed == "" && out.Len() > 0 {
			t.Errorf("status %d, printed %q; want %d, %q", w.Code, out.String(), want, printed)
		}
	}
	f("iKZ/JLvNrtDmyZdAS7eadDuvRMa6svTCcyjjAJ0i40I=", http.StatusNoContent, "webhook msg_1, signature verified")
	f("", http.StatusUnauthorized, "")
	f("AAAA", http.StatusUnauthorized, "")
}
