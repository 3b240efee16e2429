package vod

import (
	"fmt"
	"regexp"
	"strings"
)

// DefaultRegion is where VOD is asked unless told otherwise, as in the clients for
// mobile and the web.
const DefaultRegion = "cn-shanghai"

var regionForm = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)

// centralRegions are those that VOD serves from vod.aliyuncs.com.
var centralRegions = strings.Fields(`
	ap-northeast-2-pop ap-southeast-2 ap-southeast-3 cn-beijing-finance-1
	cn-beijing-finance-pop cn-beijing-gov-1 cn-chengdu cn-edge-1 cn-fujian
	cn-hangzhou-finance cn-hongkong-finance-pop cn-huhehaote cn-huhehaote-nebula-1
	cn-qingdao cn-qingdao-nebula cn-shanghai-finance-1 cn-shenzhen-finance-1 cn-wuhan
	cn-wulanchabu cn-yushanfang cn-zhangbei cn-zhengzhou-nebula-1 eu-west-1-oxs
	me-east-1 rus-west-1-pop us-east-1
`)

// hosts are those of the regions that have none of their own (the endpoint map of
// Alibaba Cloud's SDKs for VOD 2017-03-21, such as @alicloud/vod20170321; VOD
// documentation, VOD centers and endpoints). All others are vod.REGION.aliyuncs.com.
var hosts = func() map[string]string {
	m := map[string]string{"cn-hangzhou": "vod.cn-shanghai.aliyuncs.com"}
	for _, region := range centralRegions {
		m[region] = "vod.aliyuncs.com"
	}
	return m
}()

// endpoint returns the address of VOD for a region.
func endpoint(region string) (string, error) {
	if !regionForm.MatchString(region) {
		return "", fmt.Errorf("%w: Region: got %q, want the form of %q", ErrParameter, region, DefaultRegion)
	}
	if host := hosts[region]; host != "" {
		return "https://" + host, nil
	}
	return "https://vod." + region + ".aliyuncs.com", nil
}
