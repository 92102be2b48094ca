package config

import (
	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// minPseudonymKey is the shortest key of pseudonyms, in bytes: ids can be guessed,
// so only the key keeps pseudonyms from being traced back.
const minPseudonymKey = 16

// checkPrivacy checks what a target may see.
func (c *checker) checkPrivacy(path string, t *Target) {
	c.checkParts(path+".only", t.Only)
	for i, part := range t.Only {
		if part.Path != "" {
			c.Wrong(strictyaml.ItemPath(path+".only", i)+".path", "must not be set here: only selects whole answers; use redact to remove parts")
		}
	}
	c.checkRedact(path+".redact", t.Redact)
	c.checkPseudonymise(path+".pseudonymise", t)
}

func (c *checker) checkRedact(path string, redact Redact) {
	notEmptyParts(c, path+".answers", redact.Answers)
	c.checkParts(path+".answers", redact.Answers)
	if c.Usable(path) && c.CleanBelow(path) && !redact.Participant && redact.Answers == nil {
		c.Wrong(path, "redacts nothing; add participant: true or answers, or remove it")
	}
}

func (c *checker) checkPseudonymise(path string, t *Target) {
	pseudonymise := t.Pseudonymise
	if !c.Usable(path) {
		return
	}
	notEmptyParts(c, path+".answers", pseudonymise.Answers)
	c.checkParts(path+".answers", pseudonymise.Answers)
	if c.CleanBelow(path) && !pseudonymise.Participant && pseudonymise.Answers == nil {
		c.Wrong(path, "replaces nothing; add participant: true or answers, or remove it")
	}
	if pseudonymise.Participant && t.Redact.Participant {
		c.Wrong(path+".participant", "must not be true when redact removes the participant")
	}
	c.required(path+".key", "make one with: openssl rand -base64 32, and refer to it as env:NAME or file:PATH")
	key, usable := c.checkSecret(path+".key", pseudonymise.Key)
	if usable && len(key.Reveal()) < minPseudonymKey {
		c.Wrong(path+".key", "must refer to a key of at least %d characters; make one with: openssl rand -base64 32", minPseudonymKey)
	}
	t.Pseudonymise.Key = key
}

// notEmptyParts notes an empty list, which reads like "all" but would mean "none".
func notEmptyParts(c *checker, path string, parts []AnswerPart) {
	if parts != nil && len(parts) == 0 {
		c.Wrong(path, "is empty; name at least one, such as {page: 1} or {type: Free Text}, or remove the key")
	}
}

func (c *checker) checkParts(path string, parts []AnswerPart) {
	for i, part := range parts {
		at := strictyaml.ItemPath(path, i)
		if !c.Usable(at) {
			continue
		}
		for key, text := range map[string]string{".item": part.Item, ".type": part.Type, ".path": part.Path} {
			if c.Usable(at+key) && text == "" {
				c.Wrong(at+key, "must not be empty")
			}
		}
		if part == (AnswerPart{}) && c.CleanBelow(at) {
			c.Wrong(at, "selects no answer; set page, item, type or path")
		}
		if _, err := jsonpath.ParseAnswerPath(part.Path); err != nil {
			c.Wrong(at+".path", "%s, not %s", err, strictyaml.Quoted(part.Path))
		}
	}
}
