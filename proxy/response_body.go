package proxy

import (
	"errors"
	"io"
	"strconv"
)

// isUnframed reports whether the participant sees the end of the response by the
// end of the connection.
func (r *response) isUnframed() bool {
	return r.body.framing == untilClose || r.body.framing == chunked && r.isHTTP10
}

// relayBody relays the body. The Watcher gets the exchange before the last byte goes out.
func (r *response) relayBody() error {
	for r.body.framing != noBody {
		piece, err := r.body.next(r.fromApp)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		r.watch.addResponse(piece)
		if r.body.atEnd() {
			r.completeWatch()
		}
		if err := r.writePiece(piece); err != nil || r.isPointless() {
			return errLeft
		}
	}
	trailer, err := r.readTrailer()
	if err != nil {
		return err
	}
	r.completeWatch()
	r.writeEnd(trailer)
	return nil
}

func (r *response) completeWatch() { r.watch.complete(r.upload.load().isRead()) }

// isPointless reports whether nobody needs the rest of the response.
func (r *response) isPointless() bool {
	return r.isDiscarding && r.watch != nil && r.watch.response.whyLost() != ""
}

// writePiece writes a piece of the body, in the framing of the participant's response.
func (r *response) writePiece(piece []byte) error {
	if r.body.framing != chunked || r.isHTTP10 {
		return r.writeData(piece)
	}
	r.toClient.Write(strconv.AppendUint(r.toClient.AvailableBuffer(), uint64(len(piece)), 16))
	r.toClient.WriteString("\r\n")
	if err := r.writeData(piece); err != nil {
		return err
	}
	_, err := r.toClient.WriteString("\r\n")
	return err
}

// writeData writes a long piece without a copy, which takes no more system calls than
// with one, and no memory.
func (r *response) writeData(piece []byte) error {
	if len(piece) > r.toClient.Available() && r.toClient.Flush() != nil {
		return errLeft
	}
	_, err := r.toClient.Write(piece)
	return err
}

// readTrailer returns the trailer section of a chunked body, raw.
func (r *response) readTrailer() ([]byte, error) {
	if r.body.framing != chunked {
		return nil, nil
	}
	trailer, err := peekBlock(r.fromApp, trailerEnd)
	if err != nil {
		return nil, err
	}
	return trailer, checkFields(trailer)
}

// writeEnd writes what ends a chunked body.
func (r *response) writeEnd(trailer []byte) {
	if trailer == nil {
		return
	}
	if !r.isHTTP10 {
		r.toClient.WriteString("0\r\n")
		writeFields(r.toClient, trailer, func(name fieldName, _ []byte) bool { return name == otherField })
		r.toClient.WriteString("\r\n")
	}
	r.fromApp.Discard(len(trailer))
}
