package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

const (
	// sessionTime is how long a login lasts.
	sessionTime = time.Hour
	// maxSessions is how many there can be; the oldest one ends for another.
	maxSessions = 32
)

// sessions are the logins of operators. They end with the process, and when the
// admin_token changes.
type sessions struct {
	isToken func(string) bool
	now     func() time.Time
	// key makes the tokens of pages.
	key [32]byte

	mu sync.Mutex
	// byDigest has the sessions by the SHA-256 of their ids, so that looking one up
	// takes the same time however much of an id is right.
	byDigest map[[32]byte]session
}

// session is one login.
type session struct {
	expires time.Time
	// token is the admin_token that was entered.
	token string
}

func newSessions(isToken func(string) bool) *sessions {
	s := &sessions{isToken: isToken, now: time.Now, byDigest: map[[32]byte]session{}}
	_, _ = rand.Read(s.key[:]) // never fails
	return s
}

// begin returns the id of a new session. ok is false where token is wrong.
func (s *sessions) begin(token string) (id string, ok bool) {
	if !s.isToken(token) {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.byDigest) >= maxSessions {
		delete(s.byDigest, s.oldest())
	}
	id = rand.Text()
	s.byDigest[sha256.Sum256([]byte(id))] = session{expires: s.now().Add(sessionTime), token: token}
	return id, true
}

func (s *sessions) oldest() (digest [32]byte) {
	var first time.Time
	for d, one := range s.byDigest {
		if first.IsZero() || one.expires.Before(first) {
			digest, first = d, one.expires
		}
	}
	return digest
}

// isValid reports whether an id is that of a session that has not ended.
func (s *sessions) isValid(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	digest := sha256.Sum256([]byte(id))
	one, known := s.byDigest[digest]
	if !known {
		return false
	}
	if !s.now().Before(one.expires) || !s.isToken(one.token) {
		delete(s.byDigest, digest)
		return false
	}
	return true
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byDigest, sha256.Sum256([]byte(id)))
}

// pageToken returns what pages of a session send with a change, so that pages of
// other sites, which cannot read it, cannot make one. The id of people on this
// machine is empty.
func (s *sessions) pageToken(id string) string {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (s *sessions) isPageToken(id, given string) bool {
	return hmac.Equal([]byte(s.pageToken(id)), []byte(given))
}
