package sts_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

// A backend that has the key of a RAM user gets its tokens from STS itself.
func ExampleNewAssumeRole() {
	server := ststest.NewServer(nil) // in place of https://sts.aliyuncs.com
	defer server.Close()

	role, err := sts.NewAssumeRole(sts.Static(server.DefaultUser()), ststest.DefaultRole, &sts.AssumeRoleOptions{
		SessionName: "backend-7",
		Endpoint:    server.URL,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	cache, err := sts.NewCache(role, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cache.Close()
	for range 1000 { // one call of STS for all of them
		credentials, err := cache.Credentials(context.Background())
		if err != nil || !strings.HasPrefix(credentials.AccessKeyID, "STS.") {
			fmt.Println(credentials, err)
		}
	}
	fmt.Println("calls of STS:", server.Stats().Calls)
	// Output: calls of STS: 1
}

// Credentials can be logged: their text has no secret in it.
func ExampleCredentials() {
	c := sts.Credentials{AccessKeyID: "LTAI4FZexample", AccessKeySecret: "not to be seen"}
	fmt.Printf("%v %+v %#v\n", c, c, c)
	// Output: {LTAI4FZe… token:false expires:never} {LTAI4FZe… token:false expires:never} sts.Credentials{LTAI4FZe… token:false expires:never}
}
