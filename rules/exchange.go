package rules

import (
	"time"

	"github.com/sidehook/sidehook/rules/bodies"
)

// Exchange is one request and its response, as far as Observe needs them. The
// bodies are copies without Content-Encoding and Transfer-Encoding, and belong to
// the function that the exchange is passed to.
type Exchange struct {
	// Host is the request's Host header.
	Host string
	// Traceparent is the request's W3C traceparent header, empty without one.
	Traceparent string
	// RequestType is the request's Content-Type header.
	RequestType string
	// RequestBody is the body that the participant sent.
	RequestBody []byte
	// Ended is when the last byte of the response came; zero means now.
	Ended time.Time
	// Status is the response's status code, 0 without a complete response.
	Status int
	// ContentType is the response's Content-Type header.
	ContentType string
	// ResponseBody is the body that the app sent.
	ResponseBody []byte
	// RequestHeader and ResponseHeader are the fields with the names of Profile.Headers,
	// in their order on the wire.
	RequestHeader, ResponseHeader []HeaderField
	// LacksRequest and LacksResponse are the reasons why the body could not be copied,
	// for logs and metrics ("too large", "truncated", "undecodable"); empty if it was.
	LacksRequest, LacksResponse string
}

// HeaderField is a field of a header.
type HeaderField struct{ Name, Value string }

// ConvertedSize returns the size of the bodies that become JSON before they are read,
// in bytes.
func (x *Exchange) ConvertedSize() (size int) {
	if bodies.KindOf(x.RequestType) != bodies.JSON {
		size += len(x.RequestBody)
	}
	if bodies.KindOf(x.ContentType) != bodies.JSON {
		size += len(x.ResponseBody)
	}
	return size
}
