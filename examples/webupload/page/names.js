// Names of objects.

// numbered puts a number into an object's name, before its extension.
export function numbered(object, n) {
	const name = object.lastIndexOf("/") + 1;
	const dot = object.lastIndexOf(".");
	const at = dot > name ? dot : object.length;
	return `${object.slice(0, at)} (${n})${object.slice(at)}`;
}
