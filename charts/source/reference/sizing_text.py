"""The words of docs/sizing.md."""

INTRODUCTION = """What one replica of VibeThinker-1.5B has room for, by card. A replica takes one
GPU, so a fleet has room for `replicas` times as much.

**Every number here is computed, none was measured on a GPU.** The operator uses the same arithmetic
until a pod has reported its own figures; from then on those count. The table holds for the
defaults: `gpuMemoryUtilizationPercentage: 85`, `maxModelLen: 4096`, `maxNumSeqs: 128`,
`memoryUsedPercentage: 75`, Float16."""

FORMULA = """```
KV pool  = memory × utilization − weights − overhead
tokens   = KV pool / bytes of a token
longest  = maxNumSeqs × maxModelLen × bytes of a token
live     = (weights + overhead + the smaller of KV pool and longest) / memory
```

- Weights: {weights_bytes:,} bytes ({weights_gb} GB): 1,543,714,304 parameters of two bytes.
- Overhead: {overhead_gib} GiB for the CUDA context, the activations of one step, logits and CUDA
  graphs. **Assumed**; the first pod replaces it by what it really is.
- A token: {token_bytes:,} bytes: a key and a value for each of 28 layers and 2 heads of 128, two
  bytes each.
- Memory: what the card reports to CUDA, which is less than its name says. For cards with a product
  label it is what users' own error messages state, for slices what `nvidia-smi mig -lgip` lists;
  for "any of N GB", 97 % of the name is assumed.

So 16 full sequences take {sixteen} GB and 32 take {thirty_two} GB, with weights and overhead."""

OTHER_TYPES = """INT8 keeps the linear layers in one byte, with a scale for each row, and the rest
as it was: the weights are {smaller} % smaller, not half. On a T4 that is room for {more} % more
tokens; it promises no speed. On a CPU little can be computed ahead: the KV cache is what
`engine.kvCacheMemoryBytes` says, and memory is measured against the container's limit, which must
hold cache, weights and the engine's processes (10 GiB for 4 GiB of cache:
[manifests/samples/cpu.yaml](../manifests/samples/cpu.yaml)).

The operator says of each fleet what fits, in `status.fit` and in the message of the condition
`MemoryLineReachable` ("holds 318,336 tokens: 77 sequences of 4,096"). `source: Spec` is computed as
here, where model and card are known; `source: Measured` is what a pod's engine told. Where weights
and one sequence do not fit on the card, the condition's reason is `DoesNotFit`, with the numbers
and before the first start. It warns and holds nothing up."""

ADVICE = """- **"Out of reach" is nothing to repair.** A large card with 128 sequences never fills
  its KV pool: what tells that it is full is the queue, and `requestQueueLength` scales and refuses
  by it. The condition `MemoryLineReachable` says so. To let more sequences run at once, raise
  `engine.maxNumSeqs` (and `maxNumBatchedTokens`, which must not be smaller).
- **"Sequences that fit" are full ones.** Most are shorter, so more of them run; what does not fit
  waits, or is preempted by vLLM.
- **Small cards** (8 GB, slices of 10 GB) have room for it. What else uses the card, such as a
  desktop, is missing from the pool; lower `gpuMemoryUtilizationPercentage` then.
- **Longer sequences** (`maxModelLen`) cost in proportion: at 32768 an eighth as many fit.
- **Slices of a card**: name the resource, such as `gpu: {resourceName: nvidia.com/mig-1g.10gb}`.
  Cards that pods share by time slicing have no live memory: nobody can tell whose memory it is."""
