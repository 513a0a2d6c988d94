package knative

import (
	"math"
	"math/rand/v2"
	"time"

	"knative.dev/serving/pkg/autoscaler/scaling"
)

// settings is one autoscaler; what is nil is left at Knative's defaults.
type settings struct {
	Total                 *float64 `json:"total"`
	UtilizationPercent    *float64 `json:"utilization_percent"`
	StableSeconds         *int     `json:"stable_seconds"`
	PanicPercent          *float64 `json:"panic_percent"`
	PanicThresholdPercent *float64 `json:"panic_threshold_percent"`
	DownDelaySeconds      *int     `json:"down_delay_seconds"`
	Rates                 *rates   `json:"rates"`
	Ready                 int      `json:"ready"`
}

type rates struct {
	Up   float64 `json:"up"`
	Down float64 `json:"down"`
}

// turn is one decision: what was scraped since the last, the ready pods, and what came of it.
type turn struct {
	Now     float64    `json:"now"`
	Scraped []*float64 `json:"scraped"`
	Ready   int        `json:"ready"`
	Stable  float64    `json:"stable"`
	Panic   float64    `json:"panic"`
	Wanted  *int32     `json:"wanted"`
}

func drawSettings(random *rand.Rand) settings {
	drawn := settings{Ready: random.IntN(6)}
	if random.IntN(2) == 0 {
		return drawn
	}
	draw(random, &drawn.Total, 1, 8, 100, 37.5)
	draw(random, &drawn.UtilizationPercent, 50, 80, 100)
	draw(random, &drawn.StableSeconds, 6, 17, 45, 60, 120)
	draw(random, &drawn.PanicPercent, 1, 10, 25, 50, 100)
	draw(random, &drawn.PanicThresholdPercent, 110, 200, 350)
	draw(random, &drawn.DownDelaySeconds, 2, 9, 30, 60)
	draw(random, &drawn.Rates, rates{1.1, 1.5}, rates{2, 2}, rates{10, 4})
	return drawn
}

func draw[T any](random *rand.Rand, into **T, from ...T) {
	if random.IntN(2) == 0 {
		value := from[random.IntN(len(from))]
		*into = &value
	}
}

// world is a fleet under a load that wanders and jumps, and pods that take their time to start.
type world struct {
	*rand.Rand
	settings settings
	load     float64
	silent   int
	ready    int
	starting []int
	scraped  []*float64
	turns    []turn
}

func newWorld(random *rand.Rand, drawn settings) *world {
	return &world{Rand: random, settings: drawn, ready: drawn.Ready, load: float64(random.IntN(3)) * 30}
}

// measure returns the requests in flight; now and then nothing, for a second or for long.
func (w *world) measure() (*float64, error) {
	w.move()
	if w.silent > 0 {
		w.silent--
		w.scraped = append(w.scraped, nil)
		if w.silent%2 == 0 {
			return nil, errSilent
		}
		return nil, nil
	}
	total := math.Round(1000*w.load*(0.8+0.4*w.Float64())) / 1000
	w.scraped = append(w.scraped, &total)
	return &total, nil
}

func (w *world) move() {
	switch drawn := w.Float64(); {
	case drawn < 0.02:
		w.load = math.Exp(8 * w.Float64())
	case drawn < 0.03:
		w.load = 0
	default:
		w.load *= math.Exp(0.05 * w.NormFloat64())
	}
	switch drawn := w.Float64(); {
	case drawn < 0.05:
		w.silent = max(w.silent, 1)
	case drawn < 0.055:
		w.silent = max(w.silent, w.IntN(130))
	}
}

// note writes down a turn.
func (w *world) note(now time.Duration, result scaling.ScaleResult, stable, panicking float64) {
	seen := turn{Now: now.Seconds(), Scraped: w.scraped, Ready: w.ready, Stable: stable, Panic: panicking}
	if result.ScaleValid {
		seen.Wanted = &result.DesiredPodCount
	}
	w.turns = append(w.turns, seen)
	w.scraped = nil
}

// follow lets pods get ready some turns after they were wanted, and takes away others at once.
func (w *world) follow(result scaling.ScaleResult) {
	left := w.starting[:0]
	for _, turns := range w.starting {
		if turns > 1 {
			left = append(left, turns-1)
		} else {
			w.ready++
		}
	}
	w.starting = left
	if !result.ScaleValid {
		return
	}
	wanted := min(int(result.DesiredPodCount), 400)
	if surplus := w.ready + len(w.starting) - wanted; surplus > 0 {
		ending := min(surplus, len(w.starting))
		w.starting = w.starting[ending:]
		w.ready -= surplus - ending
	}
	delay := w.IntN(20)
	for w.ready+len(w.starting) < wanted {
		w.starting = append(w.starting, 1+delay+w.IntN(3))
	}
}
