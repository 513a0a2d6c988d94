// Package knative drives the real autoscaler of Knative Serving, with its collector, on a fake
// clock and writes down what it saw and decided:
//
//	go test -run TestVectors . -args -out FILE -vectors 10000
package knative

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"testing"
)

const (
	seed           = 20260117
	turnsPerSeries = 100
)

var (
	out     = flag.String("out", "", "file to write the vectors to, a series a line")
	vectors = flag.Int("vectors", 10000, "decisions in all")
)

// series is one autoscaler's life.
type series struct {
	Settings settings `json:"settings"`
	Turns    []turn   `json:"turns"`
}

func TestVectors(t *testing.T) {
	if *out == "" {
		t.Skip("no -out")
	}
	file, err := os.Create(*out)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, seed))
	lines := json.NewEncoder(file)
	for range *vectors / turnsPerSeries {
		drawn := drawSettings(random)
		if err := lines.Encode(series{drawn, play(t, newWorld(random, drawn), turnsPerSeries)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
