"""The installation as YAML: CRD, rights, the operator itself, admission policy, samples.

    python -m vibethinker_operator.manifests DIRECTORY

writes the tree that is committed under manifests/; a contract test compares the two.
"""

from vibethinker_operator.manifests.tree import render_tree

__all__ = ["render_tree"]
