// Package policy evaluates RAM policies.
package policy

import (
	"strings"
	"unicode/utf8"
)

// A Decision is what a policy says of one action on one resource.
type Decision int

// What a policy can decide.
const (
	ImplicitDeny Decision = iota // no statement allows it
	ExplicitDeny                 // a Deny statement matches, whatever else does
	Allowed
)

// A Policy is a RAM policy document, read.
type Policy struct {
	statements []statement
	and        *Policy // has to allow it as well; nil: nothing
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

// An Access is one action on one resource that a request asks for. One request
// can ask for several.
type Access struct {
	Action  string // such as oss:PutObject
	Region  string // such as cn-hangzhou
	Account string
	Path    string // bucket, bucket/key, or * for the service
}

// allowAll is the policy of a key that was given none.
var allowAll = &Policy{statements: []statement{{
	allow:     true,
	actions:   []string{"*"},
	resources: []resourcePattern{{any: true}},
}}}

// Decide evaluates all statements: a Deny wins over any Allow, and what
// nothing allows is denied (RAM documentation, policy evaluation). Where there are
// more policies, each has to allow it.
func (p *Policy) Decide(a Access) Decision {
	d := p.decideAlone(a)
	if p.and == nil {
		return d
	}
	other := p.and.Decide(a)
	if d == ExplicitDeny || other == ExplicitDeny {
		return ExplicitDeny
	}
	return min(d, other)
}

func (p *Policy) decideAlone(a Access) Decision {
	d := ImplicitDeny
	for _, s := range p.statements {
		if !s.matches(a) {
			continue
		}
		if !s.allow {
			return ExplicitDeny
		}
		d = Allowed
	}
	return d
}

func (s *statement) matches(a Access) bool {
	return s.matchesAction(a.Action) != s.not && s.matchesResource(a) != s.except
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

func (s *statement) matchesResource(a Access) bool {
	for _, pattern := range s.resources {
		if pattern.matches(a) {
			return true
		}
	}
	return false
}

// matches accepts a region with and without the prefix that endpoints have:
// RAM policies in the wild write both cn-hangzhou and oss-cn-hangzhou.
func (p resourcePattern) matches(a Access) bool {
	if p.any {
		return true
	}
	return wildcard(p.service, "oss") &&
		(wildcard(p.region, a.Region) || wildcard(p.region, "oss-"+a.Region)) &&
		wildcard(p.account, a.Account) &&
		wildcard(p.path, a.Path)
}

// wildcard reports whether pattern matches the whole of s; * stands for any
// characters, slashes too, and ? for one.
func wildcard(pattern, s string) bool {
	star, retry := -1, 0 // where the last * was, and where its match continues
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
