package appserver_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
)

// A server of one's own maps its users to identities; each gets a token for the
// objects below its own prefix.
func ExampleNew() {
	server := ststest.NewServer(nil) // in place of https://sts.aliyuncs.com
	defer server.Close()
	user := server.DefaultUser()

	handler, err := appserver.New(&appserver.Config{
		AccessKeyID: user.AccessKeyID, AccessKeySecret: user.AccessKeySecret, RoleARN: ststest.DefaultRole,
		PolicyFile: "policy/bucket_read_write_policy.txt", BucketName: "media", STSEndpoint: server.URL,
	}, &appserver.Options{
		Authenticate: func(r *http.Request) (appserver.Identity, error) {
			name := r.Header.Get("X-User") // a real one would check a session
			if name == "" {
				return appserver.Identity{}, appserver.ErrUnauthenticated
			}
			return appserver.Identity{Name: name, ObjectPrefix: "users/" + name + "/"}, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer handler.Close()
	app := httptest.NewServer(handler)
	defer app.Close()

	provider, err := sts.NewHTTP(app.URL, &sts.HTTPOptions{
		Prepare: func(r *http.Request) error { r.Header.Set("X-User", "alice"); return nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	credentials, err := provider.Credentials(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	token, _ := server.Lookup(credentials.AccessKeyID, credentials.SecurityToken)
	fmt.Println(token.Session, token.Policy)
	// Output: alice {"Statement":[{"Action":["oss:GetObject","oss:PutObject","oss:DeleteObject","oss:ListParts","oss:AbortMultipartUpload"],"Effect":"Allow","Resource":["acs:oss:*:*:media/users/alice/*"]}],"Version":"1"}
}
