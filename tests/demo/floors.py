"""What each claim demands at least: the floors of the demo, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Floors:
    """Ratios go from 0 to 1, times are seconds.

    `line`, `sustained_seconds` and `queue_limit` are the product's own defaults: the demo's custom
    resource overrides nothing in `saturation`.
    """

    line: float = 0.75
    sustained_seconds: float = 10.0
    queue_limit: int = 4
    # A recording with longer holes shows nothing about the time in between.
    longest_gap_seconds: float = 5.0
    idle_sustained_times: float = 2.0
    # Share of the readings before the growing decision that stand above the line.
    above_line_share: float = 0.8
    # How late the status may name the decision that moved the replicas.
    decision_late_seconds: float = 15.0
    # The raw ratio "never moves": from idle to full at most this.
    raw_moves: float = 0.05
    new_replica_seconds: float = 60.0
    new_replica_share: float = 0.30
    new_replica_requests: int = 10
    refused_sessions: int = 50
    shortest_retry_seconds: int = 1
    longest_retry_seconds: int = 60
    known_sessions: int = 24
    known_turns: int = 3
    first_try_share: float = 0.98
    most_attempts: int = 2
    victim_streams: int = 4
    idle_live: float = 0.45


FLOORS = Floors()
