from tests.bench.connections.shares import Answered, compute_shares


def answers(*pairs: tuple[float, str]) -> list[Answered]:
    return [Answered(sent, pod) for sent, pod in pairs]


def test_the_new_replicas_share_counts_from_its_ready_on():
    rows = answers((0, "old"), (5, "old"), (12, "new"), (21, "new"), (22, "old"), (61, "new"))
    shares = compute_shares(rows, grown=10, ready=20, within_seconds=30)
    assert shares["before"] == {"old": 2}
    assert shares["after"] == {"new": 1, "old": 1}
    assert shares["new_share"] == 0.5


def test_without_an_answer_after_ready_the_share_is_unknown():
    assert compute_shares([], grown=1, ready=2, within_seconds=30)["new_share"] is None


def test_an_old_replica_is_never_the_new_one():
    rows = answers((0, "a"), (0, "b"), (21, "a"), (21, "b"))
    assert compute_shares(rows, grown=10, ready=20, within_seconds=30)["new_share"] == 0.0
