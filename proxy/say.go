package proxy

import "fmt"

// ownAnswer is what the proxy says in the app's place.
type ownAnswer struct{ head, text string }

// What the proxy has to say itself.
var (
	badRequest     = newAnswer("400 Bad Request", "", "The request can't be passed on safely.")
	badGateway     = newAnswer("502 Bad Gateway", "", "The app broke off its answer.")
	unavailable    = newAnswer("503 Service Unavailable", "Retry-After: 5\r\n", "The app can't be reached. Please try again.")
	gatewayTimeout = newAnswer("504 Gateway Timeout", "", "The app did not answer in time.")
)

func newAnswer(status, field, text string) ownAnswer {
	head := fmt.Sprintf("HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n",
		status, field, len(text))
	return ownAnswer{head, text}
}

// say answers in the app's place, and ends the connection.
func (e *exchange) say(answer ownAnswer) {
	e.closing, e.answered, e.said = true, true, true
	e.toClient.WriteString(answer.head)
	if !e.isHead {
		e.toClient.WriteString(answer.text)
	}
	_ = e.toClient.Flush()
}
