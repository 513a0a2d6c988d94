"""The operator: watches fleets of vLLM server pods and keeps them below a line of live memory."""
