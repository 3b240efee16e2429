package appserver

import (
	"fmt"
	"strings"
)

// checkStatement refuses what would give a client more than the objects below its
// prefix, or what only looks as if it were narrowed: names in another case, and an
// Allow statement whose resource has the prefix anywhere but at the beginning of an
// object's name in one bucket. In */$OBJECT_PREFIX* the wildcard stands for other
// buckets, and in $BUCKET_NAME/*/$OBJECT_PREFIX* for other clients' names.
func checkStatement(statement any) error {
	m, ok := statement.(map[string]any)
	if !ok {
		return fmt.Errorf("has a Statement with something that is no object")
	}
	if err := exactNames(m, "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal"); err != nil {
		return err
	}
	switch m["Effect"] {
	case "Deny":
		return nil
	case "Allow":
	default:
		// A Deny in other words would be taken for an Allow, and narrowed away.
		return fmt.Errorf("has a statement whose Effect is neither Allow nor Deny")
	}
	for _, r := range texts(m["Resource"]) {
		text, _ := r.(string)
		if !strings.Contains(text, prefixPlaceholder) {
			continue
		}
		if problem := prefixProblem(text); problem != "" {
			return fmt.Errorf("allows the resource %q, in which %s; want acs:oss:*:*:%s/%s*", text, problem, bucketPlaceholder, prefixPlaceholder)
		}
	}
	return nil
}

// prefixProblem says what is wrong with a resource that has the placeholder of the
// prefix in it; "" if nothing is.
func prefixProblem(resource string) string {
	bucket, object, ok := splitResource(resource)
	switch rest, begins := strings.CutPrefix(object, prefixPlaceholder); {
	case !ok:
		return "not all of acs:oss:REGION:ACCOUNT:BUCKET/OBJECT is there"
	case !literalBucket(bucket):
		return "the bucket is not one bucket's name"
	case !begins:
		return prefixPlaceholder + " does not begin the object's name, so that others' objects match, too"
	case strings.HasPrefix(rest, "/"):
		return "a slash follows " + prefixPlaceholder + ", which ends with one, so that nothing below it matches"
	}
	return ""
}

// splitResource splits acs:oss:REGION:ACCOUNT:BUCKET/OBJECT.
func splitResource(resource string) (bucket, object string, ok bool) {
	parts := strings.SplitN(resource, ":", 5)
	if len(parts) < 5 || parts[0] != "acs" || parts[1] != "oss" ||
		strings.Contains(parts[2]+parts[3], prefixPlaceholder) {
		return "", "", false
	}
	bucket, object, _ = strings.Cut(parts[4], "/")
	return bucket, object, true
}

func literalBucket(bucket string) bool {
	return bucket == bucketPlaceholder || bucketForm.MatchString(bucket)
}

// exactNames refuses a name that differs from a known one in its case only: it is not
// sure that everybody reads it, or that everybody ignores it.
func exactNames(m map[string]any, known ...string) error {
	for name := range m {
		for _, k := range known {
			if name != k && strings.EqualFold(name, k) {
				return fmt.Errorf("has the name %s; want %s", name, k)
			}
		}
	}
	return nil
}
