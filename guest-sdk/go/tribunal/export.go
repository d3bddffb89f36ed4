//go:build !wasip1

package tribunal

// Export makes a policy the one that the component exports. Once for each component, in an init function.
func Export[S any](Policy[S]) {}
