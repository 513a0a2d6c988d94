"""What the watches have brought, and when a resource counts as known."""

from vibethinker_operator.inventory import Inventory

from tests.unit.operating.builders import Body, make_body, make_deployment, make_pod


class Watches:
    """Three kopf indexes: under each key the bodies of it."""

    def __init__(self) -> None:
        self.resources: dict[object, list[Body]] = {}
        self.deployments: dict[object, list[Body]] = {}
        self.pods: dict[object, list[Body]] = {}
        self.jobs: dict[object, list[Body]] = {}
        self.inventory = Inventory(self.resources, self.deployments, self.pods, self.jobs)

    def add(self, uid: str, name: str, *pods: Body, deployed: bool = True) -> None:
        body = make_body(name=name, uid=uid)
        self.resources[uid] = [body]
        self.pods["team", name] = list(pods)
        if deployed:
            self.deployments["team", name] = [make_deployment(body, len(pods))]


def test_a_resource_is_listed_after_its_first_event_and_not_before():
    watches = Watches()
    watches.add("u1", "chat", make_pod())
    assert watches.inventory.snapshots() == []
    watches.inventory.take_up("u1")
    assert [snapshot.uid for snapshot in watches.inventory.snapshots()] == ["u1"]


def test_it_comes_with_its_own_children_and_nobody_elses():
    watches = Watches()
    watches.add("u1", "chat", make_pod("a"), make_pod("b"))
    watches.add("u2", "code", make_pod("c"))
    for uid in ("u2", "u1"):
        watches.inventory.take_up(uid)
    chat, code = watches.inventory.snapshots()
    assert (chat.key, code.key) == (("team", "chat"), ("team", "code"))
    assert [pod["metadata"]["uid"] for pod in chat.pods] == ["a", "b"]
    assert [pod["metadata"]["uid"] for pod in code.pods] == ["c"]
    assert chat.deployment == watches.deployments["team", "chat"][0]


def test_without_children_it_is_listed_all_the_same():
    watches = Watches()
    watches.add("u1", "chat", deployed=False)
    watches.inventory.take_up("u1")
    (snapshot,) = watches.inventory.snapshots()
    assert (snapshot.deployment, snapshot.pods) == (None, ())


def test_it_is_a_live_view():
    watches = Watches()
    watches.add("u1", "chat")
    watches.inventory.take_up("u1")
    watches.add("u1", "chat", make_pod("a"))
    assert len(watches.inventory.snapshots()[0].pods) == 1


def test_a_deleted_resource_is_forgotten_by_its_event_or_by_its_index():
    watches = Watches()
    for uid, name in (("u1", "chat"), ("u2", "code")):
        watches.add(uid, name)
        watches.inventory.take_up(uid)
    watches.inventory.drop("u1")
    watches.inventory.drop("u1")
    del watches.resources["u2"]
    assert watches.inventory.snapshots() == []


def test_a_namesake_made_anew_is_another_resource():
    watches = Watches()
    watches.add("u1", "chat")
    watches.inventory.take_up("u1")
    del watches.resources["u1"]
    watches.add("u2", "chat")
    assert watches.inventory.snapshots() == []
    watches.inventory.take_up("u2")
    assert [snapshot.uid for snapshot in watches.inventory.snapshots()] == ["u2"]
