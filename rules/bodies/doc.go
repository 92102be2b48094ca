// Package bodies reads bodies of every shape as JSON, so that one path language
// reads them all: forms (urlencoded and multipart) as an object of their fields,
// HTML as an object of what CSS selectors find in it, and XML as one of its elements.
//
// What strangers send and apps respond may be anything: reading takes time and
// memory in proportion to its length, and more than the limits is an error.
package bodies
