// One source of tokens for all uploads: however many parts ask, there is one request to
// the token server at a time, and none while the token is good.

import { Failure, outage } from "./failure.js";

// A token is renewed when this share of its life, as it was when it came, is over.
const renewAt = 0.8;

// The token server has this long to answer, in milliseconds.
const patience = 25_000;

export class Tokens {
	#url;
	#headers;
	#current = null; // {accessKeyId, accessKeySecret, stsToken, renews, ends}
	#refused = ""; // the token that the service last called expired
	#pending = null;

	constructor(url, headers) {
		this.#url = url;
		this.#headers = headers;
	}

	// get returns a token that is good, in the SDK's form. One that grows old is renewed
	// meanwhile, and used for as long as it is good.
	async get() {
		const now = Date.now();
		const good = this.#current !== null && now < this.#current.ends;
		if (!good) {
			return this.#renew();
		}
		if (now >= this.#current.renews) {
			// The token in hand still serves: a failure matters when it has ended.
			this.#renew().catch(() => {
				this.#current.renews = Date.now() + 1000;
			});
		}
		return this.#current;
	}

	// expire says that the service called a token expired. News about another one than
	// the current is old: parts that were in flight together all bring it.
	expire(token) {
		if (this.#current?.stsToken === token) {
			this.#refused = token;
			this.#current = null;
		}
	}

	#renew() {
		this.#pending ??= this.#ask().finally(() => {
			this.#pending = null;
		});
		return this.#pending;
	}

	async #ask() {
		const asked = Date.now();
		const { answer, date } = await this.#fetch();
		if (answer.SecurityToken === this.#refused) {
			throw new Failure("retry", "The token has expired, and the token server has no new one yet",
				"If this stays so, the clock of the token server may be wrong.");
		}
		// Only the server knows its clock: what counts is how far off the end is there.
		const life = Date.parse(answer.Expiration) - (Number.isNaN(date) ? asked : date);
		if (!(life > 0)) {
			throw new Failure("retry", "The token server handed out a token that has expired",
				"The clock of the token server may be wrong.", `Expiration: ${answer.Expiration}`);
		}
		this.#current = {
			accessKeyId: answer.AccessKeyId,
			accessKeySecret: answer.AccessKeySecret,
			stsToken: answer.SecurityToken,
			renews: asked + life * renewAt,
			ends: asked + life,
		};
		return this.#current;
	}

	async #fetch() {
		let response, answer;
		try {
			response = await fetch(this.#url, { headers: this.#headers, cache: "no-store", signal: AbortSignal.timeout(patience) });
		} catch {
			throw outage("The token server does not answer",
				"Check your network. If it works, whoever runs this page has to start the server again. What has been uploaded stays.");
		}
		try {
			answer = await response.json();
		} catch {
			throw new Failure("retry", "The token server gave an answer that is no token", "Whoever runs this page has to look at it.",
				`HTTP ${response.status}, not JSON`);
		}
		const status = Number(answer.StatusCode ?? answer.status ?? response.status);
		if (status !== 200 || !answer.AccessKeyId || !answer.AccessKeySecret || !answer.SecurityToken || !answer.Expiration) {
			throw refused(response.status, status, answer);
		}
		return { answer, date: Date.parse(response.headers.get("Date")) };
	}
}

function refused(http, status, answer) {
	const technical = [answer.ErrorCode, answer.ErrorMessage, answer.RequestId && `request ${answer.RequestId}`].filter(Boolean).join(" · ");
	if (http === 401 || http === 403) {
		return new Failure("stop", "The token server does not let you upload",
			"Load the page again and give another access code, or ask whoever runs it.", technical);
	}
	return new Failure("retry", "The token server could not get a token",
		"Whoever runs this page finds the reason in its log.", technical || `status ${status}`);
}
