package kubernetes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	running = iota
	pending
	terminating
)

// pod is one pod of the fleet; ages count turns.
type pod struct {
	name           string
	state          int
	pendingFor     int
	silentFor      int
	terminatingFor int
	values         []*int64
}

// turn is one look of the controller, and the replicas after it.
type turn struct {
	Now     float64    `json:"now"`
	Current int32      `json:"current"`
	Pods    [][]*int64 `json:"pods"`
	Totals  []*int64   `json:"totals,omitempty"`
	Wanted  int32      `json:"wanted"`
}

// world is a fleet under a load that wanders, with pods that start, fall silent and end.
type world struct {
	*rand.Rand
	settings settings
	sync     time.Duration
	replicas int32
	made     int
	pods     []*pod
	totals   []*int64
	load     float64
	jumps    float64 // the share of turns in which the load is another one
	start    time.Time
	turns    []turn
}

func newWorld(random *rand.Rand, drawn settings) *world {
	w := &world{Rand: random, settings: drawn, sync: time.Duration(drawn.SyncSeconds * float64(time.Second))}
	w.replicas = drawn.Minimum + random.Int32N(drawn.Maximum-drawn.Minimum+1)*random.Int32N(2)
	w.load = float64(w.replicas)
	w.jumps = pick(random, 0.02, 0.1, 0.3)
	for range w.replicas {
		w.add(0, 0)
	}
	return w
}

// advance moves load and pods on by one period.
func (w *world) advance() {
	switch {
	case w.Float64() < w.jumps:
		w.load = 1.4 * float64(w.settings.Maximum) * w.Float64()
	default:
		w.load *= math.Exp(0.1 * w.NormFloat64())
	}
	if w.Float64() < 0.05 {
		w.replicas = max(0, w.replicas+w.Int32N(13)-6) // by someone else's hand
	} else if w.replicas == 0 {
		w.replicas = 1
	}
	w.follow()
	w.measure()
}

// follow lets pods get on, and makes or ends some as a Deployment would.
func (w *world) follow() {
	w.pods = slices.DeleteFunc(w.pods, func(pod *pod) bool {
		pod.terminatingFor -= 1
		return pod.state == terminating && pod.terminatingFor <= 0
	})
	for _, pod := range w.pods {
		pod.pendingFor, pod.silentFor = pod.pendingFor-1, pod.silentFor-1
		if pod.state == pending && pod.pendingFor <= 0 {
			pod.state = running
		}
	}
	if w.Float64() < 0.3 {
		return // the Deployment is late
	}
	for w.active() < w.replicas {
		pendingFor := w.IntN(4)
		w.add(pendingFor, pendingFor+w.IntN(4))
	}
	for w.active() > w.replicas {
		victim := w.pods[w.IntN(len(w.pods))]
		victim.state, victim.terminatingFor = terminating, w.IntN(3)
	}
}

func (w *world) add(pendingFor, silentFor int) {
	w.made++
	state := running
	if pendingFor > 0 {
		state = pending
	}
	w.pods = append(w.pods, &pod{
		name: fmt.Sprintf("%s-%d", workload, w.made), state: state, pendingFor: pendingFor, silentFor: silentFor})
}

// measure draws what metrics say; in some turns, exactly what lies on an edge of the tolerance.
func (w *world) measure() {
	share := w.load / math.Max(1, float64(len(w.pods)))
	spread := 0.3
	if w.Float64() < 0.15 {
		share, spread = []float64{0.9, 1, 1.1}[w.IntN(3)], 0
	}
	for _, pod := range w.pods {
		pod.values = nil
		for _, target := range w.settings.PodsTargets {
			pod.values = append(pod.values, w.value(target, share, spread, pod.silentFor > 0))
		}
	}
	w.totals = nil
	for _, target := range w.settings.ExternalTargets {
		w.totals = append(w.totals, w.value(target, share*float64(len(w.pods)), spread, w.Float64() < 0.05))
	}
}

func (w *world) value(target int64, share, spread float64, silent bool) *int64 {
	if silent || w.Float64() < 0.03 {
		return nil
	}
	value := int64(math.Round(float64(target) * share * (1 + spread*(2*w.Float64()-1))))
	if spread == 0 {
		value += w.Int64N(2) // what the mean cuts off decides
	}
	return &value
}

func (w *world) active() int32 {
	var active int32
	for _, pod := range w.pods {
		if pod.state != terminating {
			active++
		}
	}
	return active
}

// begin notes what the controller is about to see.
func (w *world) begin(now time.Time) {
	if w.turns == nil {
		w.start = now
	}
	seen := turn{Now: now.Sub(w.start).Seconds(), Current: w.replicas, Totals: w.totals}
	for _, pod := range w.pods {
		state := int64(pod.state)
		seen.Pods = append(seen.Pods, append([]*int64{&state}, pod.values...))
	}
	w.turns = append(w.turns, seen)
}

// settle notes what came of it.
func (w *world) settle() {
	w.turns[len(w.turns)-1].Wanted = w.replicas
}
