{{- /* Names are fixed: one release serves a cluster, and is found where its manifests put it. */}}
{{- define "vibethinker.name" -}}
vibethinker-operator
{{- end }}

{{- define "vibethinker.releaseLabels" -}}
{{ include "vibethinker.labels" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "vibethinker.image" -}}
{{- $image := .image }}
{{- $name := $image.repository }}
{{- with $image.registry }}{{ $name = printf "%s/%s" . $name }}{{ end }}
{{- if $image.digest }}{{ printf "%s@%s" $name $image.digest }}
{{- else }}{{ printf "%s:%s" $name (default .defaultTag $image.tag) }}
{{- end }}
{{- end }}

{{- define "vibethinker.watchedNamespaces" -}}
{{- if eq .Values.scope "namespaced" }}
{{- default (list .Release.Namespace) .Values.watchNamespaces | uniq | join "," }}
{{- end }}
{{- end }}

{{- define "vibethinker.lines" -}}
{{- range . }}{{ printf "%s\n" . }}{{ end }}
{{- end }}

{{- define "vibethinker.environment" -}}
{{- $appVersion := .Chart.AppVersion }}
- name: OPERATOR_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: VIBETHINKER_PACKAGE_IMAGE
  value: {{ include "vibethinker.image" (dict "image" .Values.serverImage "defaultTag" $appVersion) | quote }}
{{- range $device, $image := .Values.defaultEngineImage }}
{{- if $image.repository }}
- name: VIBETHINKER_ENGINE_IMAGE_{{ upper (snakecase $device) }}
  value: {{ include "vibethinker.image" (dict "image" $image "defaultTag" "") | quote }}
{{- end }}
{{- end }}
{{- with include "vibethinker.watchedNamespaces" . }}
- name: VIBETHINKER_NAMESPACES
  value: {{ . | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
