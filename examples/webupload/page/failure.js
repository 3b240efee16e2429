// What can go wrong, in words for the person in front of the page.

import { msg } from "./words.js";

// A Failure says what happened, what to do about it, and what a technician wants to
// know. Its kind says how an upload continues:
//
//	retry    it may work the next time
//	token    it works with a new token
//	restart  the server has forgotten the upload: begin it again
//	exists   there is an object of that name
//	elsewhere it waits for another tab
//	abort    it was ended from here
//	stop     none of these: a person has to act
export class Failure extends Error {
	constructor(kind, title, advice = "", technical = "") {
		super(String(title));
		this.kind = kind;
		this.outage = false; // no answer: the network, or the server as a whole
		this.title = title;
		this.advice = advice;
		this.technical = technical;
	}
}

const tokenCodes = new Set(["SecurityTokenExpired", "InvalidSecurityToken", "InvalidAccessKeyId"]);
const retryCodes = new Set(["RequestTimeout", "InvalidDigest", "IncompleteBody"]);
const retryStatus = new Set([408, 429]);

// explain makes a Failure of an error of the SDK. The place is the bucket and prefix.
export function explain(error, place) {
	if (error instanceof Failure) {
		return error;
	}
	const technical = [error.code ?? error.name, error.message, error.requestId && `request ${error.requestId}`]
		.filter(Boolean).join(" · ");
	if (error.name === "abort") {
		return new Failure("abort", "Ended");
	}
	if (error.status === -1) {
		return outage("The connection to the bucket broke",
			"Check your network. What has been uploaded stays: try again when it works.",
			error.name === "stalled" ? "no byte moved for 30 seconds" : "");
	}
	if (tokenCodes.has(error.code)) {
		return new Failure("token", "The service does not accept the token",
			"It may belong to another account than the bucket. Whoever runs this page has to look at it.", technical);
	}
	if (error.status >= 500 || retryStatus.has(error.status) || retryCodes.has(error.code)) {
		return new Failure("retry", "The service is busy or in trouble", "Try again in a few minutes. What has been uploaded stays.", technical);
	}
	if (error.code === "NoSuchUpload") {
		return new Failure("restart", "The service has forgotten this upload", "Try again: it starts over.", technical);
	}
	if (error.code === "FileAlreadyExists") {
		return new Failure("exists", "There is a file of this name already", "Keep both, or rename your file and choose it again.", technical);
	}
	return new Failure("stop", ...forPerson(error, place), technical);
}

// outage is for a request without an answer.
export function outage(title, advice, technical = "") {
	const failure = new Failure("retry", title, advice, technical);
	failure.outage = true;
	return failure;
}

// forPerson returns title and advice for an error that only a person can set right.
function forPerson(error, place) {
	if (/expose-headers/.test(error.message)) {
		return etagHidden;
	}
	switch (error.code ?? error.name) {
		case "AccessDenied":
			return ["You may not upload to this place",
				msg("The token has no right to write to {0}. Whoever runs this page has to compare its policy with the bucket and the prefix.", place)];
		case "NoSuchBucket":
			return ["The bucket does not exist", msg("Whoever runs this page has to correct the name or the endpoint of {0}.", place)];
		case "PublicEndpointForbidden":
			return ["The service does not take uploads at this address", msg("Whoever runs this page has to map a domain to the bucket, and give it in place of {0}'s endpoint.", place)];
		case "SignatureDoesNotMatch":
			return ["The service does not accept the signature", "Whoever runs this page has to check the endpoint, its region and the token."];
		case "UserDisable":
			return ["The account of the bucket is disabled", "Whoever runs this page has to look at its bills."];
		case "NotReadableError":
		case "NotFoundError":
			return ["The file cannot be read any more", "It was changed, moved or removed after you chose it. Choose it again."];
	}
	return ["The service refused the upload", "Whoever runs this page can tell more from the line below."];
}

const etagHidden = ["The bucket hides the ETag from this page",
	"Uploads in parts need it. Whoever runs this page has to add ETag to the exposed headers in the CORS rule of the bucket."];

// corsMissing is for a bucket that answers, but not to this page.
export function corsMissing(method, place) {
	return new Failure("stop", "The bucket does not accept uploads from this page",
		msg("Whoever runs this page has to add a CORS rule to the bucket: origin {0}, methods PUT, POST, DELETE and HEAD, allowed headers *, exposed headers ETag and x-oss-request-id.", location.origin),
		`no CORS rule for ${method} from ${location.origin} to ${place}`);
}
