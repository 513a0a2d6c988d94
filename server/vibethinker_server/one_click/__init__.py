"""A start without Kubernetes: for one machine and a person what the operator does for a pod."""
