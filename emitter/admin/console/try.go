package console

import (
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
)

const (
	// uploadTime is how long a HAR file may take to arrive.
	uploadTime = time.Minute
	// maxReport is how much of a report is shown, in bytes.
	maxReport = 1 << 20
)

// tryData is the content of the page that tries a HAR file.
type tryData struct {
	// Name is that of the file, Report what it comes to, and Problem why there is none.
	Name, Report, Problem string
	// IsCut reports whether Report is only the beginning.
	IsCut bool
	// Limit is the largest file, in bytes.
	Limit int64
}

func (c *Console) tryForm(w http.ResponseWriter, r *http.Request) {
	c.render(w, r, http.StatusOK, "try", "Try", func(p *page) string { return tryPage(p, &tryData{Limit: admin.MaxHAR}) })
}

// try sends the file of a form to the API. The token of the page comes before it,
// and so is checked before the file is read.
func (c *Console) try(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime))
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * uploadTime))
	form, err := r.MultipartReader()
	if err != nil {
		c.refuse(w, r, http.StatusBadRequest, "The form could not be read.")
		return
	}
	if !c.sessions.isPageToken(sessionOf(r), field(form, "token")) {
		c.refuseToken(w, r)
		return
	}
	data := tryData{Limit: admin.MaxHAR}
	file, err := form.NextPart()
	if err != nil || file.FormName() != "har" {
		err = &apiError{http.StatusBadRequest, "choose a HAR file"}
	} else {
		var report []byte
		data.Name = file.FileName()
		report, err = c.api.do(r, http.MethodPost, "/try", nil, file)
		data.IsCut = len(report) > maxReport
		data.Report = string(report[:min(len(report), maxReport)])
	}
	status := http.StatusOK
	if err != nil {
		data.Problem, status = err.Error(), statusOf(err)
	}
	c.render(w, r, status, "try", "Try", func(p *page) string { return tryPage(p, &data) })
}

// field reads a short field, which must come next, of a form.
func field(form *multipart.Reader, name string) string {
	part, err := form.NextPart()
	if err != nil || part.FormName() != name {
		return ""
	}
	text, _ := io.ReadAll(io.LimitReader(part, maxForm))
	return string(text)
}
