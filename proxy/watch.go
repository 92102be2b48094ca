package proxy

import (
	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/rules"
)

// Watcher is told of every request and says which exchanges it wants to hear of.
type Watcher interface {
	// Begin tells that a request is on its way to the app. Method and target
	// are the wire bytes, valid only during the call (a target in absolute-form
	// comes without its scheme and authority); deciding must not allocate. nil
	// means not of interest. Otherwise end is called exactly once: when the
	// whole response has come, or can't come any more (then Status is 0). The
	// proxy holds back the end of the response until end returns, so end bounds
	// its own time; the exchange's buffers are the receiver's to keep.
	Begin(method, target []byte) (end func(rules.Exchange))
}

// Why a body could not be copied, as in rules.Exchange.
const (
	tooLarge    = "too large"
	truncated   = "truncated"
	undecodable = "undecodable"
)

// watch is the copy of one exchange for the Watcher. A nil watch copies nothing.
type watch struct {
	end               func(rules.Exchange)
	host, traceparent string
	status            int
	contentType       string
	request, response capture
	proxy             *Proxy
}

// begin asks the Watcher about a request; nil means that it is not watched.
func (p *Proxy) begin(head *requestHead, header *fasthttp.RequestHeader) (w *watch) {
	if p.config.Watcher == nil {
		return nil
	}
	defer p.caught("beginning to watch")
	end := p.config.Watcher.Begin(head.method, head.origin())
	if end == nil {
		return nil
	}
	p.counters.watched.Add(1)
	w = &watch{end: end, proxy: p}
	w.host = string(header.Host())
	w.traceparent = string(header.Peek("Traceparent"))
	w.request = capture{limit: p.config.InspectLimit, coding: string(header.ContentEncoding())}
	w.request.expect(header.ContentLength(), firstPart)
	return w
}

// addRequest copies a piece of the request's body.
func (w *watch) addRequest(piece []byte) {
	if w != nil {
		w.request.add(piece)
	}
}

// beginResponse prepares to copy the response's body, of this length; 0 if unknown.
func (w *watch) beginResponse(head *responseHead, length int) {
	if w == nil {
		return
	}
	w.status, w.contentType = head.status, string(head.contentType)
	w.response = capture{limit: w.proxy.config.InspectLimit, coding: string(head.contentEncoding)}
	w.response.expect(length, length)
	if head.codings > 1 {
		w.response.coding = "several"
	}
}

// addResponse copies a piece of the response's body.
func (w *watch) addResponse(piece []byte) {
	if w != nil {
		w.response.add(piece)
	}
}

// complete hands the whole exchange over; only the first call of complete or
// abandon counts. Where the app answered before the request was whole, its
// body is still being copied, and is not looked at.
func (w *watch) complete(wholeRequest bool) {
	if w == nil || w.end == nil {
		return
	}
	x := w.exchange()
	x.Status, x.ContentType = w.status, w.contentType
	x.Uninspected = truncated
	if wholeRequest {
		x.RequestBody, x.Uninspected = w.request.decoded(w.proxy)
	}
	if x.Uninspected == "" {
		x.ResponseBody, x.Uninspected = w.response.decoded(w.proxy)
	}
	w.hand(x)
}

// abandon tells that no whole response will come.
func (w *watch) abandon(midway bool) {
	if w == nil || w.end == nil {
		return
	}
	x := w.exchange()
	if midway {
		x.Uninspected = truncated
		if w.response.over {
			x.Uninspected = tooLarge
		}
	}
	w.hand(x)
}

func (w *watch) exchange() rules.Exchange {
	return rules.Exchange{Host: w.host, Traceparent: w.traceparent}
}

// hand calls end, once.
func (w *watch) hand(x rules.Exchange) {
	defer w.proxy.caught("handing over an exchange")
	if x.Uninspected != "" {
		x.RequestBody, x.ResponseBody = nil, nil
		w.proxy.uninspected(x.Uninspected)
	}
	end := w.end
	w.end = nil
	end(x)
}

// uninspected counts and logs a body that could not be copied.
func (p *Proxy) uninspected(reason string) {
	counter, warning := &p.counters.undecodable, warnUndecodable
	switch reason {
	case tooLarge:
		counter, warning = &p.counters.tooLarge, warnTooLarge
	case truncated:
		counter, warning = &p.counters.truncated, warnTruncated
	}
	counter.Add(1)
	p.warnings.log(warning, "reason", reason)
}
