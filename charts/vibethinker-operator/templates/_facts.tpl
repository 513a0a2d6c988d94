{{- /* Written by `make generate` from operator/vibethinker_operator: change it there. */}}
{{- define "vibethinker.labels" -}}
app.kubernetes.io/name: vibethinker-operator
app.kubernetes.io/part-of: vibethinker
{{- end }}
{{- define "vibethinker.deployment" -}}
replicas: 1
strategy:
  type: Recreate
selector:
  matchLabels:
    app.kubernetes.io/name: vibethinker-operator
{{- end }}
{{- define "vibethinker.tolerations" -}}
- key: node.kubernetes.io/not-ready
  operator: Exists
  effect: NoExecute
  tolerationSeconds: 30
- key: node.kubernetes.io/unreachable
  operator: Exists
  effect: NoExecute
  tolerationSeconds: 30
{{- end }}
{{- define "vibethinker.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- end }}
{{- define "vibethinker.pod" -}}
serviceAccountName: vibethinker-operator
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
enableServiceLinks: false
terminationGracePeriodSeconds: 30
{{- end }}
{{- define "vibethinker.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- end }}
{{- define "vibethinker.container" -}}
name: operator
ports:
- name: health
  containerPort: 8080
- name: metrics
  containerPort: 9090
startupProbe:
  httpGet:
    path: /healthz
    port: health
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet:
    path: /healthz
    port: health
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet:
    path: /healthz
    port: health
  periodSeconds: 5
  timeoutSeconds: 5
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop:
    - ALL
  readOnlyRootFilesystem: true
{{- end }}
{{- define "vibethinker.fleetRules" -}}
- apiGroups:
  - vibethinker.io
  resources:
  - vibethinkerdeployments
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - vibethinker.io
  resources:
  - vibethinkerdeployments/status
  verbs:
  - patch
- apiGroups:
  - apps
  resources:
  - deployments
  verbs:
  - get
  - list
  - watch
  - create
  - patch
- apiGroups:
  - apps
  resources:
  - deployments/scale
  verbs:
  - get
  - patch
- apiGroups:
  - ''
  resources:
  - pods
  verbs:
  - list
  - watch
  - patch
- apiGroups:
  - ''
  resources:
  - configmaps
  verbs:
  - create
  - patch
- apiGroups:
  - ''
  resources:
  - services
  verbs:
  - create
  - patch
- apiGroups:
  - ''
  resources:
  - secrets
  verbs:
  - create
- apiGroups:
  - ''
  resources:
  - events
  verbs:
  - create
- apiGroups:
  - batch
  resources:
  - jobs
  verbs:
  - list
  - watch
  - create
- apiGroups:
  - policy
  resources:
  - poddisruptionbudgets
  verbs:
  - create
  - patch
{{- end }}
{{- define "vibethinker.ownRules" -}}
- apiGroups:
  - ''
  resources:
  - secrets
  verbs:
  - get
  resourceNames:
  - vibethinker-operator-root
{{- end }}
{{- define "vibethinker.viewRole" -}}
labels:
  rbac.authorization.k8s.io/aggregate-to-view: 'true'
rules:
- apiGroups:
  - vibethinker.io
  resources:
  - vibethinkerdeployments
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - vibethinker.io
  resources:
  - vibethinkerdeployments/status
  verbs:
  - get
{{- end }}
{{- define "vibethinker.editRole" -}}
labels:
  rbac.authorization.k8s.io/aggregate-to-edit: 'true'
  rbac.authorization.k8s.io/aggregate-to-admin: 'true'
rules:
- apiGroups:
  - vibethinker.io
  resources:
  - vibethinkerdeployments
  verbs:
  - create
  - update
  - patch
  - delete
  - deletecollection
- apiGroups:
  - vibethinker.io
  resources:
  - vibethinkerdeployments/scale
  verbs:
  - get
  - update
  - patch
{{- end }}
{{- define "vibethinker.metricsService" -}}
selector:
  app.kubernetes.io/name: vibethinker-operator
ports:
- name: metrics
  port: 9090
  targetPort: metrics
- name: health
  port: 8080
  targetPort: health
{{- end }}
{{- define "vibethinker.admissionPolicy" -}}
failurePolicy: Fail
paramKind:
  apiVersion: v1
  kind: ConfigMap
matchConstraints:
  resourceRules:
  - apiGroups:
    - vibethinker.io
    apiVersions:
    - '*'
    operations:
    - CREATE
    - UPDATE
    resources:
    - vibethinkerdeployments
matchConditions:
- name: spec-changed
  expression: request.operation == 'CREATE' || object.spec != oldObject.spec
variables:
- name: images
  expression: 'has(params.data) && ''allowedImagePrefixes'' in params.data ? params.data[''allowedImagePrefixes''].split(''\n'').map(line,
    line.trim()).filter(line, line != '''') : []'
- name: endpoints
  expression: 'has(params.data) && ''allowedEndpoints'' in params.data ? params.data[''allowedEndpoints''].split(''\n'').map(line,
    line.trim()).filter(line, line != '''') : []'
- name: priorityClasses
  expression: 'has(params.data) && ''allowedPriorityClasses'' in params.data ? params.data[''allowedPriorityClasses''].split(''\n'').map(line,
    line.trim()).filter(line, line != '''') : []'
validations:
- expression: object.spec.engine.image == '' || variables.images.exists(entry, object.spec.engine.image
    == entry || object.spec.engine.image.startsWith(entry + '/') || object.spec.engine.image.startsWith(entry
    + ':') || object.spec.engine.image.startsWith(entry + '@') || entry.endsWith('/') && object.spec.engine.image.startsWith(entry))
  messageExpression: '''spec.engine.image "'' + object.spec.engine.image + ''" is not allowed: the cluster
    admin allows ['' + variables.images.join('', '') + ''] (allowedImagePrefixes in ConfigMap {{ .Release.Namespace }}/vibethinker-admission-policy)'''
  reason: Forbidden
- expression: object.spec.model.endpoint == '' || object.spec.model.endpoint in variables.endpoints
  messageExpression: '''spec.model.endpoint "'' + object.spec.model.endpoint + ''" is not allowed: the
    cluster admin allows ['' + variables.endpoints.join('', '') + ''] (allowedEndpoints in ConfigMap {{ .Release.Namespace }}/vibethinker-admission-policy)'''
  reason: Forbidden
- expression: object.spec.scheduling.priorityClassName == '' || object.spec.scheduling.priorityClassName
    in variables.priorityClasses
  messageExpression: '''spec.scheduling.priorityClassName "'' + object.spec.scheduling.priorityClassName
    + ''" is not allowed: the cluster admin allows ['' + variables.priorityClasses.join('', '') + '']
    (allowedPriorityClasses in ConfigMap {{ .Release.Namespace }}/vibethinker-admission-policy)'''
  reason: Forbidden
{{- end }}
{{- define "vibethinker.admissionPolicyBinding" -}}
policyName: vibethinkerdeployments.vibethinker.io
validationActions:
- Deny
paramRef:
  name: vibethinker-admission-policy
  namespace: {{ .Release.Namespace }}
  parameterNotFoundAction: Deny
{{- end }}
