// Package kubernetes drives the real HorizontalPodAutoscaler controller on a fake clock and writes
// down what it saw and did:
//
//	go test -run TestVectors . -args -out FILE -vectors 10000
package kubernetes

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"testing"
)

const (
	seed           = 20260117
	turnsPerSeries = 80
)

var (
	out     = flag.String("out", "", "file to write the vectors to, a series a line")
	vectors = flag.Int("vectors", 10000, "turns of the controller in all")
)

// series is one HPA's life.
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
		played := series{drawn, play(t, newWorld(random, drawn), drawn.object(), turnsPerSeries)}
		if err := lines.Encode(played); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
