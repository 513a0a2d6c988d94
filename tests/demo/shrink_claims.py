"""The claim on shrinking: the marked replica leaves, and nobody on it is cut off."""

from tests.demo.claim import Check, Findings, NotShownError, listed
from tests.demo.floors import Floors
from tests.demo.recording import OK, Recording, is_complete
from tests.demo.rows import Request


def scaled_in_without_cut(recording: Recording, floors: Floors) -> Findings:
    """The load left, one replica went, and every stream on it ran to its end."""
    mark = recording.mark
    if mark is None:
        if recording.at_max is None:
            raise NotShownError("the fleet never grew, so there was nothing to take away")
        return [Check(False, "no replica was marked to leave")], {}
    streams = [
        request
        for request in recording.requests
        if request.pod == mark.pod
        and request.first_byte is not None
        and request.first_byte <= mark.time < request.end
    ]
    after = [request for request in recording.requests if request.end > mark.time]
    cut = [request for request in after if _is_cut(request)]
    ended = sum(is_complete(request) for request in streams)
    unanswered = [
        turn
        for turn in recording.turns
        if turn.sent > mark.time
        and recording.is_known(turn.attempts[0])
        and not (turn.answered and len(turn.attempts) <= floors.most_attempts)
    ]
    last = recording.sweeps[-1]
    left = {row.pod for row in last}
    gone = {row.pod for row in recording.samples if row.time >= mark.time} - left
    wanted = floors.victim_streams
    checks = [
        Check(
            len(streams) >= wanted,
            f"{len(streams)} streams ran on the replica when it was marked, at least {wanted}",
        ),
        Check(ended == len(streams), f"{ended} of them ended by stop or length"),
        Check(not cut, f"{len(cut)} requests were cut or lost after the mark"),
        Check(not unanswered, f"{len(unanswered)} turns after it not answered at the second try"),
        Check(
            last[0].desired == 1 and len(last) == 1 and last[0].ready,
            f"at the end {last[0].desired} replica was asked for and {len(last)} was there",
        ),
        Check(gone == {mark.pod}, f"the replica that left is the one marked: {listed(gone)}"),
    ]
    last_seen = max(row.time for row in recording.samples if row.pod == mark.pod)
    return checks, {
        "streams_on_victim": len(streams),
        "streams_ended": ended,
        "cut_after_mark": len(cut),
        "seconds_from_mark_to_gone": last_seen - mark.time,
    }


def _is_cut(request: Request) -> bool:
    """A stream that began and did not end, or a request that nobody answered."""
    return request.status is None or (request.status == OK and not is_complete(request))
