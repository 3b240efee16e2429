package sts

import (
	"net/http"
	"testing"
	"time"
)

// Package net/http reads the proxies of the environment once in a process, so that a
// test cannot set one: what counts is whether the clients ask for them.
func TestCredentialsOverPlainHTTPPassNoProxy(t *testing.T) {
	t.Setenv(envMetadataDisabled, "")
	ecs, err := NewECSRole(nil)
	if err != nil {
		t.Fatal(err)
	}
	local, err := NewURI("http://127.0.0.1:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	remote, err := NewURI("https://credentials.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		client *http.Client
		proxy  bool
	}{"ECS role": {ecs.opts.client, false}, "URI with plain HTTP": {local.client, false}, "URI with https": {remote.client, true}} {
		transport := tt.client.Transport.(*http.Transport)
		if (transport.Proxy != nil) != tt.proxy {
			t.Errorf("%s: asks for a proxy: %t, want %t", name, transport.Proxy != nil, tt.proxy)
		}
		if !transport.DisableKeepAlives {
			t.Errorf("%s: keeps connections, and goroutines, between calls that are hours apart", name)
		}
	}
	if ecs.base.String() != "http://100.100.100.200" || ecs.opts.Timeout != time.Second {
		t.Errorf("by default the metadata service is %s, within %v", ecs.base, ecs.opts.Timeout)
	}
}

func TestSTSAddress(t *testing.T) {
	tests := []struct {
		name   string
		region string
		vpc    bool
		vars   map[string]string
		want   string
	}{
		{name: "by default", want: "https://sts.aliyuncs.com"},
		{name: "a region", region: "cn-beijing", want: "https://sts.cn-beijing.aliyuncs.com"},
		{name: "a region by way of the VPC", region: "cn-beijing", vpc: true, want: "https://sts-vpc.cn-beijing.aliyuncs.com"},
		{name: "the environment's region", vars: map[string]string{envSTSRegion: "cn-beijing"}, want: "https://sts.cn-beijing.aliyuncs.com"},
		{name: "the environment's region and VPC", vars: map[string]string{envSTSRegion: "cn-beijing", envVPC: "true"}, want: "https://sts-vpc.cn-beijing.aliyuncs.com"},
		{name: "the VPC without a region", vars: map[string]string{envVPC: "true"}, want: "https://sts.aliyuncs.com"},
		{name: "the environment's endpoint", vars: map[string]string{envSTSEndpoint: "sts.example", envSTSRegion: "cn-beijing"}, want: "sts.example"},
		{name: "a region, whatever the environment's endpoint", region: "cn-beijing", vars: map[string]string{envSTSEndpoint: "sts.example"}, want: "https://sts.cn-beijing.aliyuncs.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{envSTSEndpoint, envSTSRegion, envVPC} {
				t.Setenv(name, tt.vars[name])
			}
			if got := stsAddress(tt.region, tt.vpc); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
