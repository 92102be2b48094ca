package demo

import (
	"encoding/json"
	"time"
)

// The types of events that the app itself reads. Others are stored all the same.
const (
	componentResults = "decsys.platform.COMPONENT_RESULTS"
	pageLoad         = "decsys.platform.PAGE_LOAD"
	pageNavigation   = "decsys.platform.PAGE_NAVIGATION"
	pageRandomize    = "decsys.platform.PAGE_RANDOMIZE"
	surveyComplete   = "decsys.platform.SURVEY_COMPLETE"
)

// event is one entry of the log, in the wire's order.
type event struct {
	Timestamp instant         `json:"timestamp"`
	Source    string          `json:"source"`
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
}

// navigation is the payload of a pageNavigation, which Decsys writes in capitals. A
// null target is the end of the survey.
type navigation struct {
	PageRequested string
	TargetPageID  *string `json:"TargetPageId"`
}

// instant is a time as Decsys writes it with LiteDB: UTC, without trailing zeros.
type instant time.Time

// size is what the event counts against maxLogSize.
func (e event) size() int {
	return eventOverhead + len(e.Source) + len(e.Type) + len(e.Payload)
}

// MarshalText implements encoding.TextMarshaler.
func (t instant) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.999-07:00"), nil
}
