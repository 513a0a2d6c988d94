package knative

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"knative.dev/serving/pkg/apis/autoscaling"
	"knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/autoscaler/config"
	"knative.dev/serving/pkg/autoscaler/metrics"
	"knative.dev/serving/pkg/autoscaler/scaling"
	kpa "knative.dev/serving/pkg/reconciler/autoscaling/kpa/resources"
	"knative.dev/serving/pkg/reconciler/autoscaling/resources"
)

const (
	namespace, revision = "fleet", "engine"
	tick                = 2 * time.Second
	// Scrapes come at whole seconds; a turn between two of them sees one order alone.
	phase = 500 * time.Millisecond
)

// play runs the real collector and autoscaler on a fake clock, and returns every turn.
func play(t *testing.T, world *world, turns int) []turn {
	var played []turn
	synctest.Test(t, func(t *testing.T) {
		cluster, err := config.NewConfigFromMap(world.settings.cluster())
		if err != nil {
			t.Fatal(err)
		}
		revised := &v1alpha1.PodAutoscaler{ObjectMeta: metav1.ObjectMeta{
			Name: revision, Namespace: namespace, Annotations: world.settings.annotations()}}
		logger := zap.NewNop().Sugar()
		collector := metrics.NewMetricCollector(
			func(*v1alpha1.Metric, *zap.SugaredLogger) (metrics.StatsScraper, error) { return world, nil }, logger)
		if err := collector.CreateOrUpdate(resources.MakeMetric(revised, "scraped", cluster)); err != nil {
			t.Fatal(err)
		}
		decider := kpa.MakeDecider(revised, cluster)
		scaler := scaling.New(*attribute.EmptySet(), noop.NewMeterProvider(), namespace, revision, collector, world, &decider.Spec)
		start := time.Now()
		time.Sleep(phase)
		for range turns {
			time.Sleep(tick)
			synctest.Wait()
			result := scaler.Scale(logger, time.Now())
			key := types.NamespacedName{Namespace: namespace, Name: revision}
			stable, panicking, _ := collector.StableAndPanicConcurrency(key, time.Now())
			world.note(time.Since(start), result, stable, panicking)
			world.follow(result)
		}
		collector.Delete(namespace, revision)
		scaler.OnDelete()
		played = world.turns
	})
	return played
}

// cluster returns the settings of the config map that are not left at their defaults.
func (s settings) cluster() map[string]string {
	given := map[string]string{}
	if s.Rates != nil {
		given["max-scale-up-rate"] = text(s.Rates.Up)
		given["max-scale-down-rate"] = text(s.Rates.Down)
	}
	return given
}

// annotations returns the settings of the revision that are not left at their defaults.
func (s settings) annotations() map[string]string {
	given := map[string]string{}
	for key, value := range map[string]*float64{
		autoscaling.TargetAnnotationKey:                   s.Total,
		autoscaling.PanicWindowPercentageAnnotationKey:    s.PanicPercent,
		autoscaling.PanicThresholdPercentageAnnotationKey: s.PanicThresholdPercent,
		autoscaling.TargetUtilizationPercentageKey:        s.UtilizationPercent,
	} {
		if value != nil {
			given[key] = text(*value)
		}
	}
	for key, value := range map[string]*int{
		autoscaling.WindowAnnotationKey:         s.StableSeconds,
		autoscaling.ScaleDownDelayAnnotationKey: s.DownDelaySeconds,
	} {
		if value != nil {
			given[key] = strconv.Itoa(*value) + "s"
		}
	}
	return given
}

func text(value float64) string {
	return strconv.FormatFloat(value, 'g', -1, 64)
}

var errSilent = errors.New("too few pods answered")

// Scrape is what the collector asks for every second.
func (w *world) Scrape(time.Duration) (metrics.Stat, error) {
	total, err := w.measure()
	if err != nil || total == nil {
		return metrics.Stat{}, err
	}
	return metrics.Stat{PodName: "scraper", AverageConcurrentRequests: *total}, nil
}

// ReadyCount returns the ready pods.
func (w *world) ReadyCount() (int, error) {
	return w.ready, nil
}

// NotReadyCount is not asked for.
func (w *world) NotReadyCount() (int, error) {
	return 0, nil
}
