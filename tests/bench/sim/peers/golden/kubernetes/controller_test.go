package kubernetes

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// The defaults of kube-controller-manager that the vectors hold.
const (
	downWindow          = 5 * time.Minute
	tolerance           = 0.1
	cpuInitialization   = 5 * time.Minute
	initialReadiness    = 30 * time.Second
	namespace, workload = "fleet", "engine"
)

func init() {
	// Errors are part of the series; the default handlers would also sleep.
	utilruntime.ErrorHandlers = nil
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
}

// play runs the whole controller on a fake clock against a world, and returns every turn of it.
func play(t *testing.T, world *world, hpa *autoscalingv2.HorizontalPodAutoscaler, turns int) []turn {
	var played []turn
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		client := fake.NewClientset(hpa)
		factory := informers.NewSharedInformerFactory(client, 0)
		pods := factory.Core().V1().Pods()
		controller := podautoscaler.NewHorizontalController(
			ctx, client.CoreV1(), world.scales(), client.AutoscalingV2(), mapper(), world,
			factory.Autoscaling().V2().HorizontalPodAutoscalers(), pods,
			world.sync, downWindow, tolerance, cpuInitialization, initialReadiness)
		factory.Start(ctx.Done())
		factory.WaitForCacheSync(ctx.Done())
		for i := range turns {
			world.advance()
			if err := pods.Informer().GetIndexer().Replace(world.objects(), ""); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				go controller.Run(ctx, 1)
			} else {
				time.Sleep(world.sync)
			}
			synctest.Wait()
			if len(world.turns) != i+1 {
				t.Fatalf("after %d periods the controller had %d turns", i+1, len(world.turns))
			}
			world.settle()
		}
		cancel()
		factory.Shutdown()
		played = world.turns
	})
	return played
}

func mapper() meta.RESTMapper {
	version := schema.GroupVersion{Group: "apps", Version: "v1"}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{version})
	mapper.Add(version.WithKind("Deployment"), meta.RESTScopeNamespace)
	return mapper
}

// scales is the scale subresource of the fleet: reading it begins a turn, writing it ends one.
func (w *world) scales() *scalefake.FakeScaleClient {
	client := &scalefake.FakeScaleClient{}
	client.AddReactor("get", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		w.begin(time.Now())
		return true, &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: workload, Namespace: namespace},
			Spec:       autoscalingv1.ScaleSpec{Replicas: w.replicas},
			Status:     autoscalingv1.ScaleStatus{Replicas: w.active(), Selector: "app=" + workload},
		}, nil
	})
	client.AddReactor("update", "deployments", func(action clienttesting.Action) (bool, runtime.Object, error) {
		scale := action.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		w.replicas = scale.Spec.Replicas
		return true, scale, nil
	})
	return client
}

// objects returns the pods as the controller's cache holds them.
func (w *world) objects() []any {
	objects := make([]any, 0, len(w.pods))
	for _, pod := range w.pods {
		object := &v1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: pod.name, Namespace: namespace, Labels: map[string]string{"app": workload}}}
		object.Status.Phase = v1.PodRunning
		if pod.state == pending {
			object.Status.Phase = v1.PodPending
		}
		if pod.state == terminating {
			object.DeletionTimestamp = &metav1.Time{Time: time.Now()}
		}
		objects = append(objects, object)
	}
	return objects
}

var errNoMetric = errors.New("no metrics returned")

// GetRawMetric returns a metric of the pods that have it.
func (w *world) GetRawMetric(name, _ string, _, _ labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	found := metrics.PodMetricsInfo{}
	for _, pod := range w.pods {
		if value := pod.values[number(name)]; value != nil {
			found[pod.name] = metrics.PodMetric{Timestamp: time.Now(), Window: time.Minute, Value: *value}
		}
	}
	if len(found) == 0 {
		return nil, time.Time{}, errNoMetric
	}
	return found, time.Now(), nil
}

// GetExternalMetric returns a metric of the whole, in two parts.
func (w *world) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	total := w.totals[number(name)]
	if total == nil {
		return nil, time.Time{}, errNoMetric
	}
	return []int64{*total / 3, *total - *total/3}, time.Now(), nil
}

// GetResourceMetric is not asked for.
func (w *world) GetResourceMetric(context.Context, v1.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errNoMetric
}

// GetObjectMetric is not asked for.
func (w *world) GetObjectMetric(string, string, *autoscalingv2.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errNoMetric
}
