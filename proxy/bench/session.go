package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"strings"
)

// participant is who took the recorded session.
const participant = "f0bc0615-168c-4dcd-b7db-a0bb28a3ab06"

// newID marks the response in which the app made up the participant's id.
const newID = `"newParticipantId":"` + participant + `"`

// browserHeaders are what a browser sends with each request of a session.
const browserHeaders = "Host: survey.example.org:8080\r\n" +
	"Connection: keep-alive\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n" +
	"Accept: application/json, text/plain, */*\r\n" +
	"Accept-Language: en-GB\r\n" +
	"Referer: http://survey.example.org:8080/survey/1qz1q\r\n" +
	"Accept-Encoding: gzip, deflate\r\n"

// kestrelHeaders are what Decsys sends with each response.
const kestrelHeaders = "Date: Mon, 23 Nov 2026 21:22:12 GMT\r\nServer: Kestrel\r\nX-Clacks-Overhead: GNU Terry Pratchett\r\n"

// chunk is how much of a compressed response the app puts into one chunk, in bytes.
const chunk = 8 << 10

//go:embed testdata/session.json.gz
var packedSession []byte

// step is one exchange of a real session, in the order of their start. Bodies
// of the API are the recorded ones; of pages, scripts and images only the size
// on the wire was kept.
type step struct {
	Method   string `json:"method"`
	Path     string `json:"path"`
	Request  string `json:"request"`
	Status   int    `json:"status"`
	Type     string `json:"type"`
	Encoding string `json:"encoding"`
	Size     int    `json:"size"`
	Response string `json:"response"`
}

// loadSession reads the embedded session.
func loadSession() (steps []step, err error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packedSession))
	if err != nil {
		return nil, fmt.Errorf("cannot unpack the session: %w", err)
	}
	if err := json.NewDecoder(unpacked).Decode(&steps); err != nil {
		return nil, fmt.Errorf("cannot read the session: %w", err)
	}
	return steps, nil
}

// request is the step's request on the wire. The same path has different
// responses as the session goes on, so the app is given the number of the step.
func (s step) request(number int) string {
	head := s.Method + " " + s.Path + " HTTP/1.1\r\n" + browserHeaders + fmt.Sprintf("%s: %d\r\n", stepHeader, number)
	if strings.Contains(s.Response, newID) {
		head += newIDHeader + ": " + participant + "\r\n"
	}
	if s.Method == "POST" {
		head += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(s.Request))
	}
	return head + "\r\n" + s.Request
}

// onWire is the step's response on the wire: compressed and chunked, as Decsys
// sends it to browsers. Where it makes up the recorded participant's id, it
// makes up id instead, unless that is empty.
func (s step) onWire(id string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d Recorded\r\n%s", s.Status, kestrelHeaders)
	if s.Type != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\n", s.Type)
	}
	switch {
	case s.Status == 204:
		b.WriteString("\r\n")
	case s.Encoding == "":
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", s.Size)
		b.Write(s.body(id))
	default:
		fmt.Fprintf(&b, "Content-Encoding: %s\r\nVary: Accept-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n", s.Encoding)
		writeChunks(&b, s.body(id))
	}
	return b.Bytes()
}

// body is the compressed body. But for a made-up id it names no participant,
// because all share it: the path does.
func (s step) body(id string) []byte {
	if s.Response == "" {
		return noise(s.Size)
	}
	text := strings.Replace(s.Response, `"participantId":"`+participant+`",`, "", 1)
	if id != "" {
		text = strings.Replace(text, newID, strings.Replace(newID, participant, id, 1), 1)
	}
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	_, _ = io.WriteString(packed, text)
	_ = packed.Close()
	return b.Bytes()
}

func writeChunks(b *bytes.Buffer, body []byte) {
	for len(body) > 0 {
		piece := body[:min(chunk, len(body))]
		body = body[len(piece):]
		fmt.Fprintf(b, "%x\r\n%s\r\n", len(piece), piece)
	}
	b.WriteString("0\r\n\r\n")
}

// noise is a body of random bytes, which does not compress.
func noise(size int) []byte {
	body := make([]byte, size)
	rand.New(rand.NewSource(int64(size))).Read(body)
	return body
}
