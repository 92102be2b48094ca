package rules

import (
	"encoding/json"
	"fmt"
)

// pageKey is the name that a page's definition is stored under.
type pageKey = string

// encodedJourney is a journey as it is stored. Participants share the definitions
// of pages, so these are stored once each, and a journey has their names.
type encodedJourney struct {
	*journeyFields
	Definitions map[string]pageKey `json:"definitions,omitempty"`
}

// journeyFields is Journey without its methods.
type journeyFields Journey

// Encode returns the journey as bytes for DecodeJourney. put stores the
// definition of a page, and returns its name: the same for the same definition.
func (j *Journey) Encode(put func(definition []byte) string) ([]byte, error) {
	fields := journeyFields(*j)
	encoded := encodedJourney{journeyFields: &fields, Definitions: map[string]pageKey{}}
	fields.Pages = make([]*PageState, len(j.Pages))
	for i, page := range j.Pages {
		bare := *page
		bare.Definition = nil
		fields.Pages[i] = &bare
		if page.Definition == nil {
			continue
		}
		definition, err := json.Marshal(page.Definition)
		if err != nil {
			return nil, fmt.Errorf("cannot encode a page's definition: %w", err)
		}
		encoded.Definitions[page.ID] = put(definition)
	}
	data, err := json.Marshal(encoded)
	if err != nil {
		return nil, fmt.Errorf("cannot encode a journey: %w", err)
	}
	return data, nil
}

// DecodeJourney is the inverse of Encode. get returns the definition of a page by
// its name, nil if it is lost; the journey is then partial. Errors contain nothing
// of the journey.
func DecodeJourney(data []byte, get func(name string) []byte) (*Journey, error) {
	encoded := encodedJourney{journeyFields: &journeyFields{}}
	if err := json.Unmarshal(data, &encoded); err != nil {
		return nil, fmt.Errorf("cannot decode a journey of %d bytes: it is damaged", len(data))
	}
	j := (*Journey)(encoded.journeyFields)
	for _, page := range j.Pages {
		name, known := encoded.Definitions[page.ID]
		if !known {
			continue
		}
		page.Definition = &Page{}
		if err := json.Unmarshal(get(name), page.Definition); err != nil {
			page.Definition = nil
			j.Partial = true
		}
	}
	return j, nil
}
