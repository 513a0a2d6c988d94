"""A finding as a container's termination message, which the pod's status then holds. Pure.

Written by the engine's own process and read by the operator: what comes back is anybody's text.
"""

import json

from vibethinker_doctor.finding import Finding, Severity, Value
from vibethinker_doctor.words import EVIDENCE_LIMIT

KEY = "vibethinkerFinding"
"""The one key of the document: no other program's message has it."""
CODE_LIMIT = 64


def encode_finding(finding: Finding) -> str:
    """Returns the finding as one line of JSON, well within the kubelet's 4096 bytes."""
    document = {
        "code": finding.code,
        "cause": finding.cause,
        "evidence": finding.evidence,
        "remedy": finding.remedy,
        "field": finding.field,
        "value": finding.value,
        "severity": finding.severity.value,
    }
    return json.dumps({KEY: document}, ensure_ascii=False)


def decode_finding(message: str) -> Finding | None:
    """Returns the finding in a termination message; None where it holds none. Never raises."""
    try:
        document = json.loads(message)[KEY]
        texts = {name: _text(document[name]) for name in ("cause", "evidence", "remedy")}
        code, field = str(document["code"]), document["field"]
        severity = Severity(document["severity"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not (code.isascii() and code.isalnum() and code[0].isalpha()) or len(code) > CODE_LIMIT:
        return None
    return Finding(
        code=code,
        cause=texts["cause"],
        evidence=texts["evidence"],
        remedy=texts["remedy"],
        field=field[:CODE_LIMIT] if isinstance(field, str) else None,
        value=_value(document.get("value")),
        severity=severity,
    )


def _text(value: object) -> str:
    return str(value)[:EVIDENCE_LIMIT]


def _value(value: object) -> Value | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return value[:CODE_LIMIT] if isinstance(value, str) else value
