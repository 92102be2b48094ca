package console

import (
	"net/http"

	"github.com/sidehook/sidehook/emitter/admin"
)

func (c *Console) configuration(w http.ResponseWriter, r *http.Request) {
	var data admin.Configuration
	if err := c.api.get(r, "/configuration", nil, &data); err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "configuration", "Configuration", func(*page) string { return configurationPage(&data) })
}
