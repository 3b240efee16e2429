// Package adapters connects other libraries' providers of credentials with those of
// package sts. Each adapter is short enough to be copied into a program.
package adapters

import (
	"context"

	osscredentials "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/credentials-go/credentials"

	"github.com/vodupload/vodupload/sts"
)

// FromCredentialsGo makes a provider of the credentials that Alibaba Cloud's
// credentials-go finds. It does not say when they expire, and it has no context: a
// Cache asks it every ten minutes, and again when a server has refused a token.
func FromCredentialsGo(from credentials.Credential) sts.Provider {
	return sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
		c, err := from.GetCredential()
		if err != nil {
			return sts.Credentials{}, err
		}
		text := func(p *string) string {
			if p == nil {
				return ""
			}
			return *p
		}
		return sts.Credentials{AccessKeyID: text(c.AccessKeyId), AccessKeySecret: text(c.AccessKeySecret), SecurityToken: text(c.SecurityToken)}, nil
	})
}

// FromOSS makes a provider of one of the OSS Go SDK v2.
func FromOSS(from osscredentials.CredentialsProvider) sts.Provider {
	return sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
		c, err := from.GetCredentials(ctx)
		if err != nil {
			return sts.Credentials{}, err
		}
		creds := sts.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
		if c.Expires != nil {
			creds.Expiration = *c.Expires
		}
		return creds, nil
	})
}

// ToOSS lets the OSS Go SDK v2 sign with the credentials of a provider. The SDK asks for
// each request: from should be a Cache.
func ToOSS(from sts.Provider) osscredentials.CredentialsProvider {
	return osscredentials.CredentialsProviderFunc(func(ctx context.Context) (osscredentials.Credentials, error) {
		c, err := from.Credentials(ctx)
		if err != nil {
			return osscredentials.Credentials{}, err
		}
		creds := osscredentials.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
		if end := c.Deadline(); !end.IsZero() {
			creds.Expires = &end
		}
		return creds, nil
	})
}
