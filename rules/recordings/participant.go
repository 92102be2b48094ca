package recordings

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules/trial"
)

// requestTimeout is the timeout of one request of a participant.
const requestTimeout = 30 * time.Second

// request sends a recorded request to address, byte for byte except for the header
// with its index, and compares the response with the recorded one.
func request(address string, index int, one trial.Recorded) error {
	got, err := send(address, strconv.Itoa(index), one)
	if err != nil {
		return err
	}
	return compareResponse(one, got)
}

// response is the response that a participant got.
type response struct {
	status int
	coding string
	body   []byte
}

// send sends a request and reads the whole response.
func send(address, index string, one trial.Recorded) (response, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return response{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return response{}, err
	}
	if _, err := conn.Write(requestBytes(index, one)); err != nil {
		return response{}, err
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: one.Method})
	if err != nil {
		return response{}, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return response{r.StatusCode, r.Header.Get("Content-Encoding"), body}, err
}

// errOtherResponse is the error of a whole response that is not the recorded one.
var errOtherResponse = errors.New("the participant got another response than the app sent")

func compareResponse(one trial.Recorded, got response) error {
	if got.status != one.Exchange.Status {
		return fmt.Errorf("%w: status %d, want %d", errOtherResponse, got.status, one.Exchange.Status)
	}
	if one.Method == http.MethodHead || one.Exchange.Status == http.StatusNoContent {
		return nil
	}
	if want := encode(got.coding, one.Exchange.ResponseBody); !bytes.Equal(got.body, want) {
		return fmt.Errorf("%w: %d bytes, want %d", errOtherResponse, len(got.body), len(want))
	}
	return nil
}

func requestBytes(index string, one trial.Recorded) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", one.Method, one.Target)
	for _, header := range one.Exchange.RequestHeader {
		if !strings.EqualFold(header.Name, "Content-Length") {
			fmt.Fprintf(&b, "%s: %s\r\n", header.Name, header.Value)
		}
	}
	if one.Method == http.MethodPost || len(one.Exchange.RequestBody) > 0 {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(one.Exchange.RequestBody))
	}
	fmt.Fprintf(&b, "%s: %s\r\n\r\n", indexHeader, index)
	b.Write(one.Exchange.RequestBody)
	return b.Bytes()
}
