// One file on its way to the bucket.

import { etagOf, etagOfParts } from "./etag.js";
import { Failure, explain } from "./failure.js";
import { numbered } from "./names.js";

// Retries of a request after its first attempt, and the wait before the first of them in
// milliseconds, which then doubles.
const retries = 3;
const retryWait = 2000;

// New tokens that one request may ask for.
const renewals = 2;

// An upload to a bucket that has answered before waits for the network for so long, and
// tries at least so often, in milliseconds.
const outageWait = 10 * 60_000;
const outagePause = 15_000;

// Names that are tried to keep both files.
const maxCopies = 100;

const maxParts = 10_000;

const elsewhere = new Failure("elsewhere", "Another tab uploads this file. This one waits for it");

export class Upload {
	state = "waiting"; // waiting, uploading, paused, failed, done, canceled
	failure = null; // why it failed
	trouble = null; // why it waits for its next attempt

	#bucket;
	#tokens;
	#changed;
	#run = new AbortController(); // ended by a pause, a cancel and a failure
	#parts;
	#uploadId = "";
	#busy = ""; // the request that has to be alone: put, begin or complete
	#restarted = false;
	#tasks = new Set();
	#checkpoints;
	#partSize;
	#looked = false; // for a record of an earlier page, or of another tab
	#claims;
	#claiming = false;
	#giveUp = null; // gives up the claim; null: there is none
	#removed = false; // the parts of what was canceled
	#shown = 0; // bytes that were shown as sent
	#wanted; // the object's name that was asked for
	#copy = 0; // the number in the name, to keep both; 0: the name as it is

	constructor(file, object, { bucket, tokens, checkpoints, claims, partSize, changed }) {
		this.file = file;
		this.object = object;
		this.#wanted = object;
		this.#bucket = bucket;
		this.#tokens = tokens;
		this.#checkpoints = checkpoints;
		this.#claims = claims;
		this.#partSize = partSize;
		this.#changed = changed;
		this.#parts = plan(file.size, partSize);
	}

	get size() {
		return this.file.size;
	}

	// sent is how many bytes the bucket has, and how many are on their way there. It never
	// goes back: what has to be sent again has been shown already.
	get sent() {
		const now = this.#parts.reduce((sum, part) => sum + (part.etag ? part.end - part.start : part.loaded), 0);
		return this.#shown = Math.max(this.#shown, now);
	}

	// link is the object's address, without a signature.
	get link() {
		return this.#bucket.link(this.object);
	}

	// renamed is the name under which a second file was kept, or "".
	get renamed() {
		return this.#copy === 0 ? "" : this.object.slice(this.object.lastIndexOf("/") + 1);
	}

	get active() {
		return this.state === "waiting" || this.state === "uploading";
	}

	get finishing() {
		return this.#busy === "complete";
	}

	// next returns the next thing to do as a function, or null while there is none.
	next() {
		if (!this.active) {
			return null;
		}
		if (this.#busy !== "") {
			return null;
		}
		if (this.#parts.length === 1) {
			return this.#alone("put", () => this.#put());
		}
		if (this.#giveUp === null) {
			this.#claim();
			return null;
		}
		if (!this.#looked) {
			return this.#alone("look", () => this.#look());
		}
		if (this.#uploadId === "") {
			return this.#alone("begin", () => this.#begin());
		}
		const part = this.#parts.find((p) => !p.etag && !p.flying);
		if (part) {
			part.flying = true;
			return this.#task(() => this.#part(part, this.#run.signal));
		}
		if (this.#parts.every((p) => p.etag)) {
			return this.#alone("complete", () => this.#complete());
		}
		return null;
	}

	// pause ends what is in flight. What the bucket has stays there.
	pause() {
		if (this.active && !this.finishing) {
			this.#halt("paused");
		}
	}

	// resume continues, after a pause or a failure.
	resume() {
		if (this.state === "paused" || this.state === "failed") {
			this.failure = null;
			this.#restarted = false;
			this.state = "waiting";
			this.#changed();
		}
	}

	// keepBoth uploads the file under a name with a number in it.
	keepBoth() {
		if (this.state === "failed" && this.failure.kind === "exists") {
			this.failure = null;
			this.#rename();
		}
	}

	// #rename takes the next name. What was uploaded under the old one is removed.
	#rename() {
		this.#checkpoints.drop(this.file, this.object);
		if (this.#uploadId !== "") {
			this.#bucket.abort(this.object, this.#uploadId).catch(() => {});
		}
		this.#copy = this.#copy === 0 ? 2 : this.#copy + 1;
		this.object = numbered(this.#wanted, this.#copy);
		this.#looked = false;
		this.#shown = 0; // another upload, by the person's own choice
		this.#startOver();
	}

	// cancel ends the upload, waits for its requests and removes its parts.
	async cancel() {
		if (this.state === "done" || this.state === "canceled" || this.finishing) {
			return;
		}
		this.#halt("canceled");
		await Promise.allSettled([...this.#tasks]);
		this.#checkpoints.drop(this.file, this.object);
		if (this.#uploadId !== "") {
			// Should this fail, the bucket's own rule for old parts is left to remove them.
			await this.#bucket.abort(this.object, this.#uploadId).catch(() => {});
		}
		this.#removed = true;
		this.#disclaim();
	}

	// #claim waits until no other tab uploads the file. It holds no place among the requests.
	async #claim() {
		if (this.#claiming) {
			return;
		}
		this.#claiming = true;
		const { signal } = this.#run;
		try {
			const giveUp = await this.#claims.take(this.file, this.#wanted, signal, () => this.#wait(elsewhere));
			if (signal.aborted) {
				giveUp();
			} else {
				this.#giveUp = giveUp;
				this.#looked = false; // the other tab may have sent some
			}
		} catch (error) {
			if (!signal.aborted) {
				this.failure = new Failure("stop", "The browser does not let this page upload", "Load the page again.", error.message);
				this.#halt("failed");
			}
		} finally {
			this.#claiming = false;
			if (this.trouble?.kind === "elsewhere") {
				this.trouble = null;
			}
			this.#changed();
		}
	}

	#wait(trouble) {
		this.trouble = trouble;
		this.#changed();
	}

	// #disclaim lets another tab upload the file, once nothing of it is on its way from here.
	#disclaim() {
		const canceling = this.state === "canceled" && !this.#removed;
		if (!this.active && !canceling && this.#tasks.size === 0 && this.#giveUp !== null) {
			this.#checkpoints.flush();
			this.#giveUp();
			this.#giveUp = null;
		}
	}

	#halt(state) {
		this.state = state;
		this.trouble = null;
		this.#run.abort();
		this.#run = new AbortController();
		for (const part of this.#parts) {
			part.flying = false;
			part.loaded = 0;
		}
		this.#disclaim();
		this.#changed();
	}

	// #alone is a task that no other may accompany.
	#alone(name, work) {
		this.#busy = name;
		return this.#task(work, () => {
			this.#busy = "";
		});
	}

	#task(work, ended = () => {}) {
		return () => {
			this.state = "uploading";
			const task = this.#guard(work).finally(() => {
				ended();
				this.#tasks.delete(task);
				this.#disclaim();
				this.#changed();
			});
			this.#tasks.add(task);
			return task;
		};
	}

	// #guard lets a piece of work fail the upload, unless it was ended from here.
	async #guard(work) {
		const { signal } = this.#run;
		try {
			await work();
			this.trouble = null;
		} catch (failure) {
			if (signal.aborted || failure.kind === "abort") {
				return;
			}
			if (failure.kind === "restart" && !this.#restarted) {
				this.#restarted = true;
				this.#forget();
				return;
			}
			if (failure.kind === "exists" && this.#copy > 0 && this.#copy < maxCopies) {
				this.#rename();
				return;
			}
			this.failure = explain(failure);
			this.#halt("failed");
		}
	}

	// #forget starts over: the server has lost the upload and its parts.
	#forget() {
		this.#checkpoints.drop(this.file, this.object);
		this.#startOver();
	}

	#startOver() {
		this.#uploadId = "";
		for (const part of this.#parts) {
			part.etag = "";
		}
		this.#halt("waiting");
	}

	async #put() {
		const [part] = this.#parts;
		const { signal } = this.#run;
		const call = { signal, progress: (loaded) => this.#loaded(part, loaded, signal) };
		await this.#persist(signal, () =>
			this.#settle(this.#bucket.put(this.object, this.file, call), (etag) => etag.toLowerCase() === hex(call.md5)));
		part.etag = "sent";
		this.state = "done";
	}

	// #look looks for what an earlier page or another tab has sent of the same file. The first and the last
	// of these parts are compared with the file; a file whose size and time are the same and
	// whose bytes are others in between is not noticed.
	async #look() {
		this.#looked = true;
		const record = this.#checkpoints.find(this.file, this.object);
		if (record === null) {
			return;
		}
		const parts = plan(this.size, record.partSize);
		const sent = parts.filter((part) => record.etags[part.number - 1]);
		for (const part of new Set([sent.at(0), sent.at(-1)])) {
			if (part && await this.#etagNow(part) !== plain(record.etags[part.number - 1])) {
				this.#checkpoints.drop(this.file, this.object);
				this.#bucket.abort(this.object, record.uploadId).catch(() => {});
				this.#uploadId = "";
				this.#parts = plan(this.size, this.#partSize);
				return;
			}
		}
		for (const part of sent) {
			part.etag = record.etags[part.number - 1];
		}
		this.#parts = parts;
		this.#partSize = record.partSize;
		this.#uploadId = record.uploadId;
	}

	async #etagNow(part) {
		return etagOf(new Uint8Array(await this.file.slice(part.start, part.end).arrayBuffer()));
	}

	// #begin is not ended by a pause: its answer is the only way to learn the ID.
	async #begin() {
		this.#uploadId = await this.#persist(this.#run.signal, () => this.#bucket.begin(this.object, this.file, {}));
		this.#keep();
	}

	// #keep keeps what is needed to resume in another page.
	#keep() {
		this.#checkpoints.save(this.file, this.object, () => ({
			uploadId: this.#uploadId, partSize: this.#partSize, etags: this.#parts.map((part) => part.etag),
		}));
	}

	async #part(part, signal) {
		const progress = (loaded) => this.#loaded(part, loaded, signal);
		const id = this.#uploadId;
		const etag = await this.#persist(signal, () => this.#bucket.part(this.object, id, part, this.file, { signal, progress }));
		// An answer may come in the very moment of a pause: the bucket has the part then.
		if (id === this.#uploadId) {
			part.etag = etag;
			part.flying = false;
			if (this.state !== "canceled") {
				this.#keep();
			}
		}
	}

	async #complete() {
		await this.#persist(this.#run.signal, () =>
			this.#settle(this.#bucket.complete(this.object, this.#uploadId, this.#parts, {}),
				(etag) => etag.toUpperCase() === etagOfParts(this.#parts)));
		this.#checkpoints.drop(this.file, this.object);
		this.state = "done";
	}

	// #settle waits for the request that makes the object. If an earlier one had made it
	// already, and only its answer was lost, that is a success. There may have been one
	// that this page knows nothing of: browsers repeat requests on broken connections.
	async #settle(request, ours) {
		try {
			await request;
		} catch (failure) {
			const made = failure.kind === "exists" || failure.kind === "restart";
			if (!made || !await this.#there(ours)) {
				throw failure;
			}
		}
	}

	// #there reports whether the object is this file. There was none of its name when an
	// upload in parts was begun.
	async #there(ours) {
		const found = await this.#bucket.describe(this.object).catch(() => null);
		return found !== null && found.size === this.size && ours(found.etag);
	}

	#loaded(part, bytes, signal) {
		if (!signal.aborted) {
			// What is sent includes what is still in the buffers on the way.
			part.loaded = Math.min(bytes, part.end - part.start);
			this.#changed();
		}
	}

	// #persist repeats a request that may work the next time. Attempts without a network do
	// not count where the bucket has answered before: nobody can do more than wait.
	async #persist(signal, request) {
		for (let failed = 0, renewed = 0, tries = 0, since = 0; ; tries++) {
			try {
				return await request();
			} catch (failure) {
				if (signal.aborted) {
					throw new Failure("abort", "Ended");
				}
				if (failure.kind === "token" && renewed < renewals) {
					renewed++;
					this.#tokens.expire(failure.token);
					continue;
				}
				if (failure.kind !== "retry") {
					throw failure;
				}
				const away = failure.outage && this.#bucket.reached;
				since = away ? since || Date.now() : 0;
				if (away ? Date.now() - since > outageWait : failed === retries) {
					throw failure;
				}
				failed += away ? 0 : 1;
				this.trouble = failure;
				this.#changed();
				await pause(Math.min(retryWait * 2 ** (away ? tries : failed - 1), outagePause), signal);
			}
		}
	}
}

// plain is an ETag without quotation marks, in upper case.
function plain(etag) {
	return etag.replaceAll('"', "").toUpperCase();
}

// plan divides a file into parts. One that fits into a part, and an empty one, is one.
function plan(size, partSize) {
	const step = Math.max(partSize, Math.ceil(size / maxParts));
	const parts = [];
	for (let start = 0; start < size || parts.length === 0; start += step) {
		parts.push({ number: parts.length + 1, start, end: Math.min(start + step, size), etag: "", flying: false, loaded: 0 });
	}
	return parts;
}

// pause waits, with some chance in it so that parts do not come back all at once, and for
// as long as there is no network at all.
function pause(milliseconds, signal) {
	return new Promise((resolve, reject) => {
		const finish = () => {
			if (navigator.onLine || signal.aborted) {
				clearTimeout(timer);
				removeEventListener("online", finish);
				signal.removeEventListener("abort", finish);
				signal.aborted ? reject(new Failure("abort", "Ended")) : resolve();
			}
		};
		const timer = setTimeout(finish, milliseconds * (0.75 + Math.random() / 2));
		addEventListener("online", finish);
		signal.addEventListener("abort", finish);
	});
}

// hex turns the base64 of a header into hexadecimal digits.
function hex(base64) {
	return Array.from(atob(base64 ?? ""), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
