package sts

import (
	"os"
	"strings"
)

// The variables that say where credentials come from. Their names are those of Alibaba
// Cloud's own SDKs and command line (documentation, Credentials: environment variables).
const (
	envKeyID            = "ALIBABA_CLOUD_ACCESS_KEY_ID"
	envKeySecret        = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	envToken            = "ALIBABA_CLOUD_SECURITY_TOKEN"
	envRoleARN          = "ALIBABA_CLOUD_ROLE_ARN"
	envSessionName      = "ALIBABA_CLOUD_ROLE_SESSION_NAME"
	envExternalID       = "ALIBABA_CLOUD_EXTERNAL_ID"
	envOIDCProvider     = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"
	envOIDCTokenFile    = "ALIBABA_CLOUD_OIDC_TOKEN_FILE"
	envSTSEndpoint      = "ALIBABA_CLOUD_STS_ENDPOINT"
	envSTSRegion        = "ALIBABA_CLOUD_STS_REGION"
	envVPC              = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"
	envURI              = "ALIBABA_CLOUD_CREDENTIALS_URI"
	envProfile          = "ALIBABA_CLOUD_PROFILE"
	envConfigFile       = "ALIBABA_CLOUD_CONFIG_FILE"
	envProfileDisabled  = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"
	envMetadataRole     = "ALIBABA_CLOUD_ECS_METADATA"
	envMetadataDisabled = "ALIBABA_CLOUD_ECS_METADATA_DISABLED"
	envV1Disabled       = "ALIBABA_CLOUD_IMDSV1_DISABLED"
)

// get returns a variable without white space around it, which copying brings along.
func get(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// isTrue reports whether a variable is "true", whatever the case, as the SDKs have it.
func isTrue(name string) bool { return strings.EqualFold(get(name), "true") }

// given returns value, or that of the variable where value is empty.
func given(value, variable string) string {
	if value != "" {
		return value
	}
	return get(variable)
}

// unset returns those of the variables that are not set.
func unset(names ...string) []string {
	var missing []string
	for _, name := range names {
		if get(name) == "" {
			missing = append(missing, name)
		}
	}
	return missing
}

// halfSet returns the error of a source of which some variables are set and others are
// not.
func halfSet(present string, missing []string) error {
	return kindf(ErrInvalidCredentials, "%s is set, but not %s", present, strings.Join(missing, " and "))
}

// stsAddress returns the address of STS for a region, by way of the VPC where that is
// asked for. Without a region the environment decides; by default it is that for all
// regions (STS documentation, Endpoints).
func stsAddress(region string, vpc bool) string {
	if address := get(envSTSEndpoint); address != "" && region == "" {
		return address
	}
	region = given(region, envSTSRegion)
	switch {
	case region == "":
		return defaultSTSAddress
	case vpc || isTrue(envVPC):
		return "https://sts-vpc." + region + ".aliyuncs.com"
	}
	return "https://sts." + region + ".aliyuncs.com"
}
