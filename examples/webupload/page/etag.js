// The ETag that the bucket gives to an object made of parts: the MD5 of the parts' ETags,
// which are the MD5s of their bytes in upper-case digits, and the number of parts. No
// documentation says so; it is what the service is seen to answer. Browsers have no MD5.

// etagOfParts returns the ETag of an object of these parts, in upper case.
export function etagOfParts(parts) {
	const digits = parts.map(({ etag }) => etag.replaceAll('"', "").toUpperCase()).join("");
	return `${md5(new TextEncoder().encode(digits)).toUpperCase()}-${parts.length}`;
}

// etagOf returns the ETag that the bucket gives to a part of these bytes, in upper case.
export function etagOf(bytes) {
	return md5(bytes).toUpperCase();
}

// The rotations of MD5's four rounds, and its constants (RFC 1321).
const rotations = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
const sines = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));

// md5 returns the MD5 of bytes in hexadecimal digits.
function md5(bytes) {
	const block = padded(bytes);
	const sum = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
	for (let at = 0; at < block.byteLength; at += 64) {
		let [a, b, c, d] = sum;
		for (let i = 0; i < 64; i++) {
			const round = i >> 4;
			const [mixed, word] = mix(round, i, b, c, d);
			const turned = (a + mixed + sines[i] + block.getUint32(at + 4 * (word % 16), true)) | 0;
			const by = rotations[round][i % 4];
			[a, b, c, d] = [d, (b + ((turned << by) | (turned >>> (32 - by)))) | 0, b, c];
		}
		[a, b, c, d].forEach((x, i) => { sum[i] = (sum[i] + x) | 0; });
	}
	const digest = new DataView(new ArrayBuffer(16));
	sum.forEach((x, i) => digest.setUint32(4 * i, x, true));
	return Array.from({ length: 16 }, (_, i) => digest.getUint8(i).toString(16).padStart(2, "0")).join("");
}

// mix returns what a step adds, and which word of the block.
function mix(round, i, b, c, d) {
	switch (round) {
		case 0: return [(b & c) | (~b & d), i];
		case 1: return [(d & b) | (~d & c), 5 * i + 1];
		case 2: return [b ^ c ^ d, 3 * i + 5];
		default: return [c ^ (b | ~d), 7 * i];
	}
}

// padded returns bytes with a mark and their number of bits after them, in whole blocks.
function padded(bytes) {
	const all = new Uint8Array(64 * (((bytes.length + 8) >> 6) + 1));
	all.set(bytes);
	all[bytes.length] = 0x80;
	const view = new DataView(all.buffer);
	view.setUint32(all.length - 8, (bytes.length * 8) >>> 0, true);
	view.setUint32(all.length - 4, Math.floor(bytes.length / 2 ** 29), true);
	return view;
}
