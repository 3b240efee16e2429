// The calls that an upload makes to the bucket, by the web SDK.

import { Transport } from "./transport.js";
import { Failure, corsMissing, explain } from "./failure.js";

// No upload takes the place of an object that is there.
const keepOthers = { "x-oss-forbid-overwrite": "true" };

export class Bucket {
	#settings;
	#url;
	#place;
	#tokens;
	#client = null;
	#transport = new Transport();
	#answered = new Set(); // methods that this page has had an answer to

	// settings are options of the SDK, url is the bucket's address.
	constructor({ settings, url, place }, tokens) {
		this.#settings = settings;
		this.#url = url;
		this.#place = place;
		this.#tokens = tokens;
	}

	// reached reports whether the bucket has answered this page before.
	get reached() {
		return this.#answered.size > 0;
	}

	// link is the address of an object, without a signature.
	link(object) {
		return this.#url + object.split("/").map(encodeURIComponent).join("/");
	}

	// put sends a file in one request.
	put(object, file, call) {
		return this.#call(call, (client, ctx) =>
			client.put(object, file, { ctx, mime: file.type || undefined, headers: { ...keepOthers }, disabledMD5: false }));
	}

	// begin begins an upload in parts and returns its ID.
	async begin(object, file, call) {
		const begun = await this.#call(call, (client, ctx) =>
			client.initMultipartUpload(object, { ctx, mime: file.type || undefined, headers: { ...keepOthers } }));
		if (!begun.uploadId) {
			throw new Failure("retry", "The service is busy or in trouble", "Try again in a few minutes.", "no upload ID");
		}
		return begun.uploadId;
	}

	// part sends a part and returns its ETag. The service checks the MD5 of what it gets.
	async part(object, uploadId, part, file, call) {
		const sent = await this.#call(call, (client, ctx) =>
			client.uploadPart(object, uploadId, part.number, file, part.start, part.end, { ctx }));
		return sent.etag;
	}

	async complete(object, uploadId, parts, call) {
		const done = parts.map(({ number, etag }) => ({ number, etag }));
		await this.#call(call, (client, ctx) =>
			client.completeMultipartUpload(object, uploadId, done, { ctx, headers: { ...keepOthers } }));
	}

	async abort(object, uploadId) {
		await this.#call({}, (client, ctx) => client.abortMultipartUpload(object, uploadId, { ctx }));
	}

	// describe returns the size and the ETag of an object, the ETag without quotes.
	async describe(object) {
		const { res } = await this.#call({}, (client, ctx) => client.getObjectMeta(object, { ctx }));
		return { size: Number(res.headers["content-length"]), etag: (res.headers.etag ?? "").replaceAll('"', "") };
	}

	// #call lets the SDK make a call. A failure has the token that it was made with.
	async #call(call, send) {
		const ctx = this.#transport.open(call);
		try {
			const result = await send(await this.#open(), ctx);
			this.#answered.add(call.method);
			return result;
		} catch (error) {
			const failure = await this.#explain(error, call);
			failure.token = call.token;
			throw failure;
		} finally {
			this.#transport.close(ctx);
		}
	}

	// #open makes the SDK's client. It asks for a token before each request, so that
	// none of them is signed with one that is being renewed.
	async #open() {
		const token = await this.#tokens.get();
		this.#client ??= new OSS({
			...this.#settings,
			accessKeyId: token.accessKeyId,
			accessKeySecret: token.accessKeySecret,
			stsToken: token.stsToken,
			refreshSTSToken: () => this.#tokens.get(),
			refreshSTSTokenInterval: -1, // always: how old it is, the tokens know
			urllib: this.#transport,
		});
		return this.#client;
	}

	async #explain(error, call) {
		if (error.status > 0) {
			this.#answered.add(call.method);
		}
		const open = error.status === -1 && error.name === "network" && navigator.onLine && !this.#answered.has(call.method);
		if (open && await this.#forbids(call)) {
			return corsMissing(call.method, this.#place);
		}
		return explain(error, this.#place);
	}

	// #forbids reports whether the bucket answers, but not to this page. To a script, an
	// answer that it may not read looks like a connection that failed. The first request
	// makes the browser ask the bucket the same question as before the real one, and can do
	// nothing there: its signature is none. The second needs no leave.
	async #forbids({ method, headers }) {
		const answers = (options) => fetch(this.#url, { cache: "no-store", signal: AbortSignal.timeout(5000), ...options })
			.then(() => true, () => false);
		return !await answers({ method, headers: Object.fromEntries(headers.map((name) => [name, "none"])) }) && await answers({ method: "HEAD", mode: "no-cors" });
	}
}
