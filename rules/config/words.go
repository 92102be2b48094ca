package config

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// The words of each closed list, as errors and the JSON Schema show them.
var (
	durabilityWords = []Durability{Strict, Relaxed}
	formatWords     = []Format{FormatDecsys, FormatStandard, FormatCloudEvents}
	orderWords      = []Order{OrderParticipant, OrderNone}
	eventWords      = []EventName{PageNavigation, Completion}
	forwardedWords  = []Forwarded{ForwardedPreserve, ForwardedAppend, ForwardedReplace}
	addressWords    = []AddressClass{Private, Loopback, LinkLocal, Metadata, Multicast, Unspecified, Reserved}
)

// UnmarshalText takes strict or relaxed.
func (d *Durability) UnmarshalText(text []byte) (err error) {
	*d, err = strictyaml.OneOf(string(text), durabilityWords...)
	return err
}

// UnmarshalText takes the name of a format.
func (f *Format) UnmarshalText(text []byte) (err error) {
	*f, err = strictyaml.OneOf(string(text), formatWords...)
	return err
}

// UnmarshalText takes the name of an order.
func (o *Order) UnmarshalText(text []byte) (err error) {
	*o, err = strictyaml.OneOf(string(text), orderWords...)
	return err
}

// UnmarshalText takes the name of an event.
func (n *EventName) UnmarshalText(text []byte) (err error) {
	*n, err = strictyaml.OneOf(string(text), eventWords...)
	return err
}

// UnmarshalScalar takes a plain number for a page's number, and any other text,
// a number in quotes too, for its name.
func (p *PageName) UnmarshalScalar(text string, number bool) error {
	if !number {
		*p = PageName{Name: text}
		if text == "" {
			return errors.New("must be a page's number or name, not an empty text")
		}
		return nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		return fmt.Errorf("must be a page's number, from 1, or its name in quotes, not %s", strictyaml.Quoted(text))
	}
	*p = PageName{Number: count}
	return nil
}

// String writes the page as a configuration would.
func (p PageName) String() string {
	if p.Number > 0 {
		return strconv.Itoa(p.Number)
	}
	return strconv.Quote(p.Name)
}
