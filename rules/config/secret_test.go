package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretWithSomethingAroundItIsRefused(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		s := &sources{
			env:      func(string) (string, bool) { return text, true },
			readFile: func(string) ([]byte, error) { return []byte(text), nil },
			files:    map[string]Digest{},
		}
		for _, reference := range []string{"env:CRM_SECRET", "file:crm"} {
			secret, err := s.secret(reference)
			if want == "" {
				if err != nil || secret.Reveal() != strings.TrimRight(text, "\r\n") {
					t.Errorf("%q: %q, %v", text, secret.Reveal(), err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %v, want %q", text, err, want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%q: the error shows the secret: %v", text, err)
			}
		}
	}

	f("canary-canary-canary", "")
	f("canary-canary-canary\r\n", "")
	f("can \"canary\" 'canary' canary", "")
	f("\"canary-canary-canary\"", "quotation marks")
	f("'canary-canary-canary'\n", "quotation marks")
	f("`canary-canary-canary`", "quotation marks")
	f(" canary-canary-canary", "blanks")
	f("canary-canary-canary \n", "blanks")
	f("canary-canary-canary\u00a0", "blanks")
	f("\ufeffcanary-canary-canary", "byte order mark")
	f("\xff\xfec\x00a\x00n\x00", "UTF-16")
	f("canary\ncanary", "more than one line")
	f("canary\x00canary", "control character")
	f("\n", "empty")
}

func TestSecretThatSignsBadlyIsRefusedWithAReason(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if err := NewSecret(text).checkKey(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}

	f("hunter2", "at least 16 characters, not 7")
	f("WHSEC_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_ in lower case")
	f("Whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=", "whsk_ in lower case")
	f("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", "public key")
	f("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNA", "multiple of 4, not 34")
	f("whsec_MDEyMzQ1Njc4OTAx-jM0NTY3ODkwMTIz", "not with - and _")
	f("whsec_not base64", "= at the end")
}

func TestOnlyKeysOfStandardWebhooksAreDecoded(t *testing.T) {
	f := func(text, want string, right bool) {
		t.Helper()
		secret := NewSecret(text)
		if got := string(secret.SigningKey()); got != want {
			t.Errorf("%s: key %q, want %q", text, got, want)
		}
		if err := secret.checkKey(); (err == nil) != right {
			t.Errorf("%s: %v; want valid: %v", text, err, right)
		}
	}

	f("any text of 16 or more", "any text of 16 or more", true)
	f("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "012345678901234567890123", true)
	f("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=", "01234567890123456789012", false) // 23 bytes
	f("whsec_"+strings.Repeat("MDEy", 21)+"MA==", strings.Repeat("012", 21)+"0", true)
	f("whsec_"+strings.Repeat("MDEy", 21)+"MDE=", strings.Repeat("012", 21)+"01", false) // 65 bytes
	f("whsec_", "", false)
	f("whsec_not base64", "whsec_not base64", false)
	f("WHSEC_MDEy", "WHSEC_MDEy", false)
}

func TestAPrivateKeyIsAcceptedWithOrWithoutItsPublicKey(t *testing.T) {
	const public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	f := func(text, want string, right bool) {
		t.Helper()
		secret := NewSecret(text)
		if got := secret.PublicKey(); got != want {
			t.Errorf("%s: public key %q, want %q", text, got, want)
		}
		if err := secret.checkKey(); (err == nil) != right {
			t.Errorf("%s: %v; want valid: %v", text, err, right)
		}
	}
	const half = "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbf"
	f("whsk_"+half+"VKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==", public, true)
	f("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=", public, true)
	f("whsk_"+half+"VKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6KvA==", "", false) // another public key
	f("whsk_MDEy", "", false)
	f("whsk_not base64", "", false)
	f("whsk_", "", false)
	f("any text of 16 or more", "", true)
}

// holder hides values in unexported fields, where fmt cannot call their methods.
type holder struct {
	secret  Secret
	secrets Secrets
	url     URL
	target  *Target
	config  Config
}

func TestSecretsAndCredentialsPrintNowhere(t *testing.T) {
	url, err := ParseURL("https://user:" + canary + "@crm.example.org/" + canary + "?key=" + canary)
	if err != nil {
		t.Fatal(err)
	}
	secret := NewSecret(canary)
	target := Target{URL: url, Secret: Secrets{secret}, Headers: map[string]HeaderValue{"apikey": {secret}}}
	config := Config{AdminToken: secret, Targets: map[string]Target{"crm": target}}
	values := []any{
		secret, &secret,
		Secrets{secret},
		url, &url, target, &target, config, &config,
		holder{secret, Secrets{secret}, url, &target, config},
		&holder{secret: secret, url: url},
		fmt.Errorf("%v %v", secret, url),
		[]any{secret, url},
		map[string]any{"a": secret, "b": url},
	}
	inHex := fmt.Sprintf("%x", canary)

	check := func(how, text string) {
		t.Helper()
		if strings.Contains(text, canary) || strings.Contains(strings.ToLower(text), inHex) {
			t.Errorf("%s shows it: %s", how, text)
		}
	}
	for i, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%t", "%p", "%10.50s"} {
			check(fmt.Sprint(i, " ", verb), fmt.Sprintf(verb, value))
		}
		encoded, _ := json.Marshal(value)
		check(fmt.Sprint(i, " JSON"), string(encoded))
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("", "value", value)
		check(fmt.Sprint(i, " slog"), log.String())
	}
	if secret.Reveal() != canary || secret.String() != "<secret>" || !strings.Contains(url.Reveal(), "user:"+canary+"@") {
		t.Error("Reveal does not reveal")
	}
	if got := fmt.Sprint(secret, " ", url); got != "<secret> https://crm.example.org" {
		t.Errorf("prints as %s", got)
	}
}

func TestTheZeroSecretAndURLAreEmpty(t *testing.T) {
	if (Secret{}).Reveal() != "" || !(Secret{}).IsZero() || NewSecret("x").IsZero() {
		t.Error("a zero secret is not empty")
	}
	if (URL{}).Reveal() != "" || (URL{}).String() != "" || !(URL{}).IsZero() {
		t.Error("a zero URL is not empty")
	}
}
