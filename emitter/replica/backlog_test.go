package replica

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatWasForgottenLastIsNotSaidToHaveArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, link, d := bubble(t)
		l := live(link, d)
		link.Cut()
		within(t, spillWait, l.see(t, "p", "1"))
		within(t, spillWait, l.see(t, "q", "2"))
		must(t, l.ForgetSpilled(t.Context(), "q"))
		link.Mend()
		time.Sleep(10 * time.Second)
		if q := l.Unseen(nil)[0]; q.Acked != 1 || len(q.Pending) != 0 || l.Status().Records != 0 {
			t.Errorf("it tells %+v", q)
		}
		within(t, time.Millisecond, l.see(t, "p", "3"))
		if q := l.Unseen(nil)[0]; q.Acked != 3 {
			t.Errorf("after another one, it tells %+v", q)
		}
		l.end(t)
	})
}
