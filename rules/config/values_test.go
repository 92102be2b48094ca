package config

import (
	"encoding"
	"math"
	"testing"
	"time"
)

// checkText reads text into value and reports whether it was accepted.
func checkText(t *testing.T, value encoding.TextUnmarshaler, text string, wantValid bool) bool {
	t.Helper()
	err := value.UnmarshalText([]byte(text))
	if (err == nil) != wantValid {
		t.Errorf("%q into %T: %v; want valid: %v", text, value, err, wantValid)
	}
	return err == nil
}

func TestDurationsAreParsedAndPrinted(t *testing.T) {
	f := func(text string, want time.Duration, printed string) {
		t.Helper()
		var got Duration
		if checkText(t, &got, text, true) && (time.Duration(got) != want || got.String() != printed) {
			t.Errorf("%s: %s, printed %s; want %s, printed %s", text, time.Duration(got), got, want, printed)
		}
	}
	wrong := func(text string) {
		t.Helper()
		checkText(t, new(Duration), text, false)
	}

	f("0", 0, "0s")
	f("0s", 0, "0s")
	f("1ms", time.Millisecond, "1ms")
	f("1.5s", 1500*time.Millisecond, "1.5s")
	f("90s", 90*time.Second, "1m30s")
	f("60m", time.Hour, "1h")
	f("10m0s", 10*time.Minute, "10m")
	f("1h0m1s", time.Hour+time.Second, "1h0m1s")
	f("24h", 24*time.Hour, "24h")
	f("7d", 7*24*time.Hour, "7d")
	f("1d12h", 36*time.Hour, "36h")
	f("3650d", 3650*24*time.Hour, "3650d")

	wrong("")
	wrong("5")
	wrong("d")
	wrong("s")
	wrong("-5s")
	wrong("-1d")
	wrong("1d-1h")
	wrong("1.5d")
	wrong("1h1d")
	wrong("1d1d")
	wrong("3651d")
	wrong("65535d")
	wrong("99999999999999999999d")
	wrong("2540400h")
	wrong("99999999999h")
	wrong("5 s")
	wrong("2w")
}

func TestSizesAreParsedAndPrinted(t *testing.T) {
	f := func(text string, want Size, printed string) {
		t.Helper()
		var got Size
		if checkText(t, &got, text, true) && (got != want || got.String() != printed) {
			t.Errorf("%s: %d, printed %s; want %d, printed %s", text, got, got, want, printed)
		}
	}
	wrong := func(text string) {
		t.Helper()
		checkText(t, new(Size), text, false)
	}

	f("0", 0, "0B")
	f("1", 1, "1B")
	f("1000B", 1000, "1KB")
	f("1024", 1024, "1KiB")
	f("1MiB", 1<<20, "1MiB")
	f("2GB", 2e9, "2GB")
	f("2 GB", 2e9, "2GB")
	f("1500MB", 15e8, "1500MB")
	f("8388607TiB", 8388607<<40, "8388607TiB")
	f("9223372036854775807", math.MaxInt64, "9223372036854775807B")

	wrong("")
	wrong("B")
	wrong("-1")
	wrong("-1MiB")
	wrong("1.5GB")
	wrong("1gb")
	wrong("1G")
	wrong("8388608TiB")
	wrong("9223372036854775808")
	wrong("0x10")
}

func TestRatesAreParsedAndPrinted(t *testing.T) {
	f := func(text string, want float64, printed string) {
		t.Helper()
		var got Rate
		if checkText(t, &got, text, true) && (math.Abs(float64(got)-want) > 1e-9 || got.String() != printed) {
			t.Errorf("%s: %v, printed %s; want %v, printed %s", text, float64(got), got, want, printed)
		}
	}
	wrong := func(text string) {
		t.Helper()
		checkText(t, new(Rate), text, false)
	}

	f("unlimited", 0, "unlimited")
	f("50/s", 50, "50/s")
	f("100/m", 100.0/60, "100/m")
	f("1000/h", 1000.0/3600, "1000/h")
	f("120/m", 2, "2/s")
	f("0.5/s", 0.5, "30/m")
	f("0.5/h", 0.5/3600, "0.5/h")
	f("1000000/s", 1e6, "1000000/s")

	wrong("")
	wrong("50")
	wrong("0/s")
	wrong("-1/s")
	wrong("+1/s")
	wrong("1e3/s")
	wrong("0x1p-2/s")
	wrong("Inf/s")
	wrong("NaN/s")
	wrong("1.2.3/s")
	wrong("./s")
	wrong("/s")
	wrong("50/d")
	wrong("1000001/s")
	wrong("0.0000000000000000000000000000000000000/s")
}
