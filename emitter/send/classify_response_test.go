package send

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEveryStatusHasItsOutcome(t *testing.T) {
	want := func(status int) Outcome {
		switch status {
		case 429:
			return Throttled
		case 410:
			return Gone
		case 400, 413, 414, 415, 422, 431:
			return Rejected
		}
		if status/100 == 2 {
			return Delivered
		}
		return Retry
	}
	for status := 100; status <= 999; status++ {
		result := classifyResponse(&http.Response{StatusCode: status, Header: http.Header{}}, sentAt)
		if result.Outcome != want(status) {
			t.Errorf("status %d: outcome %d, want %d", status, result.Outcome, want(status))
		}
		if (result.Reason == "") != (result.Outcome == Delivered) {
			t.Errorf("status %d: reason %q", status, result.Reason)
		}
	}
}

func TestTheWebhookDeliveryFieldAbortsOrDisables(t *testing.T) {
	f := func(status int, header string, want Outcome, wantsNoMore bool) {
		t.Helper()
		response := &http.Response{StatusCode: status, Header: http.Header{}}
		for value := range strings.SplitSeq(header, "\n") {
			response.Header.Add("webhook-delivery", value)
		}
		got := classifyResponse(response, sentAt)
		if got.Outcome != want || got.WantsNoMore() != wantsNoMore {
			t.Errorf("status %d with %q: %s, wants no more %t; want %s, %t", status, header, got.Outcome, got.WantsNoMore(), want, wantsNoMore)
		}
	}
	f(500, "disable", Gone, true)
	f(404, " Disable ", Gone, true)
	f(429, "disable", Gone, true)
	f(200, "disable", Delivered, true)
	f(200, "disabled", Delivered, false)
	f(500, "enable", Retry, false)
	f(410, "", Gone, true)

	f(500, "abort-message", Aborted, false)
	f(400, "Abort-Message", Aborted, false)
	f(503, "abort-message", Aborted, false)
	f(200, "abort-message", Delivered, false)
	f(500, "abort", Retry, false)
	f(500, "abort-message, disable", Aborted, true)
	f(500, "disable\nabort-message", Aborted, true)
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	f := func(value string, want time.Duration) {
		t.Helper()
		if got := retryAfter(value, sentAt); got != want {
			t.Errorf("Retry-After: %s is %v, want %v", value, got, want)
		}
	}
	f("", 0)
	f("0", 0)
	f("120", 2*time.Minute)
	f(" 7 ", 7*time.Second)
	f("86400", 24*time.Hour)
	f("86401", 24*time.Hour)
	f("99999999999999999999999", 24*time.Hour)
	f("Mon, 23 Nov 2026 21:23:16 GMT", time.Minute)
	f("Monday, 23-Nov-26 21:23:16 GMT", time.Minute)
	f("Mon Nov 23 21:23:16 2026", time.Minute)
	f("Fri, 31 Dec 9999 23:59:59 GMT", 24*time.Hour)
	f("Mon, 23 Nov 2026 21:22:15 GMT", 0)
	f("Thu, 01 Jan 1970 00:00:00 GMT", 0)
	f("-1", 0)
	f("+5", 0)
	f("1.5", 0)
	f("5s", 0)
	f("soon", 0)
	f("٣", 0)
}

func FuzzRetryAfterStaysWithinADay(f *testing.F) {
	f.Add("120")
	f.Add("Mon, 23 Nov 2026 21:23:16 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		if wait := retryAfter(value, sentAt); wait < 0 || wait > maxRetryAfter {
			t.Errorf("Retry-After: %q is %v", value, wait)
		}
	})
}
