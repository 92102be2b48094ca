package console

import (
	"maps"
	"net/http"
	"net/url"

	"github.com/sidehook/sidehook/emitter/admin"
)

// deliveriesData is the content of the page of deliveries.
type deliveriesData struct {
	Filter  filter
	Targets []string
	// Configured targets can be sent to.
	Configured []string
	admin.DeliveryList
	// Next is the address of the next page, empty on the last.
	Next string
	admin.CauseList
	// Problem is why nothing is listed.
	Problem string
}

func (c *Console) deliveries(w http.ResponseWriter, r *http.Request) {
	data := deliveriesData{Filter: readFilter(r.URL.Query())}
	var targets []admin.Target
	if err := c.api.get(r, "/targets", nil, &targets); err != nil {
		c.fail(w, r, err)
		return
	}
	data.Targets, data.Configured = namesOf(targets), configured(targets)
	values := data.Filter.values()
	if err := c.api.get(r, "/deliveries", withAfter(values, r.URL.Query().Get("after")), &data.DeliveryList); err != nil {
		data.Problem = err.Error()
	} else if data.After != "" {
		data.Next = "/console/deliveries?" + withAfter(values, data.After).Encode()
	}
	if err := c.api.get(r, "/deliveries/causes", nil, &data.CauseList); err != nil && data.Problem == "" {
		data.Problem = err.Error()
	}
	c.render(w, r, http.StatusOK, "deliveries", "Deliveries", func(p *page) string { return deliveriesPage(p, &data) })
}

// withAfter adds the place where a list continues.
func withAfter(values url.Values, after string) url.Values {
	with := url.Values{}
	maps.Copy(with, values)
	if after != "" {
		with.Set("after", after)
	}
	return with
}

// deliveryData is the content of the page of a delivery: one for each target that
// shares its id.
type deliveryData struct {
	ID         string
	Deliveries []admin.DeliveryDetail
	// ShowsBody reports whether the bodies were asked for.
	ShowsBody bool
}

func (c *Console) delivery(w http.ResponseWriter, r *http.Request) { c.showDelivery(w, r, false) }

// deliveryBody shows a delivery with its body. It is a POST, so that no link and no
// browser's prefetch looks at personal data.
func (c *Console) deliveryBody(w http.ResponseWriter, r *http.Request) { c.showDelivery(w, r, true) }

func (c *Console) showDelivery(w http.ResponseWriter, r *http.Request, withBody bool) {
	data := deliveryData{ID: r.PathValue("id"), ShowsBody: withBody}
	values := url.Values{}
	if target := r.FormValue("target"); target != "" {
		values.Set("target", target)
	}
	if withBody {
		values.Set("body", "")
	}
	if err := c.api.get(r, "/deliveries/"+url.PathEscape(data.ID), values, &data.Deliveries); err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "delivery", "Delivery", func(p *page) string { return deliveryPage(p, &data) })
}
