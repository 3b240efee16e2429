package wire

// codes are the error codes that the EC of an answer stands for, where its XML cannot
// be read: the header X-Oss-Ec has no more than that (OSS documentation, EC error
// codes; those of multipart uploads as its SDKs' tests record them). Only codes that
// lead to something are here.
var codes = map[string]string{
	"0002-00000006": "InvalidSecurityToken",
	"0002-00000007": "SecurityTokenExpired",
	"0002-00000008": "InvalidSecurityToken",
	"0002-00000040": "SignatureDoesNotMatch",
	"0002-00000101": "SignatureDoesNotMatch",
	"0002-00000201": "SignatureDoesNotMatch",
	"0002-00000212": "InvalidArgument",
	"0002-00000226": "InvalidArgument",
	"0002-00000228": "InvalidArgument",
	"0002-00000503": "AccessDenied",
	"0002-00000504": "RequestTimeTooSkewed",
	"0002-00000902": "InvalidAccessKeyId",
	"0003-00000801": "UserDisable",
	"0003-00001403": "AccessDenied",
	"0004-00000502": "InvalidArgument",
	"0007-00000203": "CallbackFailed",
	"0015-00000101": "NoSuchBucket",
	"0017-00000220": "InvalidArgument",
	"0017-00000244": "NoSuchUpload",
	"0017-00000502": "InvalidDigest",
	"0017-00000503": "InvalidDigest",
	"0026-00000001": "NoSuchKey",
	"0026-00000002": "FileAlreadyExists",
	"0042-00000002": "NoSuchUpload",
	"0042-00000104": "NoSuchUpload",
	"0042-00000105": "PartNotSequential",
	"0042-00000108": "PartAlreadyExist",
	"0042-00000203": "NoSuchUpload",
	"0042-00000205": "MalformedXML",
	"0042-00000209": "InvalidPartOrder",
	"0042-00000213": "EntityTooSmall",
	"0042-00000214": "FileAlreadyExists",
	"0042-00000311": "NoSuchUpload",
}
