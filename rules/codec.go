package rules

import (
	"encoding/json"
	"fmt"
)

// pageKey stands for a page's definition in an encoded journey.
type pageKey = string

// encodedJourney is a journey as it is stored: page definitions, which all
// participants share, are stored once by content and only named here.
type encodedJourney struct {
	*journeyFields
	Definitions map[string]pageKey `json:"definitions,omitempty"`
}

// journeyFields is Journey without its methods.
type journeyFields Journey

// Encode gives the journey's bytes. put stores a page's definition and gives
// the name that it goes by from then on.
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

// DecodeJourney is the inverse of Encode. get gives a page's definition by its
// name, nil where it is lost: the journey is partial then.
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
