// Package runtime stands in for Knative's of that name; see attributekey.
package runtime

// ProfilingDefaultPort is a port that no container of a user may have: no part of scaling.
const ProfilingDefaultPort = 8008
