{{- /* What gives the operator's account a role; `namespace` is empty for a ClusterRoleBinding. */}}
{{- define "vibethinker.binding" -}}
{{- $kind := ternary "Role" "ClusterRole" (ne .namespace "") }}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "vibethinker.releaseLabels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "vibethinker.name" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{- define "vibethinker.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ ternary "Role" "ClusterRole" (ne .namespace "") }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "vibethinker.releaseLabels" .root | nindent 4 }}
{{- end }}
