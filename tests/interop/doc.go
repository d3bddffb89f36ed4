// Package interop judges tribunal by Teleport's own code: its client drives our simulated Auth server, and a server on its
// generated types is driven by our daemon. README.md says what that covers.
package interop
