// Package attributekey stands in for Knative's of that name: labels of telemetry alone, which the
// release of knative.dev/pkg that the module proxy has came before.
package attributekey

import "go.opentelemetry.io/otel/attribute"

// String is a label whose value is text.
type String string

// With returns the label with a value.
func (s String) With(value string) attribute.KeyValue {
	return attribute.String(string(s), value)
}
