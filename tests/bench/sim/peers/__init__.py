"""Other autoscalers, written anew from what their sources do, to compare ours with.

`golden/` holds what the real ones of Kubernetes and Knative answered; tests/unit/bench hold the
ports to it. No code of theirs is here.
"""
