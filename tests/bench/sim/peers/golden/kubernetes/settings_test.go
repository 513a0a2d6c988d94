package kubernetes

import (
	"fmt"
	"math/rand/v2"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/utils/ptr"
)

// settings is one HPA, as much of it as is written down; the rest is left to the API's defaults.
type settings struct {
	Minimum         int32     `json:"minimum"`
	Maximum         int32     `json:"maximum"`
	SyncSeconds     float64   `json:"sync_seconds"`
	PodsTargets     []int64   `json:"pods_targets"`
	ExternalTargets []int64   `json:"external_targets"`
	Behavior        *behavior `json:"behavior"`
}

type behavior struct {
	Up   *rules `json:"up"`
	Down *rules `json:"down"`
}

type rules struct {
	Policies      []policy                           `json:"policies"`
	WindowSeconds *int32                             `json:"window_seconds"`
	Select        *autoscalingv2.ScalingPolicySelect `json:"select"`
	Tolerance     *float64                           `json:"tolerance"`
	quantity      *resource.Quantity
}

type policy struct {
	Kind          autoscalingv2.HPAScalingPolicyType `json:"kind"`
	Value         int32                              `json:"value"`
	PeriodSeconds int32                              `json:"period_seconds"`
}

func drawSettings(random *rand.Rand) settings {
	drawn := settings{Minimum: pick[int32](random, 1, 1, 2, 3), SyncSeconds: pick(random, 15, 15, 15, 10, 30, 7.25)}
	drawn.Maximum = drawn.Minimum + 1 + random.Int32N(16)
	kinds := random.IntN(4)
	if kinds != 1 {
		drawn.PodsTargets = append(drawn.PodsTargets, pick[int64](random, 750, 5000, 70000, 333))
	}
	if kinds == 2 {
		drawn.PodsTargets = append(drawn.PodsTargets, pick[int64](random, 900, 1000, 12345))
	}
	if kinds%2 == 1 {
		drawn.ExternalTargets = append(drawn.ExternalTargets, pick[int64](random, 1000, 5000, 777))
	}
	if random.IntN(3) > 0 {
		drawn.Behavior = &behavior{}
		if random.IntN(3) > 0 {
			drawn.Behavior.Up, drawn.Behavior.Down = drawRules(random), drawRules(random)
		}
	}
	return drawn
}

func drawRules(random *rand.Rand) *rules {
	if random.IntN(5) == 0 {
		return nil
	}
	drawn := &rules{}
	periods := pick(random, []int32{15, 30}, []int32{15, 45, 300}, []int32{60, 150, 300})
	for range random.IntN(4) {
		kind, most := autoscalingv2.PodsScalingPolicy, int32(6)
		if random.IntN(2) == 0 {
			kind, most = autoscalingv2.PercentScalingPolicy, 150
		}
		drawn.Policies = append(drawn.Policies, policy{kind, 1 + random.Int32N(most), pick(random, periods...)})
	}
	if random.IntN(8) > 0 {
		drawn.WindowSeconds = ptr.To(pick[int32](random, 0, 0, 0, 0, 15, 30, 60, 300))
	}
	if random.IntN(2) == 0 {
		drawn.Select = ptr.To(pick(random, autoscalingv2.MaxChangePolicySelect,
			autoscalingv2.MinChangePolicySelect, autoscalingv2.MinChangePolicySelect,
			autoscalingv2.DisabledPolicySelect))
	}
	if random.IntN(4) == 0 {
		drawn.quantity = ptr.To(resource.MustParse(pick(random, "0", "50m", "100m", "250m")))
		drawn.Tolerance = ptr.To(drawn.quantity.AsApproximateFloat64())
	}
	return drawn
}

func pick[T any](random *rand.Rand, from ...T) T {
	return from[random.IntN(len(from))]
}

// object returns the HPA as the API server would store it.
func (s settings) object() *autoscalingv2.HorizontalPodAutoscaler {
	hpa := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "hpa", Namespace: namespace, UID: "hpa", Generation: 1},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{
				APIVersion: "apps/v1", Kind: "Deployment", Name: workload},
			MinReplicas: ptr.To(s.Minimum),
			MaxReplicas: s.Maximum,
			Metrics:     s.metrics(),
		},
	}
	if s.Behavior != nil {
		hpa.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{
			ScaleUp: s.Behavior.Up.object(), ScaleDown: s.Behavior.Down.object()}
	}
	defaults.SetDefaults_HorizontalPodAutoscaler(hpa)
	return hpa
}

func (s settings) metrics() []autoscalingv2.MetricSpec {
	var specs []autoscalingv2.MetricSpec
	for i, target := range s.PodsTargets {
		specs = append(specs, autoscalingv2.MetricSpec{
			Type: autoscalingv2.PodsMetricSourceType,
			Pods: &autoscalingv2.PodsMetricSource{
				Metric: identify("pods", i), Target: average(target)}})
	}
	for i, target := range s.ExternalTargets {
		specs = append(specs, autoscalingv2.MetricSpec{
			Type: autoscalingv2.ExternalMetricSourceType,
			External: &autoscalingv2.ExternalMetricSource{
				Metric: identify("external", i), Target: average(target)}})
	}
	return specs
}

func identify(kind string, number int) autoscalingv2.MetricIdentifier {
	return autoscalingv2.MetricIdentifier{
		Name: fmt.Sprintf("%s-%d", kind, number), Selector: &metav1.LabelSelector{}}
}

func average(target int64) autoscalingv2.MetricTarget {
	return autoscalingv2.MetricTarget{
		Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewMilliQuantity(target, resource.DecimalSI)}
}

// number returns which metric of its kind a name stands for.
func number(name string) (found int) {
	_, digits, _ := strings.Cut(name, "-")
	fmt.Sscan(digits, &found)
	return found
}

func (r *rules) object() *autoscalingv2.HPAScalingRules {
	if r == nil {
		return nil
	}
	object := &autoscalingv2.HPAScalingRules{
		StabilizationWindowSeconds: r.WindowSeconds, SelectPolicy: r.Select, Tolerance: r.quantity}
	for _, one := range r.Policies {
		object.Policies = append(object.Policies, autoscalingv2.HPAScalingPolicy{
			Type: one.Kind, Value: one.Value, PeriodSeconds: one.PeriodSeconds})
	}
	return object
}
