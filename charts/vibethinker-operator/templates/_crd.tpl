{{- /* Written by `make generate` from operator/vibethinker_operator: change it there. */}}
{{- define "vibethinker.customResourceDefinition" -}}
group: vibethinker.io
scope: Namespaced
names:
  kind: VibeThinkerDeployment
  listKind: VibeThinkerDeploymentList
  plural: vibethinkerdeployments
  singular: vibethinkerdeployment
  shortNames:
  - vtd
  categories:
  - vibethinker
versions:
- name: v1alpha1
  served: true
  storage: true
  schema:
    openAPIV3Schema:
      type: object
      description: A fleet of vLLM servers of VibeThinker-1.5B, held below a line of live memory.
      required:
      - spec
      properties:
        apiVersion:
          type: string
          description: Version of this representation.
        kind:
          type: string
          description: Kind of this object.
        metadata:
          type: object
          properties:
            name:
              type: string
        spec:
          description: 'What is wanted. Every field has a default, so `spec: {}` is one replica on one
            GPU.'
          properties:
            model:
              description: Which weights are served, and where they come from.
              properties:
                repository:
                  default: WeiboAI/VibeThinker-1.5B
                  description: Model repository as organization/name, without a scheme. Not read with
                    source Volume.
                  maxLength: 96
                  pattern: ^[A-Za-z0-9][A-Za-z0-9_]*([.-][A-Za-z0-9_]+)*/[A-Za-z0-9][A-Za-z0-9_]*([.-][A-Za-z0-9_]+)*$
                  type: string
                revision:
                  default: main
                  description: Branch, tag or commit of the repository. `main` means the hub's own default
                    branch; in production give the 40 hexadecimal digits of a commit.
                  maxLength: 64
                  minLength: 1
                  pattern: ^[A-Za-z0-9][A-Za-z0-9._/-]*$
                  type: string
                servedName:
                  default: vibethinker-1.5b
                  description: Name that clients send as `model`.
                  maxLength: 64
                  minLength: 1
                  pattern: ^[A-Za-z0-9][A-Za-z0-9._:/-]*$
                  type: string
                source:
                  description: HuggingFace and ModelScope download at start; Volume reads a claim that
                    holds the files.
                  enum:
                  - HuggingFace
                  - ModelScope
                  - Volume
                  type: string
                  default: HuggingFace
                endpoint:
                  default: ''
                  description: 'Address of a mirror of the hub. Empty: the hub''s own. The cluster''s
                    admin lists the allowed ones in the ConfigMap vibethinker-admission-policy.'
                  maxLength: 253
                  pattern: ^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?)?$
                  type: string
                tokenSecretRef:
                  description: Secret with the hub's access token; VibeThinker-1.5B itself needs none.
                  properties:
                    name:
                      default: ''
                      description: 'Name of a Secret in this namespace; only its key `token` is mounted,
                        as a file. Starts with `vibethinker-`, so that no other Secret can be named. Empty:
                        no token.'
                      maxLength: 253
                      pattern: ^(vibethinker-[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$
                      type: string
                  type: object
                  default:
                    name: ''
                cache:
                  description: Where downloaded weights and compiled kernels are kept.
                  properties:
                    claimName:
                      default: ''
                      description: 'PersistentVolumeClaim to keep them in, shared by all replicas (ReadWriteMany
                        for more than one node). Empty: a directory that lives and dies with the pod.'
                      maxLength: 253
                      pattern: ^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$
                      type: string
                    sizeLimit:
                      anyOf:
                      - type: integer
                      - type: string
                      default: 10Gi
                      description: Largest size of that directory where no claim is named. The fp16 weights
                        are 3.1 GB, and a download needs room for its parts.
                      maxLength: 20
                      pattern: ^[0-9]+(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$
                      x-kubernetes-int-or-string: true
                  type: object
                  default:
                    claimName: ''
                    sizeLimit: 10Gi
                volume:
                  description: The volume of source Volume.
                  properties:
                    claimName:
                      default: ''
                      description: PersistentVolumeClaim with the model's files, mounted read-only.
                      maxLength: 253
                      pattern: ^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$
                      type: string
                    path:
                      default: ''
                      description: 'Directory of the model in that volume, relative to its root. Empty:
                        the root itself.'
                      maxLength: 255
                      pattern: ^(([A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*)?$
                      type: string
                  type: object
                  default:
                    claimName: ''
                    path: ''
                quantization:
                  description: 'Eight-bit weights in place of the checkpoint''s own, for vLLM. Unset:
                    as the checkpoint is.'
                  properties:
                    type:
                      description: Number format of the linear layers; embeddings stay as they are.
                      enum:
                      - Int8
                      type: string
                      default: Int8
                    method:
                      description: W8A8 (compressed-tensors) is what vLLM computes with by itself. BitsAndBytes
                        saves the same memory and is slower; the engine image must bring vllm-bnb-plugin
                        and bitsandbytes, which the stock one does not.
                      enum:
                      - W8A8
                      - BitsAndBytes
                      type: string
                      default: W8A8
                  type: object
                gguf:
                  description: 'The file to write for engine.backend LlamaCpp. Unset there: volume.path
                    names a GGUF file.'
                  properties:
                    outtype:
                      description: 'Number format: Q8_0 takes half of F16.'
                      enum:
                      - F16
                      - BF16
                      - Q8_0
                      type: string
                      default: Q8_0
                  type: object
              type: object
              x-kubernetes-validations:
              - fieldPath: .repository
                message: 'repository weibo/VibeThinker-1.5B does not exist: did you mean WeiboAI/VibeThinker-1.5B?'
                rule: self.repository.lowerAscii() != 'weibo/vibethinker-1.5b'
              - fieldPath: .volume.claimName
                message: 'volume.claimName is required with source Volume: name the claim that holds the
                  model''s files'
                rule: self.source != 'Volume' || size(self.volume.claimName) > 0
              - fieldPath: .cache.claimName
                message: 'cache.claimName is required with quantization: the weights are written there
                  once, for all replicas'
                rule: '!has(self.quantization) || size(self.cache.claimName) > 0'
              - fieldPath: .cache.claimName
                message: 'cache.claimName is required with gguf: the weights are written there once, for
                  all replicas'
                rule: '!has(self.gguf) || size(self.cache.claimName) > 0'
              - fieldPath: .source
                message: 'source must be HuggingFace (endpoint may name a mirror) or Volume with quantization:
                  the Job that writes it downloads from no other'
                rule: '!has(self.quantization) || self.source != ''ModelScope'''
              - fieldPath: .source
                message: 'source must be HuggingFace (endpoint may name a mirror) or Volume with gguf:
                  the Job that writes it downloads from no other'
                rule: '!has(self.gguf) || self.source != ''ModelScope'''
              - fieldPath: .revision
                message: 'revision may not contain ''..'': give a branch, a tag or a commit'
                rule: '!self.revision.contains(''..'')'
              default:
                repository: WeiboAI/VibeThinker-1.5B
                revision: main
                servedName: vibethinker-1.5b
                source: HuggingFace
                endpoint: ''
                tokenSecretRef:
                  name: ''
                cache:
                  claimName: ''
                  sizeLimit: 10Gi
                volume:
                  claimName: ''
                  path: ''
            engine:
              description: How vLLM runs.
              properties:
                backend:
                  description: 'VLLM, or LlamaCpp for machines without a GPU: llama-server on a GGUF file,
                    behind the same policy. Unset: VLLM.'
                  enum:
                  - VLLM
                  - LlamaCpp
                  type: string
                image:
                  default: ''
                  description: 'Engine image, a stock one: vLLM''s, into which our part is copied when
                    a pod starts, or llama.cpp''s server, which our part stands beside. Empty: the operator''s
                    default for the device. The cluster''s admin lists the allowed ones in the ConfigMap
                    vibethinker-admission-policy; in production give a digest.'
                  maxLength: 255
                  pattern: ^([a-z0-9]([A-Za-z0-9._:/@-]*[A-Za-z0-9])?)?$
                  type: string
                imagePullSecrets:
                  default: []
                  description: Secrets with registry credentials.
                  items:
                    description: A Secret with registry credentials.
                    properties:
                      name:
                        description: Name of a Secret in this namespace; starts with `vibethinker-`.
                        maxLength: 253
                        minLength: 1
                        pattern: ^vibethinker-[a-z0-9]([-a-z0-9.]*[a-z0-9])?$
                        type: string
                    required:
                    - name
                    type: object
                  maxItems: 4
                  type: array
                  x-kubernetes-list-map-keys:
                  - name
                  x-kubernetes-list-type: map
                device:
                  description: GPU, or CPU for tests and small fleets.
                  enum:
                  - GPU
                  - CPU
                  type: string
                  default: GPU
                dtype:
                  description: 'Number format. Unset: Float16 on GPU (a T4 has no BFloat16), BFloat16
                    on CPU. Float32, on CPU only, doubles the memory of weights and KV cache and is many
                    times faster on processors that have neither AVX512_BF16 nor AMX.'
                  enum:
                  - Float16
                  - BFloat16
                  - Float32
                  type: string
                blockSize:
                  maximum: 256
                  minimum: 16
                  multipleOf: 16
                  type: integer
                  description: 'Tokens in one block of KV cache. Unset: 16 on GPU, 32 on CPU (multiples
                    of 32 only).'
                maxModelLen:
                  default: 4096
                  description: Longest sequence in tokens, prompt and answer together.
                  maximum: 131072
                  minimum: 256
                  type: integer
                maxNumSeqs:
                  default: 128
                  description: Sequences that one replica can run at once; more wait in its queue.
                  maximum: 1024
                  minimum: 1
                  type: integer
                maxNumBatchedTokens:
                  default: 4096
                  description: 'Tokens in one step of the engine. More: prompts are read faster, tokens
                    come less evenly.'
                  maximum: 131072
                  minimum: 64
                  type: integer
                gpuMemoryUtilizationPercentage:
                  default: 85
                  description: Share of the card that vLLM reserves when it starts; what weights and activations
                    leave of it becomes KV cache. Not read where kvCacheMemoryBytes is set, nor on CPU.
                  maximum: 97
                  minimum: 10
                  type: integer
                kvCacheMemoryBytes:
                  maximum: 1099511627776
                  minimum: 67108864
                  type: integer
                  description: 'Exact size of the KV cache, in bytes as vLLM takes it (4 GiB: 4294967296);
                    a plain number, because decisions are computed with it. Required on CPU. Unset on
                    GPU: from gpuMemoryUtilizationPercentage.'
                flags:
                  description: Further vLLM options, each typed.
                  properties:
                    enforceEager:
                      type: boolean
                      description: '--enforce-eager: no CUDA graphs and no compilation. Faster start,
                        slower tokens.'
                    enablePrefixCaching:
                      type: boolean
                      description: '--enable-prefix-caching: reuse the KV cache of a prompt''s start.
                        vLLM''s default is on.'
                    enableChunkedPrefill:
                      type: boolean
                      description: '--enable-chunked-prefill: split long prompts over steps. vLLM''s default
                        is on.'
                    maxNumActiveSeqs:
                      maximum: 1024
                      minimum: 1
                      type: integer
                      description: '--max-num-active-seqs: sequences that run at once, where that is to
                        be fewer than maxNumSeqs, which sizes buffers and CUDA graphs.'
                    kvCacheDtype:
                      description: --kv-cache-dtype. Fp8 halves the KV cache; needs a card of compute
                        capability 8.9.
                      enum:
                      - Auto
                      - Fp8
                      type: string
                    attentionBackend:
                      description: '--attention-backend: kernels to use in place of vLLM''s choice.'
                      enum:
                      - FlashAttention
                      - FlashInfer
                      - Triton
                      type: string
                    optimizationLevel:
                      maximum: 3
                      minimum: 0
                      type: integer
                      description: '-O0 to -O3: 0 starts fastest, higher levels compile more. vLLM''s
                        default is 2.'
                    watermarkPercentage:
                      maximum: 20
                      minimum: 0
                      type: integer
                      description: '--watermark: share of KV blocks kept free when a waiting request is
                        let in, against preemption.'
                    seed:
                      maximum: 2147483647
                      minimum: 0
                      type: integer
                      description: --seed of the engine's random numbers.
                  type: object
                  default: {}
              type: object
              x-kubernetes-validations:
              - fieldPath: .maxNumBatchedTokens
                message: 'maxNumBatchedTokens must be >= maxNumSeqs: every running sequence takes one
                  token a step'
                rule: self.maxNumBatchedTokens >= self.maxNumSeqs
              - fieldPath: .maxNumBatchedTokens
                message: 'maxNumBatchedTokens must be >= maxModelLen where flags.enableChunkedPrefill
                  is false: a prompt must fit one step'
                rule: '!has(self.flags.enableChunkedPrefill) || self.flags.enableChunkedPrefill || self.maxNumBatchedTokens
                  >= self.maxModelLen'
              - fieldPath: .flags.maxNumActiveSeqs
                message: flags.maxNumActiveSeqs must be <= maxNumSeqs
                rule: '!has(self.flags.maxNumActiveSeqs) || self.flags.maxNumActiveSeqs <= self.maxNumSeqs'
              - fieldPath: .kvCacheMemoryBytes
                message: 'kvCacheMemoryBytes is required with device CPU: there is no card whose size
                  could tell'
                rule: self.device != 'CPU' || has(self.kvCacheMemoryBytes)
              - fieldPath: .blockSize
                message: 'blockSize must be a multiple of 32 with device CPU: attention on CPU takes no
                  other'
                rule: self.device != 'CPU' || !has(self.blockSize) || self.blockSize % 32 == 0
              - fieldPath: .device
                message: 'device must be CPU with backend LlamaCpp: on a GPU, vLLM serves'
                rule: '!has(self.backend) || self.backend != ''LlamaCpp'' || self.device == ''CPU'''
              - fieldPath: .kvCacheMemoryBytes
                message: kvCacheMemoryBytes must hold maxModelLen tokens with backend LlamaCpp, of 28,672
                  bytes each
                rule: '!has(self.backend) || self.backend != ''LlamaCpp'' || !has(self.kvCacheMemoryBytes)
                  || self.kvCacheMemoryBytes / 7340032 * 256 >= self.maxModelLen'
              - fieldPath: .dtype
                message: 'dtype is not read with backend LlamaCpp: leave it out, model.gguf.outtype is
                  the weights'' format'
                rule: '!has(self.backend) || self.backend != ''LlamaCpp'' || !has(self.dtype)'
              - fieldPath: .flags
                message: 'flags are vLLM''s own: leave them out with backend LlamaCpp'
                rule: '!has(self.backend) || self.backend != ''LlamaCpp'' || (!has(self.flags.enforceEager)
                  && !has(self.flags.enablePrefixCaching) && !has(self.flags.enableChunkedPrefill) &&
                  !has(self.flags.maxNumActiveSeqs) && !has(self.flags.kvCacheDtype) && !has(self.flags.attentionBackend)
                  && !has(self.flags.optimizationLevel) && !has(self.flags.watermarkPercentage) && !has(self.flags.seed))'
              - fieldPath: .dtype
                message: 'dtype Float32 is for device CPU only: on a GPU it doubles weights and KV cache
                  and gains nothing'
                rule: self.device == 'CPU' || !has(self.dtype) || self.dtype != 'Float32'
              - fieldPath: .flags.attentionBackend
                message: 'flags.attentionBackend is for device GPU only: leave it out'
                rule: self.device != 'CPU' || !has(self.flags.attentionBackend)
              - fieldPath: .flags.kvCacheDtype
                message: 'flags.kvCacheDtype Fp8 is for device GPU only: leave it out'
                rule: self.device != 'CPU' || !has(self.flags.kvCacheDtype) || self.flags.kvCacheDtype
                  == 'Auto'
              default:
                image: ''
                imagePullSecrets: []
                device: GPU
                maxModelLen: 4096
                maxNumSeqs: 128
                maxNumBatchedTokens: 4096
                gpuMemoryUtilizationPercentage: 85
                flags: {}
            gpu:
              description: 'Which card a replica takes: always one.'
              properties:
                product:
                  default: ''
                  description: 'Value of the node label nvidia.com/gpu.product, such as Tesla-T4 or NVIDIA-L4.
                    Empty: any card. Naming it keeps cards of one fleet equal, and lets the operator say
                    before the first start whether the memory line can be reached.'
                  maxLength: 63
                  pattern: ^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$
                  type: string
                resourceName:
                  default: nvidia.com/gpu
                  description: Extended resource of the device plugin; for MIG for example nvidia.com/mig-1g.10gb.
                  maxLength: 128
                  minLength: 1
                  pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                  type: string
              type: object
              default:
                product: ''
                resourceName: nvidia.com/gpu
            profiles:
              default:
              - name: webui
                kind: WebUI
                systemPrompt: ''
                clientSystemMessages: Refuse
                maxSystemPromptCharacters: 4096
                sampling: {}
                apiKeys: []
              description: 'Whose system prompt holds: chosen by API key, else by the header X-Profile,
                else the first.'
              items:
                description: 'One profile: several live in one fleet, so one card serves apps and people.'
                properties:
                  name:
                    description: Name that clients send as header X-Profile, and that metrics carry.
                    maxLength: 40
                    minLength: 1
                    pattern: ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                    type: string
                  kind:
                    description: 'App: systemPrompt always comes first, exactly once, and raw completions
                      are refused. WebUI: the client''s own system prompt holds.'
                    enum:
                    - App
                    - WebUI
                    type: string
                  systemPrompt:
                    default: ''
                    description: 'App: the preset, required. WebUI: the role prompt that holds where the
                      client sends none. Printable text; a change reaches running pods at once and rolls
                      none.'
                    maxLength: 4096
                    pattern: ^[^\x{00}-\x{08}\x{0B}-\x{1F}\x{7F}-\x{9F}\x{202A}-\x{202E}\x{2066}-\x{2069}\x{FEFF}]*$
                    type: string
                  clientSystemMessages:
                    description: 'App: whether a request with system or developer messages (or instructions)
                      of its own is refused, or these are dropped. Never mixed in. Not read with kind
                      WebUI.'
                    enum:
                    - Refuse
                    - Drop
                    type: string
                    default: Refuse
                  maxSystemPromptCharacters:
                    default: 4096
                    description: 'WebUI: longest system prompt of a client, in characters. Not read with
                      kind App.'
                    maximum: 16384
                    minimum: 0
                    type: integer
                  isolation:
                    description: 'Whose requests share the engine''s prefix cache, and so could learn
                      from timing what others asked: those of one session, of one API key, or of all.
                      Unset: Session with kind App, None with kind WebUI. Under Session each session computes
                      the system prompt anew once.'
                    enum:
                    - Session
                    - Key
                    - None
                    type: string
                  timeToFirstTokenSeconds:
                    maximum: 600
                    minimum: 1
                    type: integer
                    description: 'Longest wait for the first token that this profile tolerates. New sessions
                      that would wait longer are refused where overload.policy refuses. Unset: 1 with
                      kind App, 3 with kind WebUI.'
                  sampling:
                    description: 'How tokens are picked for requests that set none of temperature, top_p,
                      top_k, min_p and the penalties; one that sets any is left as it is. A field set
                      here leaves the others to the engine. Empty: as the model''s authors advise, where
                      the model is a known one.'
                    properties:
                      temperaturePercentage:
                        maximum: 200
                        minimum: 0
                        type: integer
                        description: 'Temperature in percent: 60 is 0.6, and 0 always takes the likeliest
                          token.'
                      topPPercentage:
                        maximum: 100
                        minimum: 1
                        type: integer
                        description: 'top_p in percent: 95 takes from the likeliest tokens that have 95
                          % of the probability.'
                      topK:
                        maximum: 1000000
                        minimum: -1
                        type: integer
                        description: 'Takes from so many of the likeliest tokens; -1: from all.'
                    type: object
                    default: {}
                  apiKeys:
                    default: []
                    description: 'Names of API keys (entries of auth.apiKeysSecretRef) that are bound
                      to this profile, whatever X-Profile says. Callers with other keys choose by X-Profile,
                      else get the first profile: a preset that must hold for a caller needs that caller''s
                      key here.'
                    items:
                      maxLength: 63
                      minLength: 1
                      pattern: ^[A-Za-z0-9_-][A-Za-z0-9._-]*$
                      type: string
                    maxItems: 16
                    type: array
                    x-kubernetes-list-type: set
                required:
                - name
                - kind
                type: object
                x-kubernetes-validations:
                - fieldPath: .systemPrompt
                  message: 'systemPrompt is required with kind App: it is what such a profile is for'
                  rule: self.kind != 'App' || self.systemPrompt.matches('\\S')
                - fieldPath: .systemPrompt
                  message: 'systemPrompt may not hold control tokens of the chat template, such as <|im_start|>:
                    the template adds them'
                  rule: '!self.systemPrompt.matches(''<[|][A-Za-z0-9_]+[|]>'')'
              maxItems: 8
              minItems: 1
              type: array
              x-kubernetes-list-map-keys:
              - name
              x-kubernetes-list-type: map
            tokenLimits:
              description: Most tokens that one request may generate, by task.
              properties:
                preset:
                  description: 'Caps of math, code and qa that are not written out. Article: 512, 768
                    and 256. Reasoning: 16384, 16384 and 2048, for answers that show their thinking. Neither
                    is ever more than three quarters of engine.maxModelLen.'
                  enum:
                  - Article
                  - Reasoning
                  type: string
                  default: Article
                math:
                  maximum: 131072
                  minimum: 1
                  type: integer
                  description: 'Cap of mathematics tasks. Unset: from the preset.'
                code:
                  maximum: 131072
                  minimum: 1
                  type: integer
                  description: 'Cap of programming tasks. Unset: from the preset.'
                qa:
                  maximum: 131072
                  minimum: 1
                  type: integer
                  description: 'Cap of questions. Unset: from the preset.'
                others:
                  default: []
                  description: Further tasks.
                  items:
                    description: A task beyond math, code and qa.
                    properties:
                      name:
                        description: Name that clients send as X-Task, and that metrics carry.
                        maxLength: 40
                        minLength: 1
                        pattern: ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                        type: string
                      tokens:
                        description: Most tokens that one request of this task may generate.
                        maximum: 131072
                        minimum: 1
                        type: integer
                    required:
                    - name
                    - tokens
                    type: object
                  maxItems: 8
                  type: array
                  x-kubernetes-list-map-keys:
                  - name
                  x-kubernetes-list-type: map
                defaultTask:
                  default: code
                  description: Task of a request that names none.
                  maxLength: 40
                  minLength: 1
                  pattern: ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                  type: string
              type: object
              x-kubernetes-validations:
              - fieldPath: .others
                message: 'others may not name math, code or qa: they have fields of their own'
                rule: self.others.all(t, !(t.name in ['math', 'code', 'qa']))
              - fieldPath: .defaultTask
                message: defaultTask must be math, code, qa or one of others
                rule: self.defaultTask in ['math', 'code', 'qa'] || self.others.exists(t, t.name == self.defaultTask)
              default:
                preset: Article
                others: []
                defaultTask: code
            saturation:
              description: 'When the fleet counts as saturated: scaling and admission both read this block.'
              properties:
                memoryUsedPercentage:
                  default: 75
                  description: Line of memory in use, without the idle part of the KV cache, as a percentage
                    of the device's memory.
                  maximum: 95
                  minimum: 10
                  type: integer
                memoryRecoverPercentage:
                  default: 65
                  description: Below this the line counts as left again.
                  maximum: 94
                  minimum: 5
                  type: integer
                requestQueueLength:
                  default: 4
                  description: Line of waiting requests, per ready replica.
                  maximum: 10000
                  minimum: 1
                  type: integer
                sustainedSeconds:
                  default: 10
                  description: How long a line must stay crossed before anything is done about it.
                  maximum: 600
                  minimum: 2
                  type: integer
              type: object
              x-kubernetes-validations:
              - fieldPath: .memoryRecoverPercentage
                message: 'memoryRecoverPercentage must be < memoryUsedPercentage: the line is left below
                  the point where it is crossed'
                rule: self.memoryRecoverPercentage < self.memoryUsedPercentage
              default:
                memoryUsedPercentage: 75
                memoryRecoverPercentage: 65
                requestQueueLength: 4
                sustainedSeconds: 10
            scaling:
              description: How the number of replicas is chosen.
              properties:
                mode:
                  description: 'Auto: the operator scales. Advisory: it decides and reports, and spec.replicas
                    holds. Manual: spec.replicas holds (kubectl scale, an HPA or KEDA may write it).'
                  enum:
                  - Auto
                  - Advisory
                  - Manual
                  type: string
                  default: Auto
                minReplicas:
                  default: 1
                  description: Fewest replicas in mode Auto.
                  maximum: 1000
                  minimum: 1
                  type: integer
                maxReplicas:
                  default: 1
                  description: Most replicas in mode Auto. With 1 the operator never asks for a second
                    GPU.
                  maximum: 1000
                  minimum: 1
                  type: integer
                scaleDownStabilizationSeconds:
                  default: 300
                  description: Scale in only to the highest number wanted during this time.
                  maximum: 3600
                  minimum: 0
                  type: integer
                startupDeadlineSeconds:
                  default: 1800
                  description: Longest start of a scheduled pod (image, download, compilation) before
                    it is given up.
                  maximum: 7200
                  minimum: 60
                  type: integer
                provisioningDeadlineSeconds:
                  default: 900
                  description: Longest wait for a node with a free device before a step is withdrawn.
                  maximum: 7200
                  minimum: 30
                  type: integer
              type: object
              x-kubernetes-validations:
              - fieldPath: .minReplicas
                message: minReplicas must be <= maxReplicas
                rule: self.minReplicas <= self.maxReplicas
              default:
                mode: Auto
                minReplicas: 1
                maxReplicas: 1
                scaleDownStabilizationSeconds: 300
                startupDeadlineSeconds: 1800
                provisioningDeadlineSeconds: 900
            overload:
              description: What happens once a line stays crossed.
              properties:
                policy:
                  description: 'ScaleOut: add replicas. Reject: refuse new sessions. ScaleOutThenReject:
                    add replicas, and refuse new sessions while none can be added. Known sessions are
                    served under each.'
                  enum:
                  - ScaleOut
                  - Reject
                  - ScaleOutThenReject
                  type: string
                  default: ScaleOutThenReject
                maxQueuedRequests:
                  default: 64
                  description: Most waiting requests of one pod; past it new sessions are refused under
                    each policy, and known ones past twice as many.
                  maximum: 10000
                  minimum: 1
                  type: integer
              type: object
              default:
                policy: ScaleOutThenReject
                maxQueuedRequests: 64
            sessions:
              description: Who counts as known.
              properties:
                ttlSeconds:
                  default: 900
                  description: How long a session stays known after its last admitted request.
                  maximum: 86400
                  minimum: 60
                  type: integer
                maxConcurrentRequests:
                  default: 4
                  description: Requests of one session that are served at once as known; one more counts
                    as a new session's.
                  maximum: 1000
                  minimum: 1
                  type: integer
                maxKnownPerKey:
                  default: 256
                  description: Known sessions of one API key. One more is served as a new session and
                    does not become known.
                  maximum: 100000
                  minimum: 1
                  type: integer
                trustedHeader:
                  default: ''
                  description: 'Header by which a proxy with an API key tells its users or chats apart,
                    as X-Session-ID does; Open WebUI sends X-OpenWebUI-Chat-Id. Empty: none.'
                  maxLength: 64
                  pattern: ^[A-Za-z0-9-]*$
                  type: string
              type: object
              x-kubernetes-validations:
              - fieldPath: .trustedHeader
                message: 'trustedHeader must be a header that only your proxy sets, one for each user
                  or chat: this one has another meaning'
                rule: '!(self.trustedHeader.lowerAscii() in [''authorization'', ''connection'', ''content-length'',
                  ''content-type'', ''cookie'', ''host'', ''user-agent'', ''x-profile'', ''x-session-ticket'',
                  ''x-task''])'
              default:
                ttlSeconds: 900
                maxConcurrentRequests: 4
                maxKnownPerKey: 256
                trustedHeader: ''
            auth:
              description: Who may use the fleet.
              properties:
                apiKeysSecretRef:
                  description: 'Secret with the API keys, sent as `Authorization: Bearer`. Naming one,
                    or another one, rolls the pods.'
                  properties:
                    name:
                      default: ''
                      description: 'Name of a Secret in this namespace. Starts with `vibethinker-`, so
                        that no other Secret can be named. Each of its entries is one API key: the entry''s
                        name is the key''s name, which metrics and profiles use; its content is the key.
                        Keys that are added or removed hold within about a minute and roll no pod. Empty:
                        the fleet is open to everybody who can reach it.'
                      maxLength: 253
                      pattern: ^(vibethinker-[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$
                      type: string
                  type: object
                  default:
                    name: ''
              type: object
              default:
                apiKeysSecretRef:
                  name: ''
            rollout:
              description: How pods are replaced.
              properties:
                maxSurge:
                  default: 0
                  description: Pods above the wanted number while pods are replaced. Each needs a free
                    GPU of its own.
                  maximum: 100
                  minimum: 0
                  type: integer
                maxUnavailable:
                  default: 1
                  description: Pods below the wanted number while pods are replaced.
                  maximum: 100
                  minimum: 0
                  type: integer
              type: object
              x-kubernetes-validations:
              - fieldPath: .maxUnavailable
                message: 'maxSurge and maxUnavailable must not both be 0: no pod could be replaced'
                rule: self.maxSurge > 0 || self.maxUnavailable > 0
              default:
                maxSurge: 0
                maxUnavailable: 1
            service:
              description: How clients reach the fleet.
              properties:
                type:
                  description: Type of the Service.
                  enum:
                  - ClusterIP
                  - NodePort
                  - LoadBalancer
                  type: string
                  default: ClusterIP
                port:
                  default: 8000
                  description: Port of the Service.
                  maximum: 65535
                  minimum: 1
                  type: integer
              type: object
              default:
                type: ClusterIP
                port: 8000
            scheduling:
              description: Where pods may run.
              properties:
                nodeSelector:
                  default: {}
                  description: Labels that a node must carry.
                  maxProperties: 16
                  type: object
                  additionalProperties:
                    maxLength: 63
                    pattern: ^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$
                    type: string
                tolerations:
                  default: []
                  description: Taints that pods tolerate. The one of nvidia.com/gpu is tolerated anyway
                    on GPU.
                  items:
                    description: A taint that pods tolerate.
                    properties:
                      key:
                        maxLength: 128
                        minLength: 1
                        pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                        type: string
                        description: 'Key of the taint. Unset, with operator Exists: every taint.'
                      operator:
                        description: Exists tolerates any value, Equal the given one.
                        enum:
                        - Exists
                        - Equal
                        type: string
                        default: Equal
                      value:
                        maxLength: 63
                        pattern: ^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$
                        type: string
                        description: Value of the taint, with operator Equal.
                      effect:
                        description: 'Effect of the taint. Unset: every effect.'
                        enum:
                        - NoSchedule
                        - PreferNoSchedule
                        - NoExecute
                        type: string
                      tolerationSeconds:
                        maximum: 86400
                        minimum: 0
                        type: integer
                        description: 'How long a pod stays on a node that got the taint (NoExecute). Unset:
                          for ever.'
                    type: object
                    x-kubernetes-validations:
                    - fieldPath: .value
                      message: value must be left out with operator Exists
                      rule: self.operator != 'Exists' || !has(self.value) || self.value == ''
                    - fieldPath: .key
                      message: key is required with operator Equal
                      rule: self.operator == 'Exists' || has(self.key)
                    - fieldPath: .tolerationSeconds
                      message: tolerationSeconds is for effect NoExecute only
                      rule: '!has(self.tolerationSeconds) || (has(self.effect) && self.effect == ''NoExecute'')'
                  maxItems: 16
                  type: array
                  x-kubernetes-list-type: atomic
                affinity:
                  description: Nodes and pods to be near to or away from.
                  properties:
                    nodeAffinity:
                      description: Nodes that pods must or should run on.
                      properties:
                        requiredDuringSchedulingIgnoredDuringExecution:
                          description: What a node must meet.
                          properties:
                            nodeSelectorTerms:
                              description: Terms of which a node must meet one.
                              items:
                                description: Demands that a node must meet all.
                                properties:
                                  matchExpressions:
                                    description: Demands on labels.
                                    items:
                                      description: One demand on a node's label.
                                      properties:
                                        key:
                                          description: Label of the node.
                                          maxLength: 128
                                          minLength: 1
                                          pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                          type: string
                                        operator:
                                          description: How the label is compared with the values.
                                          enum:
                                          - In
                                          - NotIn
                                          - Exists
                                          - DoesNotExist
                                          - Gt
                                          - Lt
                                          type: string
                                        values:
                                          default: []
                                          description: Values to compare with.
                                          items:
                                            maxLength: 63
                                            pattern: ^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$
                                            type: string
                                          maxItems: 8
                                          type: array
                                          x-kubernetes-list-type: atomic
                                      required:
                                      - key
                                      - operator
                                      type: object
                                      x-kubernetes-validations:
                                      - fieldPath: .values
                                        message: values must be given with In and NotIn, be one with Gt
                                          and Lt, be none otherwise
                                        rule: 'self.operator in [''In'', ''NotIn''] ? size(self.values)
                                          > 0 : self.operator in [''Gt'', ''Lt''] ? size(self.values)
                                          == 1 : size(self.values) == 0'
                                    maxItems: 4
                                    minItems: 1
                                    type: array
                                    x-kubernetes-list-type: atomic
                                required:
                                - matchExpressions
                                type: object
                              maxItems: 4
                              minItems: 1
                              type: array
                              x-kubernetes-list-type: atomic
                          required:
                          - nodeSelectorTerms
                          type: object
                        preferredDuringSchedulingIgnoredDuringExecution:
                          default: []
                          description: What is preferred.
                          items:
                            description: A term that is preferred.
                            properties:
                              weight:
                                description: How much it counts.
                                maximum: 100
                                minimum: 1
                                type: integer
                              preference:
                                description: The term.
                                properties:
                                  matchExpressions:
                                    description: Demands on labels.
                                    items:
                                      description: One demand on a node's label.
                                      properties:
                                        key:
                                          description: Label of the node.
                                          maxLength: 128
                                          minLength: 1
                                          pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                          type: string
                                        operator:
                                          description: How the label is compared with the values.
                                          enum:
                                          - In
                                          - NotIn
                                          - Exists
                                          - DoesNotExist
                                          - Gt
                                          - Lt
                                          type: string
                                        values:
                                          default: []
                                          description: Values to compare with.
                                          items:
                                            maxLength: 63
                                            pattern: ^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$
                                            type: string
                                          maxItems: 8
                                          type: array
                                          x-kubernetes-list-type: atomic
                                      required:
                                      - key
                                      - operator
                                      type: object
                                      x-kubernetes-validations:
                                      - fieldPath: .values
                                        message: values must be given with In and NotIn, be one with Gt
                                          and Lt, be none otherwise
                                        rule: 'self.operator in [''In'', ''NotIn''] ? size(self.values)
                                          > 0 : self.operator in [''Gt'', ''Lt''] ? size(self.values)
                                          == 1 : size(self.values) == 0'
                                    maxItems: 4
                                    minItems: 1
                                    type: array
                                    x-kubernetes-list-type: atomic
                                required:
                                - matchExpressions
                                type: object
                            required:
                            - weight
                            - preference
                            type: object
                          maxItems: 4
                          type: array
                          x-kubernetes-list-type: atomic
                      type: object
                    podAffinity:
                      description: Pods to be near to.
                      properties:
                        requiredDuringSchedulingIgnoredDuringExecution:
                          default: []
                          description: What must hold.
                          items:
                            description: Pods of this namespace, and what counts as near them.
                            properties:
                              labelSelector:
                                description: The pods.
                                properties:
                                  matchExpressions:
                                    description: Demands on labels, which a pod must meet all.
                                    items:
                                      description: One demand on a pod's label.
                                      properties:
                                        key:
                                          description: Label of the pod.
                                          maxLength: 128
                                          minLength: 1
                                          pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                          type: string
                                        operator:
                                          description: How the label is compared with the values.
                                          enum:
                                          - In
                                          - NotIn
                                          - Exists
                                          - DoesNotExist
                                          type: string
                                        values:
                                          default: []
                                          description: Values to compare with.
                                          items:
                                            maxLength: 63
                                            pattern: ^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$
                                            type: string
                                          maxItems: 8
                                          type: array
                                          x-kubernetes-list-type: atomic
                                      required:
                                      - key
                                      - operator
                                      type: object
                                      x-kubernetes-validations:
                                      - fieldPath: .values
                                        message: values must be given with In and NotIn, be one with Gt
                                          and Lt, be none otherwise
                                        rule: 'self.operator in [''In'', ''NotIn''] ? size(self.values)
                                          > 0 : self.operator in [''Gt'', ''Lt''] ? size(self.values)
                                          == 1 : size(self.values) == 0'
                                    maxItems: 4
                                    minItems: 1
                                    type: array
                                    x-kubernetes-list-type: atomic
                                required:
                                - matchExpressions
                                type: object
                              topologyKey:
                                description: Node label whose equal values count as near, such as kubernetes.io/hostname.
                                maxLength: 128
                                minLength: 1
                                pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                type: string
                            required:
                            - labelSelector
                            - topologyKey
                            type: object
                          maxItems: 2
                          type: array
                          x-kubernetes-list-type: atomic
                        preferredDuringSchedulingIgnoredDuringExecution:
                          default: []
                          description: What is preferred.
                          items:
                            description: A term that is preferred.
                            properties:
                              weight:
                                description: How much it counts.
                                maximum: 100
                                minimum: 1
                                type: integer
                              podAffinityTerm:
                                description: The term.
                                properties:
                                  labelSelector:
                                    description: The pods.
                                    properties:
                                      matchExpressions:
                                        description: Demands on labels, which a pod must meet all.
                                        items:
                                          description: One demand on a pod's label.
                                          properties:
                                            key:
                                              description: Label of the pod.
                                              maxLength: 128
                                              minLength: 1
                                              pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                              type: string
                                            operator:
                                              description: How the label is compared with the values.
                                              enum:
                                              - In
                                              - NotIn
                                              - Exists
                                              - DoesNotExist
                                              type: string
                                            values:
                                              default: []
                                              description: Values to compare with.
                                              items:
                                                maxLength: 63
                                                pattern: ^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$
                                                type: string
                                              maxItems: 8
                                              type: array
                                              x-kubernetes-list-type: atomic
                                          required:
                                          - key
                                          - operator
                                          type: object
                                          x-kubernetes-validations:
                                          - fieldPath: .values
                                            message: values must be given with In and NotIn, be one with
                                              Gt and Lt, be none otherwise
                                            rule: 'self.operator in [''In'', ''NotIn''] ? size(self.values)
                                              > 0 : self.operator in [''Gt'', ''Lt''] ? size(self.values)
                                              == 1 : size(self.values) == 0'
                                        maxItems: 4
                                        minItems: 1
                                        type: array
                                        x-kubernetes-list-type: atomic
                                    required:
                                    - matchExpressions
                                    type: object
                                  topologyKey:
                                    description: Node label whose equal values count as near, such as
                                      kubernetes.io/hostname.
                                    maxLength: 128
                                    minLength: 1
                                    pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                    type: string
                                required:
                                - labelSelector
                                - topologyKey
                                type: object
                            required:
                            - weight
                            - podAffinityTerm
                            type: object
                          maxItems: 2
                          type: array
                          x-kubernetes-list-type: atomic
                      type: object
                    podAntiAffinity:
                      description: Pods to be away from.
                      properties:
                        requiredDuringSchedulingIgnoredDuringExecution:
                          default: []
                          description: What must hold.
                          items:
                            description: Pods of this namespace, and what counts as near them.
                            properties:
                              labelSelector:
                                description: The pods.
                                properties:
                                  matchExpressions:
                                    description: Demands on labels, which a pod must meet all.
                                    items:
                                      description: One demand on a pod's label.
                                      properties:
                                        key:
                                          description: Label of the pod.
                                          maxLength: 128
                                          minLength: 1
                                          pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                          type: string
                                        operator:
                                          description: How the label is compared with the values.
                                          enum:
                                          - In
                                          - NotIn
                                          - Exists
                                          - DoesNotExist
                                          type: string
                                        values:
                                          default: []
                                          description: Values to compare with.
                                          items:
                                            maxLength: 63
                                            pattern: ^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$
                                            type: string
                                          maxItems: 8
                                          type: array
                                          x-kubernetes-list-type: atomic
                                      required:
                                      - key
                                      - operator
                                      type: object
                                      x-kubernetes-validations:
                                      - fieldPath: .values
                                        message: values must be given with In and NotIn, be one with Gt
                                          and Lt, be none otherwise
                                        rule: 'self.operator in [''In'', ''NotIn''] ? size(self.values)
                                          > 0 : self.operator in [''Gt'', ''Lt''] ? size(self.values)
                                          == 1 : size(self.values) == 0'
                                    maxItems: 4
                                    minItems: 1
                                    type: array
                                    x-kubernetes-list-type: atomic
                                required:
                                - matchExpressions
                                type: object
                              topologyKey:
                                description: Node label whose equal values count as near, such as kubernetes.io/hostname.
                                maxLength: 128
                                minLength: 1
                                pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                type: string
                            required:
                            - labelSelector
                            - topologyKey
                            type: object
                          maxItems: 2
                          type: array
                          x-kubernetes-list-type: atomic
                        preferredDuringSchedulingIgnoredDuringExecution:
                          default: []
                          description: What is preferred.
                          items:
                            description: A term that is preferred.
                            properties:
                              weight:
                                description: How much it counts.
                                maximum: 100
                                minimum: 1
                                type: integer
                              podAffinityTerm:
                                description: The term.
                                properties:
                                  labelSelector:
                                    description: The pods.
                                    properties:
                                      matchExpressions:
                                        description: Demands on labels, which a pod must meet all.
                                        items:
                                          description: One demand on a pod's label.
                                          properties:
                                            key:
                                              description: Label of the pod.
                                              maxLength: 128
                                              minLength: 1
                                              pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                              type: string
                                            operator:
                                              description: How the label is compared with the values.
                                              enum:
                                              - In
                                              - NotIn
                                              - Exists
                                              - DoesNotExist
                                              type: string
                                            values:
                                              default: []
                                              description: Values to compare with.
                                              items:
                                                maxLength: 63
                                                pattern: ^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$
                                                type: string
                                              maxItems: 8
                                              type: array
                                              x-kubernetes-list-type: atomic
                                          required:
                                          - key
                                          - operator
                                          type: object
                                          x-kubernetes-validations:
                                          - fieldPath: .values
                                            message: values must be given with In and NotIn, be one with
                                              Gt and Lt, be none otherwise
                                            rule: 'self.operator in [''In'', ''NotIn''] ? size(self.values)
                                              > 0 : self.operator in [''Gt'', ''Lt''] ? size(self.values)
                                              == 1 : size(self.values) == 0'
                                        maxItems: 4
                                        minItems: 1
                                        type: array
                                        x-kubernetes-list-type: atomic
                                    required:
                                    - matchExpressions
                                    type: object
                                  topologyKey:
                                    description: Node label whose equal values count as near, such as
                                      kubernetes.io/hostname.
                                    maxLength: 128
                                    minLength: 1
                                    pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                                    type: string
                                required:
                                - labelSelector
                                - topologyKey
                                type: object
                            required:
                            - weight
                            - podAffinityTerm
                            type: object
                          maxItems: 2
                          type: array
                          x-kubernetes-list-type: atomic
                      type: object
                  type: object
                  default: {}
                topologySpreadConstraints:
                  default: []
                  description: How evenly this fleet's pods spread over zones or nodes.
                  items:
                    description: How evenly this fleet's pods spread; the operator adds the selector of
                      the fleet.
                    properties:
                      maxSkew:
                        default: 1
                        description: Largest difference of pods between two domains.
                        maximum: 1000
                        minimum: 1
                        type: integer
                      topologyKey:
                        description: Node label whose values are the domains, such as topology.kubernetes.io/zone.
                        maxLength: 128
                        minLength: 1
                        pattern: ^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$
                        type: string
                      whenUnsatisfiable:
                        description: DoNotSchedule keeps a pod waiting, ScheduleAnyway only prefers.
                        enum:
                        - DoNotSchedule
                        - ScheduleAnyway
                        type: string
                        default: ScheduleAnyway
                    required:
                    - topologyKey
                    type: object
                  maxItems: 4
                  type: array
                  x-kubernetes-list-type: atomic
                priorityClassName:
                  default: ''
                  description: PriorityClass of the pods. The cluster's admin lists the allowed ones in
                    the ConfigMap vibethinker-admission-policy.
                  maxLength: 253
                  pattern: ^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$
                  type: string
                runtimeClassName:
                  default: ''
                  description: RuntimeClass of the pods, such as nvidia where that is not the node's default.
                  maxLength: 253
                  pattern: ^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$
                  type: string
              type: object
              x-kubernetes-validations:
              - fieldPath: .nodeSelector
                message: 'nodeSelector: a key must be a label key of at most 128 characters'
                rule: self.nodeSelector.all(key, size(key) <= 128 && key.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'))
              default:
                nodeSelector: {}
                tolerations: []
                affinity: {}
                topologySpreadConstraints: []
                priorityClassName: ''
                runtimeClassName: ''
            resources:
              description: What the engine container asks for, and what it may use at most.
              properties:
                requests:
                  description: What the scheduler sets aside.
                  properties:
                    cpu:
                      anyOf:
                      - type: integer
                      - type: string
                      maxLength: 20
                      pattern: ^[0-9]+(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$
                      x-kubernetes-int-or-string: true
                      description: Processor time in cores, such as 4 or "500m".
                    memory:
                      anyOf:
                      - type: integer
                      - type: string
                      maxLength: 20
                      pattern: ^[0-9]+(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$
                      x-kubernetes-int-or-string: true
                      description: Memory, such as "16Gi".
                    ephemeral-storage:
                      anyOf:
                      - type: integer
                      - type: string
                      maxLength: 20
                      pattern: ^[0-9]+(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$
                      x-kubernetes-int-or-string: true
                      description: Disk of the node, such as "20Gi"; caches without a claim count here.
                  type: object
                  default: {}
                limits:
                  description: 'What the container may use at most. On CPU the memory limit is required:
                    memory in use is measured against it.'
                  properties:
                    cpu:
                      anyOf:
                      - type: integer
                      - type: string
                      maxLength: 20
                      pattern: ^[0-9]+(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$
                      x-kubernetes-int-or-string: true
                      description: Processor time in cores, such as 4 or "500m".
                    memory:
                      anyOf:
                      - type: integer
                      - type: string
                      maxLength: 20
                      pattern: ^[0-9]+(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$
                      x-kubernetes-int-or-string: true
                      description: Memory, such as "16Gi".
                    ephemeral-storage:
                      anyOf:
                      - type: integer
                      - type: string
                      maxLength: 20
                      pattern: ^[0-9]+(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$
                      x-kubernetes-int-or-string: true
                      description: Disk of the node, such as "20Gi"; caches without a claim count here.
                  type: object
                  default: {}
              type: object
              x-kubernetes-validations:
              - fieldPath: .requests.cpu
                message: requests.cpu must be <= limits.cpu
                rule: '!has(self.requests.cpu) || !has(self.limits.cpu) || quantity(string(self.requests.cpu)).compareTo(quantity(string(self.limits.cpu)))
                  <= 0'
              - fieldPath: .requests.memory
                message: requests.memory must be <= limits.memory
                rule: '!has(self.requests.memory) || !has(self.limits.memory) || quantity(string(self.requests.memory)).compareTo(quantity(string(self.limits.memory)))
                  <= 0'
              default:
                requests: {}
                limits: {}
            replicas:
              default: 1
              description: Number of replicas in modes Manual and Advisory. Mode Auto does not read it.
              format: int32
              maximum: 1000
              minimum: 0
              type: integer
          type: object
          x-kubernetes-validations:
          - fieldPath: .tokenLimits.math
            message: 'tokenLimits.math must be < engine.maxModelLen: prompt and answer share it'
            rule: '!has(self.tokenLimits.math) || self.tokenLimits.math < self.engine.maxModelLen'
          - fieldPath: .tokenLimits.code
            message: 'tokenLimits.code must be < engine.maxModelLen: prompt and answer share it'
            rule: '!has(self.tokenLimits.code) || self.tokenLimits.code < self.engine.maxModelLen'
          - fieldPath: .tokenLimits.qa
            message: 'tokenLimits.qa must be < engine.maxModelLen: prompt and answer share it'
            rule: '!has(self.tokenLimits.qa) || self.tokenLimits.qa < self.engine.maxModelLen'
          - fieldPath: .tokenLimits.others
            message: 'tokenLimits.others must be < engine.maxModelLen: prompt and answer share it'
            rule: self.tokenLimits.others.all(t, t.tokens < self.engine.maxModelLen)
          - fieldPath: .profiles
            message: profiles may list apiKeys only where auth.apiKeysSecretRef names the Secret that
              holds them
            rule: size(self.auth.apiKeysSecretRef.name) > 0 || self.profiles.all(p, size(p.apiKeys) ==
              0)
          - fieldPath: .profiles
            message: 'profiles may list each of apiKeys once: a key is bound to one profile'
            rule: self.profiles.all(p, p.apiKeys.all(k, self.profiles.exists_one(q, k in q.apiKeys)))
          - fieldPath: .sessions.trustedHeader
            message: 'sessions.trustedHeader is trusted from callers with an API key only: name the Secret
              in auth.apiKeysSecretRef'
            rule: size(self.sessions.trustedHeader) == 0 || size(self.auth.apiKeysSecretRef.name) > 0
          - fieldPath: .model.gguf
            message: model.gguf is read with engine.backend LlamaCpp only
            rule: (has(self.engine.backend) && self.engine.backend == 'LlamaCpp') || !has(self.model.gguf)
          - fieldPath: .model.quantization
            message: 'model.quantization is vLLM''s: with engine.backend LlamaCpp set model.gguf.outtype
              to Q8_0'
            rule: '!((has(self.engine.backend) && self.engine.backend == ''LlamaCpp'')) || !has(self.model.quantization)'
          - fieldPath: .model.gguf
            message: model.gguf is required with engine.backend LlamaCpp, unless source is Volume and
              model.volume.path names a .gguf file
            rule: '!((has(self.engine.backend) && self.engine.backend == ''LlamaCpp'')) || has(self.model.gguf)
              || (self.model.source == ''Volume'' && self.model.volume.path.lowerAscii().endsWith(''.gguf''))'
          - fieldPath: .resources.limits.memory
            message: 'resources.limits.memory is required with engine.device CPU: memory in use is measured
              against it'
            rule: self.engine.device != 'CPU' || has(self.resources.limits.memory)
          - fieldPath: .resources.limits.memory
            message: 'resources.limits.memory must be > engine.kvCacheMemoryBytes: the engine needs memory
              beside its KV cache'
            rule: self.engine.device != 'CPU' || !has(self.resources.limits.memory) || !has(self.engine.kvCacheMemoryBytes)
              || sign(quantity(string(self.resources.limits.memory)).sub(self.engine.kvCacheMemoryBytes))
              > 0
        status:
          description: What the operator observed and decided.
          properties:
            observedGeneration:
              minimum: 0
              type: integer
              description: Generation of the spec that this status is about.
            conditions:
              items:
                description: One answer about the fleet.
                properties:
                  type:
                    description: What is answered, such as Ready.
                    maxLength: 64
                    pattern: ^[A-Z][A-Za-z0-9]*$
                    type: string
                  status:
                    description: True, False or Unknown.
                    enum:
                    - 'True'
                    - 'False'
                    - Unknown
                    type: string
                  observedGeneration:
                    minimum: 0
                    type: integer
                    description: Generation of the spec that the answer is about.
                  lastTransitionTime:
                    description: When status last changed.
                    format: date-time
                    type: string
                  reason:
                    description: Why, in one word for programs.
                    maxLength: 128
                    minLength: 1
                    pattern: ^[A-Z][A-Za-z0-9]*$
                    type: string
                  message:
                    description: Why, in a sentence for people.
                    maxLength: 4096
                    type: string
                required:
                - type
                - status
                - lastTransitionTime
                - reason
                - message
                type: object
              maxItems: 32
              type: array
              x-kubernetes-list-map-keys:
              - type
              x-kubernetes-list-type: map
              description: Answers about the fleet; Ready sums them up.
            replicas:
              maximum: 100000
              minimum: 0
              type: integer
              description: Pods that exist.
            desiredReplicas:
              maximum: 100000
              minimum: 0
              type: integer
              description: Pods that should exist.
            readyReplicas:
              maximum: 100000
              minimum: 0
              type: integer
              description: Pods that serve.
            selector:
              maxLength: 512
              type: string
              description: Label selector of the pods, for the scale subresource.
            url:
              maxLength: 512
              type: string
              description: Base address for OpenAI clients inside the cluster.
            engine:
              description: The engine's settings in effect.
              properties:
                image:
                  maxLength: 255
                  type: string
                  description: Engine image of the pods.
                packageImage:
                  maxLength: 255
                  type: string
                  description: Image that our server package is copied from.
                model:
                  maxLength: 512
                  type: string
                  description: Repository, or path in the volume.
                device:
                  description: What the engine computes on.
                  enum:
                  - GPU
                  - CPU
                  type: string
                dtype:
                  description: Number format.
                  enum:
                  - Float16
                  - BFloat16
                  - Float32
                  type: string
                blockSize:
                  maximum: 100000
                  minimum: 0
                  type: integer
                  description: Tokens in one block of KV cache.
                maxModelLen:
                  minimum: 0
                  type: integer
                  description: Longest sequence in tokens.
                maxNumSeqs:
                  maximum: 100000
                  minimum: 0
                  type: integer
                  description: Sequences that one replica can run at once.
                maxNumBatchedTokens:
                  minimum: 0
                  type: integer
                  description: Tokens in one step.
                kvCacheMemoryBytes:
                  minimum: 0
                  type: integer
                  description: Size of the KV cache, where it is set and not computed by vLLM.
                gpuMemoryUtilizationPercentage:
                  maximum: 200
                  minimum: 0
                  type: integer
                  description: Share of the card that vLLM reserves, where that is what sizes the KV cache.
              type: object
            memory:
              description: Memory of the fleet.
              properties:
                usedPercentage:
                  maximum: 200
                  minimum: 0
                  type: integer
                  description: 'Memory in use without the idle part of the KV cache: what the line is
                    about.'
                rawPercentage:
                  maximum: 200
                  minimum: 0
                  type: integer
                  description: 'Memory in use as the device reports it: vLLM reserves its share at start,
                    so this hardly moves.'
                knownPods:
                  maximum: 100000
                  minimum: 0
                  type: integer
                  description: Ready pods whose memory is known.
              type: object
            fit:
              description: What one replica holds on its card.
              properties:
                source:
                  description: Whether it is computed from the spec, or a pod's engine told it.
                  enum:
                  - Spec
                  - Measured
                  type: string
                weights:
                  maxLength: 32
                  type: string
                  description: Memory of the weights, such as 2.88 GiB.
                kvBytesPerToken:
                  minimum: 0
                  type: integer
                  description: KV cache that each token of context takes, in bytes.
                tokens:
                  minimum: 0
                  type: integer
                  description: Tokens that the KV cache holds.
                sequences:
                  minimum: 0
                  type: integer
                  description: Sequences of engine.maxModelLen that it holds at once.
              type: object
            requestQueueLength:
              minimum: 0
              type: integer
              description: Requests that wait, over the known ready pods.
            decision:
              description: The last decision that changed anything.
              properties:
                rule:
                  maxLength: 64
                  pattern: ^([A-Za-z][A-Za-z0-9]*)?$
                  type: string
                  description: Rule that settled it.
                reason:
                  maxLength: 64
                  pattern: ^([A-Za-z][A-Za-z0-9]*)?$
                  type: string
                  description: Why, in one word for programs.
                message:
                  maxLength: 1024
                  type: string
                  description: Why, in a sentence for people, with the numbers and what would change it.
                desiredReplicas:
                  maximum: 100000
                  minimum: 0
                  type: integer
                  description: Replicas decided on.
                time:
                  format: date-time
                  type: string
                  description: When it was decided.
                inputs:
                  maxProperties: 32
                  type: object
                  description: Numbers it was computed from, by name (memoryNeed, queueNeed, ...), if
                    known.
                  additionalProperties:
                    maxLength: 64
                    type: string
              type: object
            streak:
              description: A line that is being crossed.
              properties:
                signal:
                  maxLength: 64
                  pattern: ^([A-Za-z][A-Za-z0-9]*)?$
                  type: string
                  description: What crossed its line.
                since:
                  format: date-time
                  type: string
                  description: When it was first seen above the line.
                lastSeen:
                  format: date-time
                  type: string
                  description: When it was last seen above the line.
              type: object
            start:
              description: The starting pod that has come least far.
              properties:
                pod:
                  maxLength: 253
                  type: string
                  description: Name of the pod.
                phase:
                  description: How far it has come.
                  enum:
                  - Unschedulable
                  - PullingImage
                  - DownloadingModel
                  - PreparingModel
                  - StartingEngine
                  - WarmingUp
                  type: string
                progressPercentage:
                  maximum: 200
                  minimum: 0
                  type: integer
                  description: 'Share of the phase that is done, in steps of five, where it is known:
                    of the weights that a Job writes.'
                since:
                  format: date-time
                  type: string
                  description: When the phase began.
              type: object
          type: object
      x-kubernetes-validations:
      - fieldPath: .metadata.name
        message: 'metadata.name must have at most 40 characters, a-z, 0-9 and ''-'', and start with a
          letter: the names of its Service and other objects are made from it'
        rule: self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <=
          40
  subresources:
    status: {}
    scale:
      specReplicasPath: .spec.replicas
      statusReplicasPath: .status.replicas
      labelSelectorPath: .status.selector
  additionalPrinterColumns:
  - name: Ready
    type: string
    jsonPath: .status.conditions[?(@.type=="Ready")].status
    priority: 0
  - name: Reason
    type: string
    jsonPath: .status.conditions[?(@.type=="Ready")].reason
    priority: 0
  - name: Replicas
    type: integer
    jsonPath: .status.replicas
    priority: 0
  - name: Desired
    type: integer
    jsonPath: .status.desiredReplicas
    priority: 0
  - name: Memory%
    type: integer
    jsonPath: .status.memory.usedPercentage
    priority: 0
  - name: Queue
    type: integer
    jsonPath: .status.requestQueueLength
    priority: 0
  - name: Age
    type: date
    jsonPath: .metadata.creationTimestamp
    priority: 0
  - name: Model
    type: string
    jsonPath: .status.engine.model
    priority: 1
  - name: Min
    type: integer
    jsonPath: .spec.scaling.minReplicas
    priority: 1
  - name: Max
    type: integer
    jsonPath: .spec.scaling.maxReplicas
    priority: 1
  - name: URL
    type: string
    jsonPath: .status.url
    priority: 1
  - name: Message
    type: string
    jsonPath: .status.conditions[?(@.type=="Ready")].message
    priority: 1
{{- end }}
