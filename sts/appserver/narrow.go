package appserver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// errNotNarrowable is the reason to refuse a prefix rather than to ignore it.
var errNotNarrowable = errors.New("the policy cannot be narrowed to a prefix")

// narrow returns the statements that stay with a prefix: of the Allow statements only
// the resources below it, and nothing of those that have none, such as listing the
// names of all objects in the bucket. Deny statements stay whole.
func narrow(statements []any) ([]any, error) {
	var narrowed []any
	allowed := false
	for _, s := range statements {
		m, _ := s.(map[string]any)
		if m["Effect"] == "Deny" {
			narrowed = append(narrowed, s)
			continue
		}
		if _, ok := m["NotResource"]; ok {
			return nil, fmt.Errorf("%w: an Allow statement has NotResource, which is all that is elsewhere; want Resource", errNotNarrowable)
		}
		kept, ok, err := below(m)
		if err != nil {
			return nil, err
		}
		if ok {
			narrowed = append(narrowed, kept)
			allowed = true
		}
	}
	if !allowed {
		return nil, fmt.Errorf("%w: no Allow statement has a Resource with %s", errNotNarrowable, prefixPlaceholder)
	}
	return narrowed, nil
}

// below returns an Allow statement with those of its resources that are below the
// prefix, and false if there are none. One that may only list names that begin with the
// prefix has none, and keeps its bucket, which is what it is about.
func below(statement map[string]any) (kept map[string]any, ok bool, err error) {
	lists := onlyLists(statement["Action"]) && listsBelow(statement["Condition"])
	inside := hasPrefixPlaceholder
	if lists {
		inside = isBucket
	}
	resources := slices.DeleteFunc(texts(statement["Resource"]), func(r any) bool { return !inside(r) })
	if len(resources) == 0 {
		if lists {
			err = fmt.Errorf("%w: a statement that lists names below %s has no bucket without wildcards as its Resource, such as acs:oss:*:*:%s",
				errNotNarrowable, prefixPlaceholder, bucketPlaceholder)
		}
		return nil, false, err
	}
	kept = maps.Clone(statement)
	kept["Resource"] = resources
	return kept, true, nil
}

// isBucket reports whether a resource is one bucket, without its objects.
func isBucket(resource any) bool {
	text, _ := resource.(string)
	bucket, object, _ := splitResource(text)
	return literalBucket(bucket) && object == "" && !strings.Contains(text, "/")
}

func onlyLists(action any) bool {
	all := texts(action)
	return len(all) > 0 && !slices.ContainsFunc(all, func(a any) bool {
		text, _ := a.(string)
		return !strings.HasPrefix(text, "oss:List")
	})
}

// listsBelow reports whether a condition demands that oss:Prefix, which only requests
// that list have, is below the prefix. Of a name that is there in several cases, nobody
// knows which one counts.
func listsBelow(condition any) bool {
	operators, _ := condition.(map[string]any)
	for operator, keys := range operators {
		if operator != "StringLike" && operator != "StringEquals" {
			continue
		}
		byKey, _ := keys.(map[string]any)
		var all []any
		for key, values := range byKey {
			if strings.EqualFold(key, "oss:Prefix") {
				all = append(all, texts(values)...)
			}
		}
		if len(all) > 0 && !slices.ContainsFunc(all, func(v any) bool { return !beginsWithPlaceholder(v) }) {
			return true
		}
	}
	return false
}

// texts returns the elements of a list, or the one that stands without brackets.
func texts(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return slices.Clone(v)
	}
	return []any{value}
}

func hasPrefixPlaceholder(value any) bool {
	text, _ := value.(string)
	return strings.Contains(text, prefixPlaceholder)
}

func beginsWithPlaceholder(value any) bool {
	text, _ := value.(string)
	return strings.HasPrefix(text, prefixPlaceholder)
}
