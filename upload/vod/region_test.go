package vod

import (
	"errors"
	"testing"
)

func TestEndpointOfARegion(t *testing.T) {
	for region, want := range map[string]string{
		"cn-shanghai":    "https://vod.cn-shanghai.aliyuncs.com",
		"cn-hangzhou":    "https://vod.cn-shanghai.aliyuncs.com",
		"cn-beijing":     "https://vod.cn-beijing.aliyuncs.com",
		"ap-southeast-1": "https://vod.ap-southeast-1.aliyuncs.com",
		"us-west-1":      "https://vod.us-west-1.aliyuncs.com",
		"us-east-1":      "https://vod.aliyuncs.com",
		"cn-qingdao":     "https://vod.aliyuncs.com",
		"xx-new-1":       "https://vod.xx-new-1.aliyuncs.com",
	} {
		if got, err := endpoint(region); got != want || err != nil {
			t.Errorf("%s: got %s, %v; want %s", region, got, err, want)
		}
	}
	for _, region := range []string{"", "shanghai", "cn-shanghai.example.com", "cn-shanghai/"} {
		if got, err := endpoint(region); !errors.Is(err, ErrParameter) {
			t.Errorf("%q: got %s, %v; want ErrParameter", region, got, err)
		}
	}
}
