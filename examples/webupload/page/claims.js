// Which tab of this browser uploads a file. Two that have chosen the same one would resume
// the same upload, and send each part twice.

const prefix = "vodupload ";

export class Claims {
	#place;
	#locks;

	// place is the address of the bucket. Browsers have locks on pages of https and of this
	// machine only: elsewhere every claim is granted at once.
	constructor(place, locks = navigator.locks) {
		this.#place = place;
		this.#locks = locks;
	}

	// take returns a function that gives the claim up. Where another tab has it, elsewhere
	// is called, and take waits until it has given it up, or has been closed.
	async take(file, object, signal, elsewhere) {
		if (!this.#locks) {
			return () => {};
		}
		const name = prefix + JSON.stringify([this.#place, object, file.size, file.lastModified]);
		const free = await this.#request(name, { ifAvailable: true });
		if (free !== null) {
			return free;
		}
		elsewhere();
		return this.#request(name, { signal });
	}

	#request(name, options) {
		return new Promise((resolve, reject) => {
			this.#locks.request(name, options, (lock) => lock && new Promise((giveUp) => resolve(giveUp))).then(() => resolve(null), reject);
		});
	}
}
