package sts

import "net/http"

// Through has the requests to the metadata service go through rt.
func (o *ECSRoleOptions) Through(rt http.RoundTripper) { o.client = &http.Client{Transport: rt} }
