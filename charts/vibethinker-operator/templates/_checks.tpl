{{- /* What would go wrong, said before anything is written. `helm template` asks no cluster: only
       a real one has the group apiregistration.k8s.io, so nothing is judged by its absence there. */}}
{{- define "vibethinker.checks" -}}
{{- include "vibethinker.checkEngineImages" . }}
{{- include "vibethinker.checkScope" . }}
{{- if .Capabilities.APIVersions.Has "apiregistration.k8s.io/v1" }}
{{- include "vibethinker.checkOtherRelease" . }}
{{- include "vibethinker.checkCustomResourceDefinition" . }}
{{- include "vibethinker.checkWatchedNamespaces" . }}
{{- end }}
{{- end }}

{{- define "vibethinker.checkEngineImages" -}}
{{- range $device, $image := .Values.defaultEngineImage }}
{{- if and $image.repository (not $image.tag) (not $image.digest) }}
{{- fail (printf "defaultEngineImage.%s: a tag or a digest is required: name the version that fleets are to run" $device) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vibethinker.checkScope" -}}
{{- if and (eq .Values.scope "cluster") .Values.watchNamespaces }}
{{- fail (printf "watchNamespaces is [%s] with scope=cluster, which watches every namespace: set scope=namespaced, or leave watchNamespaces empty" (join ", " .Values.watchNamespaces)) }}
{{- end }}
{{- end }}

{{- /* Where an operator is: whom the cluster-wide rights are given to, and who owns the CRD. */}}
{{- define "vibethinker.checkOtherRelease" -}}
{{- $namespaces := list }}
{{- if eq .Values.scope "cluster" }}
{{- $binding := lookup "rbac.authorization.k8s.io/v1" "ClusterRoleBinding" "" (include "vibethinker.name" .) | default dict }}
{{- range dig "subjects" list $binding }}{{ $namespaces = append $namespaces .namespace }}{{ end }}
{{- end }}
{{- if .Values.crds.enabled }}
{{- $crd := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "vibethinkerdeployments.vibethinker.io" | default dict }}
{{- with dig "metadata" "annotations" "meta.helm.sh/release-namespace" "" $crd }}{{ $namespaces = append $namespaces . }}{{ end }}
{{- end }}
{{- range uniq $namespaces }}
{{- include "vibethinker.checkOperatorIn" (dict "namespace" . "root" $) }}
{{- end }}
{{- end }}

{{- define "vibethinker.checkOperatorIn" -}}
{{- $here := .root.Release }}
{{- with lookup "apps/v1" "Deployment" .namespace (include "vibethinker.name" .root) }}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" . }}
{{- if or (ne .metadata.namespace $here.Namespace) (and $owner (ne $owner $here.Name)) }}
{{- $found := ternary (printf "release %q" $owner) "without Helm" (ne $owner "") }}
{{- fail (printf "this cluster already has the VibeThinker operator: Deployment %s/%s, installed %s. Two would scale the same fleets against each other: upgrade that one, or uninstall it first" .metadata.namespace .metadata.name $found) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vibethinker.checkCustomResourceDefinition" -}}
{{- if not (or .Values.crds.enabled (.Capabilities.APIVersions.Has "vibethinker.io/v1alpha1/VibeThinkerDeployment")) }}
{{- fail "crds.enabled is false, and this cluster has no CustomResourceDefinition vibethinkerdeployments.vibethinker.io: have it installed first (kubectl apply --server-side -f manifests/crd), or set crds.enabled=true" }}
{{- end }}
{{- end }}

{{- define "vibethinker.checkWatchedNamespaces" -}}
{{- if eq .Values.scope "namespaced" }}
{{- range without .Values.watchNamespaces .Release.Namespace }}
{{- if not (lookup "v1" "Namespace" "" .) }}
{{- fail (printf "watchNamespaces: there is no namespace %q: create it first, or take it off the list" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
