package proxy

import "fmt"

// ownResponse is what the participant gets in place of a response of the app.
type ownResponse struct{ head, text string }

// The proxy's own responses.
var (
	badRequest     = newOwnResponse("400 Bad Request", "", "The request can't be passed on safely.")
	badGateway     = newOwnResponse("502 Bad Gateway", "", "The app's response was incomplete.")
	unavailable    = newOwnResponse("503 Service Unavailable", "Retry-After: 5\r\n", "The app can't be reached. Please try again.")
	gatewayTimeout = newOwnResponse("504 Gateway Timeout", "", "The app did not respond in time.")
)

func newOwnResponse(status, field, text string) ownResponse {
	head := fmt.Sprintf("HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n",
		status, field, len(text))
	return ownResponse{head, text}
}

// replace responds in the app's place, and ends the participant's connection.
func (r *response) replace(own ownResponse) {
	r.state.advance(responseReplaced)
	r.closing = true
	r.toClient.WriteString(own.head)
	if !r.isHead {
		r.toClient.WriteString(own.text)
	}
	_ = r.toClient.Flush()
}
