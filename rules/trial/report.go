package trial

import (
	"encoding/json"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// Report is what comes of recorded exchanges.
type Report struct {
	// App is what the profile is for.
	App string `json:"app"`
	// Exchanges are those that a route matches, in the order in which they ended.
	Exchanges []Exchange `json:"exchanges"`
	// Unmatched are the other requests, and Omitted the entries that are not exchanges.
	Unmatched []Unmatched `json:"unmatched"`
	Omitted   []Omission  `json:"omitted"`
}

// Exchange is an exchange that a route matches, and what it says.
type Exchange struct {
	// Entry is its place in the HAR file, from 1.
	Entry   int        `json:"entry"`
	Request string     `json:"request"`
	Status  int        `json:"status"`
	Kind    rules.Kind `json:"says"`
	// Route is the method and path of the route, and If what held of its conditions.
	Route string   `json:"route"`
	If    []string `json:"if,omitempty"`
	// Why is why it says nothing, why a navigation makes no event, or why events
	// are partial.
	Why         string       `json:"why,omitempty"`
	Observation *Observation `json:"observation"`
	// Events are those that are ready to be delivered after it.
	Events []Event `json:"events"`
}

// Observation is a rules.Observation as a report shows it.
type Observation struct {
	Survey      string `json:"survey"`
	Instance    string `json:"instance"`
	FriendlyID  string `json:"friendly_id"`
	Study       string `json:"study"`
	Participant string `json:"participant"`
	// Page is what was shown; null in a page_shown or navigated means completed.
	Page      *rules.Page     `json:"page"`
	PageCount int             `json:"page_count"`
	PageID    string          `json:"page_id"`
	Item      string          `json:"item"`
	Answer    json.RawMessage `json:"answer"`
	// Answers are those of a form.
	Answers []FormAnswer `json:"answers,omitempty"`
	Outcome string       `json:"outcome,omitempty"`
}

// FormAnswer is the answer to an item, which is empty for the page that the participant
// was on.
type FormAnswer struct {
	Item   string          `json:"item"`
	Answer json.RawMessage `json:"answer"`
}

// Event is an event, what each rule makes of it, and what would be sent.
type Event struct {
	Name      config.EventName `json:"name"`
	Place     int              `json:"place"`
	Recovered bool             `json:"recovered"`
	// Data is what `when` is evaluated on.
	Data       json.RawMessage `json:"data"`
	Rules      []rules.Verdict `json:"rules"`
	Deliveries []Delivery      `json:"deliveries"`
}

// Delivery is what a target would get.
type Delivery struct {
	Target      string          `json:"target"`
	Rule        string          `json:"rule"`
	Format      config.Format   `json:"format"`
	ContentType string          `json:"content_type"`
	Body        json.RawMessage `json:"body"`
}

// Unmatched is a request that no route matches.
type Unmatched struct {
	Request     string `json:"request"`
	ContentType string `json:"content_type"`
	Times       int    `json:"times"`
	// Sent and Got are the bodies of the request and the response, nil for one without fields.
	Sent *Outline `json:"sent"`
	Got  *Outline `json:"got"`
}

// Omission is an entry of a HAR file that is not an exchange, and why.
type Omission struct {
	Entry int    `json:"entry"`
	Why   string `json:"why"`
}
