package send

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/sidehook/sidehook/rules/config"
)

func TestStandardSignaturesMatchThePublishedVectors(t *testing.T) {
	f := func(secret, id string, at int64, body, want string) {
		t.Helper()
		s := newSigner(config.Target{Secret: config.Secrets{config.NewSecret(secret)}})
		if got := s.standard(id, time.Unix(at, 0), []byte(body)); got != want {
			t.Errorf("signature of %s is %s, want %s", id, got, want)
		}
	}
	f("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
		`{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	f("whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", 1731705121,
		`{"event_type":"ping","data":{"success":true}}`, "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=")
	f("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
		`{"test": 2432232314}`, "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==")
}

func TestDecsysSignatureMatchesWhatDecsysSends(t *testing.T) {
	body, err := os.ReadFile("testdata/decsys-webhook.json")
	if err != nil {
		t.Fatal(err)
	}
	f := func(secret, want string) {
		t.Helper()
		s := newSigner(config.Target{Format: config.FormatDecsys, Secret: config.Secrets{config.NewSecret(secret)}})
		if got := s.decsysHeader(body); got != want {
			t.Errorf("X-Decsys-Signature is %s, want %s", got, want)
		}
	}
	f("correct horse battery staple", "/tSRYhsVAJgrkyUNdBYayrqmxAKshnufv7KkF5s+jQk=")
	f("", "eeDl4lOwmx9k//fdEhK6c5X9l7uQ5j3q9OSqTFusOdA=")
}

func TestDecsysSignatureGoesOnlyToReceiversOfItsFormat(t *testing.T) {
	secrets := config.Secrets{config.NewSecret("s")}
	if got := newSigner(config.Target{Format: config.FormatStandard, Secret: secrets}).decsysHeader([]byte("b")); got != "" {
		t.Errorf("format standard is signed with %s, want nothing", got)
	}
	if got := newSigner(config.Target{Format: config.FormatDecsys}).decsysHeader([]byte("b")); got != "" {
		t.Errorf("a target without a secret is signed with %s, want nothing", got)
	}
}

func TestDecsysSignatureIsNeverMadeWithAPrivateKey(t *testing.T) {
	private := config.NewSecret("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=")
	f := func(want string, secrets ...config.Secret) {
		t.Helper()
		if got := newSigner(config.Target{Format: config.FormatDecsys, Secret: secrets}).decsysHeader([]byte("b")); got != want {
			t.Errorf("X-Decsys-Signature is %q, want %q", got, want)
		}
	}
	text := config.NewSecret("s")
	want := newSigner(config.Target{Format: config.FormatDecsys, Secret: config.Secrets{text}}).decsysHeader([]byte("b"))
	f(want, private, text)
	f("", private)
}

func TestEachLiveSecretVerifiesAndNoOther(t *testing.T) {
	secrets := []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "any other text", "whsec_plJ3nmyCDGBKInavdOK15jsl"}
	target := config.Target{}
	for _, text := range secrets {
		target.Secret = append(target.Secret, config.NewSecret(text))
	}
	body := []byte(`{"a":1}`)
	header := http.Header{}
	header.Set("webhook-id", "msg_1")
	header.Set("webhook-timestamp", "1614265330")
	header.Set("webhook-signature", newSigner(target).standard("msg_1", time.Unix(1614265330, 0), body))

	for _, text := range secrets {
		if err := verifier(t, text).VerifyIgnoringTimestamp(body, header); err != nil {
			t.Errorf("secret %q: %v", text, err)
		}
	}
	if err := verifier(t, "whsec_AAAA").VerifyIgnoringTimestamp(body, header); err == nil {
		t.Error("a secret that is not live verified")
	}
	if first, _, _ := strings.Cut(header.Get("webhook-signature"), " "); first != newSigner(config.Target{Secret: target.Secret[:1]}).standard("msg_1", time.Unix(1614265330, 0), body) {
		t.Error("the first secret's signature is not the first")
	}
}

// verifier is the reference implementation of Standard Webhooks with one secret.
func verifier(t *testing.T, secret string) *standardwebhooks.Webhook {
	t.Helper()
	make := func() (*standardwebhooks.Webhook, error) { return standardwebhooks.NewWebhookRaw([]byte(secret)) }
	if strings.HasPrefix(secret, "whsec_") {
		make = func() (*standardwebhooks.Webhook, error) { return standardwebhooks.NewWebhook(secret) }
	}
	webhook, err := make()
	if err != nil {
		t.Fatal(err)
	}
	return webhook
}
