package proxy

import (
	"fmt"
	"net/http"
)

// ownResponse is what the participant gets in place of a response of the app.
type ownResponse struct {
	status int
	// field is one more field of the head, with its line end.
	field string
	// text is for who does not ask for HTML.
	text string
}

// The proxy's own responses.
var (
	badRequest     = ownResponse{http.StatusBadRequest, "", "The request can't be passed on safely."}
	badGateway     = ownResponse{http.StatusBadGateway, "", "The app's response was incomplete."}
	unavailable    = ownResponse{http.StatusServiceUnavailable, "Retry-After: 5\r\n", "The app can't be reached. Please try again."}
	loopDetected   = ownResponse{http.StatusLoopDetected, "", "The address of the app leads back to sidehook."}
	gatewayTimeout = ownResponse{http.StatusGatewayTimeout, "", "The app did not respond in time."}
)

// replace responds in the app's place, and ends the participant's connection. It
// returns the id by which the response can be found in the log.
func (r *response) replace(own ownResponse) (id string) {
	r.state.advance(responseReplaced)
	r.closing = true
	r.ownStatus = own.status
	header := &r.ctx.Request.Header
	id = r.requestID()
	contentType, body := errorPage(r.proxy.config.ErrorPage, own, string(header.Peek("Accept")), string(header.Peek("Accept-Language")), id)
	fmt.Fprintf(r.toClient, "HTTP/1.1 %d %s\r\nConnection: close\r\n%sCache-Control: no-store\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		own.status, http.StatusText(own.status), own.field, contentType, len(body))
	if !r.isHead {
		r.toClient.Write(body)
	}
	_ = r.toClient.Flush()
	return id
}
