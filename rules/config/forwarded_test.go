package config

import "testing"

func TestAnEmptyListOfTrustedProxiesTrustsNobody(t *testing.T) {
	f := func(file string, wantNil bool, want string) {
		t.Helper()
		config, err := parseText(file, mustRead(t, testFolder+"/good/"+file))
		if err != nil {
			t.Fatal(err)
		}
		if (config.TrustedProxies == nil) != wantNil || config.trust() != want {
			t.Errorf("%s: %v, %s; want %s", file, config.TrustedProxies, config.trust(), want)
		}
	}
	f("minimal.yaml", true, "trusting everybody: trusted_proxies is not set")
	f("no-trusted-proxies.yaml", false, "trusting nobody")
	f("trusted-proxies.yaml", false, "trusting 10.0.0.0/8, fd00::/8, 0.0.0.0/0, ::/0, 192.0.2.7/32, 2001:db8::1/128")
}
