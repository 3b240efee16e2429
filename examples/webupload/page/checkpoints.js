// What this browser keeps of uploads that have begun, so that they resume after a reload
// when the same file is chosen: upload IDs and ETags, never a token or a file's bytes.

const prefix = "vodupload ";

// A record is forgotten after so long, in milliseconds: a bucket's rule for old parts is
// rarely longer.
const maxAge = 7 * 24 * 3600 * 1000;

// Records are written at most so often, in milliseconds, and when the page is left.
const pace = 500;

export class Checkpoints {
	#place;
	#storage;
	#pending = new Map();
	#timer = 0;

	// place is the address of the bucket.
	constructor(place, storage = storageOrNone()) {
		this.#place = place;
		this.#storage = storage;
		this.#forgetOld();
		addEventListener("pagehide", () => this.flush());
	}

	// find returns the record of a file's upload to an object, or null.
	find(file, object) {
		try {
			const record = JSON.parse(this.#storage.getItem(this.#key(file, object)));
			const good = typeof record?.uploadId === "string" && record.uploadId !== "" &&
				record.partSize > 0 && Array.isArray(record.etags) && record.etags.every((e) => typeof e === "string");
			return good ? record : null;
		} catch {
			return null;
		}
	}

	// save keeps what the function record returns; it is called soon, once for many saves.
	save(file, object, record) {
		this.#pending.set(this.#key(file, object), record);
		this.#timer ||= setTimeout(() => this.flush(), pace);
	}

	// flush writes what waits to be written.
	flush() {
		clearTimeout(this.#timer);
		this.#timer = 0;
		for (const [key, record] of this.#pending) {
			try {
				this.#storage.setItem(key, JSON.stringify({ ...record(), saved: Date.now() }));
			} catch {
				// A full or forbidden store: the upload goes on without a checkpoint.
			}
		}
		this.#pending.clear();
	}

	drop(file, object) {
		const key = this.#key(file, object);
		this.#pending.delete(key);
		this.#storage.removeItem(key);
	}

	#key(file, object) {
		return prefix + JSON.stringify([this.#place, object, file.size, file.lastModified]);
	}

	#forgetOld() {
		const keys = Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i)).filter((k) => k.startsWith(prefix));
		for (const key of keys) {
			let saved = 0;
			try {
				saved = JSON.parse(this.#storage.getItem(key)).saved;
			} catch {
				// Not ours, or broken.
			}
			if (!(Date.now() - saved < maxAge)) {
				this.#storage.removeItem(key);
			}
		}
	}
}

// storageOrNone is the browser's store, or one that keeps nothing where it is forbidden.
function storageOrNone() {
	try {
		return localStorage;
	} catch {
		return { length: 0, key: () => null, getItem: () => null, setItem() {}, removeItem() {} };
	}
}
