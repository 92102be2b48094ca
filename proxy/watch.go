package proxy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/rules"
)

// Watcher decides which exchanges are copied, and receives the copies.
type Watcher interface {
	// Begin is called before a request is sent to the app. method and target are
	// the bytes of the wire, valid only during the call; a target in
	// absolute-form comes without scheme and authority. Begin must not allocate.
	//
	// It returns nil if the exchange is of no interest. Otherwise end is called
	// exactly once: when the whole response has come, or with Status 0 when it
	// can't come any more. The end of the response is held back until end
	// returns, so end must limit its own time. The bodies of the exchange belong
	// to end.
	Begin(method, target []byte) (end func(rules.Exchange))
}

// The reasons in rules.Exchange.LacksRequest and LacksResponse.
const (
	tooLarge    = "too large"
	truncated   = "truncated"
	undecodable = "undecodable"
	overBudget  = "over budget"
)

// watch is the copy of one exchange for the Watcher. A nil watch copies nothing.
// The goroutine that sends copies the request, the one that relays the response.
type watch struct {
	end func(rules.Exchange)
	// exchange is what is known so far of the exchange, without the bodies.
	exchange          rules.Exchange
	status            int
	contentType       string
	request, response capture
	proxy             *Proxy
}

// begin returns the watch of a request, nil if the Watcher is not interested.
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
	w.exchange = rules.Exchange{
		Host:          string(header.Host()),
		Traceparent:   string(header.Peek("Traceparent")),
		RequestType:   string(header.ContentType()),
		RequestHeader: watchedFields(head.raw, p.config.WatchedRequestHeader),
	}
	w.request.begin(p, header.ContentLength(), firstPart, string(header.ContentEncoding()))
	return w
}

// addRequest copies a piece of the request's body.
func (w *watch) addRequest(piece []byte) {
	if w != nil {
		w.request.add(piece)
	}
}

// beginResponse prepares to copy the response, whose head is raw and whose body has
// length bytes; 0 if that is unknown.
func (w *watch) beginResponse(head *responseHead, raw []byte, length int) {
	if w == nil {
		return
	}
	w.status, w.contentType = head.status, string(head.contentType)
	w.exchange.ResponseHeader = watchedFields(afterLine(raw), w.proxy.config.WatchedResponseHeader)
	coding := string(head.contentEncoding)
	if head.contentCodings > 1 {
		coding = "several"
	}
	w.response.begin(w.proxy, length, length, coding)
}

// addResponse copies a piece of the response's body.
func (w *watch) addResponse(piece []byte) {
	if w != nil {
		w.response.add(piece)
	}
}

// complete hands over an exchange whose whole response has come. Only the first
// call of complete or abandon counts. When the app responds before the request
// is whole, the request's body is still being copied, and must not be read.
func (w *watch) complete(isRequestWhole bool) {
	if w == nil || w.end == nil {
		return
	}
	x := w.exchange
	x.Ended = time.Now()
	x.Status, x.ContentType = w.status, w.contentType
	x.LacksRequest = truncated
	if isRequestWhole {
		x.RequestBody, x.LacksRequest = w.request.decoded(w.proxy)
	}
	x.ResponseBody, x.LacksResponse = w.response.decoded(w.proxy)
	w.finish(x)
}

// abandon hands over an exchange without a whole response. hasHead is set when
// the response was cut after its head.
func (w *watch) abandon(hasHead bool) {
	if w == nil || w.end == nil {
		return
	}
	x := w.exchange
	if hasHead {
		x.LacksResponse = truncated
		if why := w.response.whyLost(); why != "" {
			x.LacksResponse = why
		}
	}
	w.finish(x)
}

// watchedFields returns the fields of a head that have one of these names.
func watchedFields(raw []byte, names []string) (list []rules.HeaderField) {
	if len(names) == 0 {
		return nil
	}
	for lines := (fields{raw}); ; {
		f, ok := lines.next()
		if !ok {
			return list
		}
		isWatched := func(name string) bool { return strings.EqualFold(name, string(f.name)) }
		if slices.ContainsFunc(names, isWatched) {
			list = append(list, rules.HeaderField{Name: string(f.name), Value: string(f.value)})
		}
	}
}

// finish calls end, once. Until it returns, the bodies are in the budget.
func (w *watch) finish(x rules.Exchange) {
	defer w.request.release()
	defer w.response.release()
	defer w.proxy.caught("ending to watch")
	if why := cmp.Or(x.LacksRequest, x.LacksResponse); why != "" {
		w.proxy.uninspected(why)
	}
	end := w.end
	w.end = nil
	end(x)
}

// uninspected counts and logs an exchange whose bodies could not be copied.
func (p *Proxy) uninspected(reason string) {
	counter, warning := &p.counters.undecodable, warnUndecodable
	switch reason {
	case tooLarge:
		counter, warning = &p.counters.tooLarge, warnTooLarge
	case truncated:
		counter, warning = &p.counters.truncated, warnTruncated
	case overBudget:
		counter, warning = &p.counters.overBudget, warnOverBudget
	}
	counter.Add(1)
	p.warnings.log(warning, "reason", reason)
}
