package record

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules"
)

// fill sets every field of a value, and of what is in it, to something that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1_800_000_000, 123_456_789).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.String:
		v.SetString("<text> ä")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(1<<7 + 3)
	case reflect.Int:
		v.SetInt(7)
	default:
		panic("nothing to fill " + v.Type().String() + " with")
	}
}

func TestNoFieldOfASightingIsLostOnItsWay(t *testing.T) {
	var s sighting
	fill(reflect.ValueOf(&s).Elem())
	data, err := s.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeSighting("<text> ä", data)
	if diff := cmp.Diff(s, got); err != nil || diff != "" {
		t.Errorf("%v, (-sent +read):\n%s", err, diff)
	}
}

func TestASightingIsMovedWithAllTimesThatItsReplicaTold(t *testing.T) {
	at := time.Unix(1_800_000_000, 0).UTC()
	s := sighting{Began: at, Observation: &rules.Observation{At: at.Add(time.Second)}}
	s.move(-30 * time.Second)
	want := sighting{Began: at.Add(-30 * time.Second), Observation: &rules.Observation{At: at.Add(-29 * time.Second)}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("(-want +moved):\n%s", diff)
	}
	new(sighting).move(time.Second)
}

func TestParticipantOfASightingIsKeptByteForByte(t *testing.T) {
	const id = "\xff\x00ä"
	s := sighting{Newcomer: id, Observation: &rules.Observation{Journey: rules.Key{Instance: "3", Participant: id}}}
	data, err := s.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeSighting(id, data)
	if err != nil || got.Newcomer != id || got.Observation.Journey.Participant != id {
		t.Errorf("read %q and %q, %v", got.Newcomer, got.Observation.Journey.Participant, err)
	}
}

func TestSightingsThatCannotBeReadAreTold(t *testing.T) {
	f := func(data string, want error) {
		t.Helper()
		if _, err := decodeSighting("p", []byte(data)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", data, err, want)
		}
	}
	f("", errDamagedSighting)
	f("\x01{", errDamagedSighting)
	f("\x02{}", errNewerSighting)
}
