// Carries the SDK's requests by XMLHttpRequest, in place of its own carrier, which can
// tell neither how much of a body has been sent nor end a request.

// Headers that a browser sets itself and lets no script set.
const browsersOwn = new Set(["content-length", "host", "user-agent", "connection"]);

// A request whose bytes stand still for this long is given up, in milliseconds.
const stallTime = 30_000;

export class Transport {
	#calls = new Map();
	#last = 0;

	// open announces a call of the SDK: an object that may have a signal and a progress
	// function, which gets bytes. It returns the name to give to the SDK as ctx: it copies
	// what it gets there, so the object itself will not do. After the call, the object has
	// the method, the names of headers, the token and the MD5 of its last request.
	open(call) {
		const name = ++this.#last;
		this.#calls.set(name, call);
		return name;
	}

	close(name) {
		this.#calls.delete(name);
	}

	// request is what the SDK calls.
	request(url, args) {
		const call = this.#calls.get(args.ctx) ?? {};
		call.method = args.method;
		call.headers = Object.keys(args.headers).filter((name) => !browsersOwn.has(name.toLowerCase()));
		call.token = args.headers["x-oss-security-token"];
		call.md5 = args.headers["Content-MD5"];
		return new Promise((resolve, reject) => exchange(url, args, call, resolve, reject));
	}
}

function exchange(url, args, call, resolve, reject) {
	if (call.signal?.aborted) {
		reject(lost("abort"));
		return;
	}
	const xhr = new XMLHttpRequest();
	xhr.open(args.method, url);
	for (const name of call.headers) {
		xhr.setRequestHeader(name, args.headers[name]);
	}
	let stalled = false;
	let timer = 0;
	const moves = () => {
		clearTimeout(timer);
		timer = setTimeout(() => {
			stalled = true;
			xhr.abort();
		}, stallTime);
	};
	const abort = () => xhr.abort();
	xhr.upload.onprogress = (event) => {
		moves();
		call.progress?.(event.loaded);
	};
	xhr.onprogress = moves;
	xhr.onload = () => resolve(answer(xhr));
	xhr.onerror = () => reject(lost("network"));
	xhr.onabort = () => reject(lost(stalled ? "stalled" : "abort"));
	xhr.onloadend = () => {
		clearTimeout(timer);
		call.signal?.removeEventListener("abort", abort);
	};
	call.signal?.addEventListener("abort", abort);
	moves();
	xhr.send(args.content);
}

// lost is a request without an answer, in the form that the SDK makes an error of.
function lost(name) {
	return { status: -1, name, message: name };
}

function answer(xhr) {
	const headers = {};
	for (const line of xhr.getAllResponseHeaders().split("\r\n")) {
		const colon = line.indexOf(":");
		if (colon > 0) {
			headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
		}
	}
	const res = { status: xhr.status, statusCode: xhr.status, headers };
	return { status: xhr.status, headers, data: xhr.responseText, res };
}
