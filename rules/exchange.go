package rules

// Exchange is one request and its response as they crossed the wire, as much
// of it as observing needs. Bodies are decoded copies (no Content-Encoding, no
// chunks); they belong to whoever the exchange is handed to.
type Exchange struct {
	// Host is the request's Host header.
	Host string
	// Traceparent is the request's W3C traceparent header, empty without one.
	Traceparent string
	// RequestBody is the body the participant sent.
	RequestBody []byte
	// Status is the app's status code; 0 means that the app gave no whole response.
	Status int
	// ContentType is the response's Content-Type header.
	ContentType string
	// ResponseBody is the body the app answered.
	ResponseBody []byte
	// Uninspected tells why the bodies could not be copied, for log and metrics
	// ("too large", "truncated", "undecodable"); empty when they are here.
	Uninspected string
}
