// Package target has the words of a destination and of an object: endpoints, regions,
// names, and the properties that become headers. Everything in it is a pure function
// of its arguments. What is wrong with a field is a *[FieldError].
package target
