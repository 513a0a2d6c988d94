// Package semconv stands in for Knative's of that name; see attributekey.
package semconv

import "go.opentelemetry.io/otel/attribute"

// K8SNamespaceName is the label of a namespace.
func K8SNamespaceName(value string) attribute.KeyValue {
	return attribute.String("k8s.namespace.name", value)
}
