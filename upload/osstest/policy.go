package osstest

import (
	"strings"
	"unicode/utf8"
)

// A decision is what a policy says of one action on one resource.
type decision int

const (
	implicitDeny decision = iota // no statement allows it
	explicitDeny                 // a Deny statement matches, whatever else does
	allowed
)

// A policy is a RAM policy document, read.
type policy struct {
	statements []statement
	and        *policy // has to allow it as well; nil: nothing
}

// A statement allows or denies actions on resources.
type statement struct {
	allow     bool
	actions   []string // patterns, lower-case
	not       bool     // NotAction: all actions but these
	resources []resourcePattern
	except    bool // NotResource: all resources but these
}

// A resourcePattern is a resource as a policy writes it,
// acs:oss:region:account:path, where each field may have wildcards.
type resourcePattern struct {
	any                            bool // just "*"
	service, region, account, path string
}

// An access is one action on one resource that a request asks for. One request
// can ask for several.
type access struct {
	action  string // such as oss:PutObject
	region  string // such as cn-hangzhou
	account string
	path    string // bucket, bucket/key, or * for the service
}

// allowAll is the policy of a key that was given none.
var allowAll = &policy{statements: []statement{{
	allow:     true,
	actions:   []string{"*"},
	resources: []resourcePattern{{any: true}},
}}}

// decide evaluates all statements: a Deny wins over any Allow, and what
// nothing allows is denied (RAM documentation, policy evaluation). Where there are
// more policies, each has to allow it.
func (p *policy) decide(a access) decision {
	d := p.decideAlone(a)
	if p.and == nil {
		return d
	}
	other := p.and.decide(a)
	if d == explicitDeny || other == explicitDeny {
		return explicitDeny
	}
	return min(d, other)
}

func (p *policy) decideAlone(a access) decision {
	d := implicitDeny
	for _, s := range p.statements {
		if !s.matches(a) {
			continue
		}
		if !s.allow {
			return explicitDeny
		}
		d = allowed
	}
	return d
}

func (s *statement) matches(a access) bool {
	return s.matchesAction(a.action) != s.not && s.matchesResource(a) != s.except
}

func (s *statement) matchesAction(action string) bool {
	action = strings.ToLower(action)
	for _, pattern := range s.actions {
		if wildcard(pattern, action) {
			return true
		}
	}
	return false
}

func (s *statement) matchesResource(a access) bool {
	for _, pattern := range s.resources {
		if pattern.matches(a) {
			return true
		}
	}
	return false
}

// matches accepts a region with and without the prefix that endpoints have:
// RAM policies in the wild write both cn-hangzhou and oss-cn-hangzhou.
func (p resourcePattern) matches(a access) bool {
	if p.any {
		return true
	}
	return wildcard(p.service, "oss") &&
		(wildcard(p.region, a.region) || wildcard(p.region, "oss-"+a.region)) &&
		wildcard(p.account, a.account) &&
		wildcard(p.path, a.path)
}

// wildcard reports whether pattern matches the whole of s; * stands for any
// characters, slashes too, and ? for one.
func wildcard(pattern, s string) bool {
	star, retry := -1, 0 // where the last * was, and where its match goes on
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, retry = p, i
			p++
			continue
		}
		if p < len(pattern) && pattern[p] == '?' {
			_, n := utf8.DecodeRuneInString(s[i:])
			p, i = p+1, i+n
			continue
		}
		if p < len(pattern) && pattern[p] == s[i] {
			p, i = p+1, i+1
			continue
		}
		if star < 0 {
			return false
		}
		retry++
		p, i = star+1, retry
	}
	return strings.Trim(pattern[p:], "*") == ""
}
