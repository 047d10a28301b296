{{/* What a schema cannot say: values that do not go together, each with its mend. */}}
{{- define "longwire.check" -}}
{{- $stop := .Values.shutdown -}}
{{- $needed := add $stop.preStopSeconds $stop.lameDuckSeconds $stop.graceSeconds 5 -}}
{{- if lt (int $stop.terminationGracePeriodSeconds) (int $needed) -}}
{{- fail (printf "shutdown.terminationGracePeriodSeconds is %d, so that Kubernetes would kill a node with turns under way: preStopSeconds + lameDuckSeconds + graceSeconds + 5 are %d; raise it to that" (int $stop.terminationGracePeriodSeconds) (int $needed)) -}}
{{- end -}}
{{- if not .Values.secret.existingSecret -}}
{{- if not .Values.secret.databaseUrl -}}
{{- fail "secret.databaseUrl is empty: nodes share a PostgreSQL; set it, or name a Secret that has database-url in secret.existingSecret" -}}
{{- end -}}
{{- if not (regexMatch "^postgres(ql)?://" .Values.secret.databaseUrl) -}}
{{- fail "secret.databaseUrl is no PostgreSQL: pods come and go, and a SQLite file with them; write postgresql://user:password@host/name" -}}
{{- end -}}
{{- if not .Values.secret.secretKey -}}
{{- fail "secret.secretKey is empty: each node would make one of its own, and none could read what another encrypted; set it to what `openssl rand -base64 32` prints" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.gateway.enabled (not .Values.gateway.parentRefs) -}}
{{- fail "gateway.parentRefs is empty: name the Gateway that the route belongs to, as [{name: public, namespace: envoy-gateway-system}]" -}}
{{- end -}}
{{- end -}}
