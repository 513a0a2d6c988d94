"""The programs of the box in the order they start: their arguments, files and readiness."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.layout import (
    API_PORT,
    API_SERVICE_ADDRESS,
    CONTAINERD_RUN,
    CONTAINERD_SOCKET,
    ETCD_URL,
    NODE_ADDRESS,
    POD_RANGE,
    SERVICE_RANGE,
    Layout,
)
from tests.cluster.pki import make_authority, new_user, write_kubeconfig, write_tokens

PAUSE_IMAGE = "vibethinker.io/pause:test"
CNI_PROGRAMS = "/usr/lib/cni"


@dataclass(frozen=True)
class Component:
    """One program of the box.

    Attributes:
        name: what `Box.control` and the log file call it.
        argv: the program and its arguments.
        ready_url: answers 200 once the program serves; "" is not asked.
        ready_authority: signs the certificate of an https `ready_url`.
        ready_socket: exists once the program serves; None is not looked for.
    """

    name: str
    argv: tuple[str, ...]
    ready_url: str = ""
    ready_authority: Path | None = None
    ready_socket: Path | None = None


def write_files(layout: Layout) -> None:
    """Write keys, kubeconfigs and configuration files for `components`."""
    for directory in (layout.pki, layout.config, layout.logs, layout.config / "cni"):
        directory.mkdir(parents=True, exist_ok=True)
    _write_identities(layout)
    files = {
        "containerd.toml": _containerd_config(layout),
        "cni/10-pods.conflist": json.dumps(_network(layout)),
        "kubelet.json": json.dumps(_kubelet_config(layout)),
        "kube-proxy.json": json.dumps(_proxy_config(layout)),
        "audit.json": json.dumps(audit_policy()),
    }
    for name, text in files.items():
        (layout.config / name).write_text(text)


def _write_identities(layout: Layout) -> None:
    authority = make_authority(layout.pki)
    names = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost"
    addresses = f"IP:{NODE_ADDRESS},IP:{API_SERVICE_ADDRESS},IP:127.0.0.1"
    authority.issue("apiserver", "/CN=kube-apiserver", f"{names},{addresses}")
    authority.issue("kubelet", f"/CN={layout.name}", f"DNS:{layout.name},IP:{NODE_ADDRESS}")
    authority.issue("kubelet-client", "/O=system:masters/CN=kube-apiserver")
    node = f"system:node:{layout.name}"
    users = {
        layout.kubeconfig: new_user("admin", "system:masters"),
        layout.pki / "kubelet.kubeconfig": new_user(node, "system:nodes"),
        **{
            layout.pki / f"{name}.kubeconfig": new_user(f"system:{name}", "")
            for name in ("kube-controller-manager", "kube-scheduler")
        },
        layout.pki / "kube-proxy.kubeconfig": new_user("system:kube-proxy", "system:node-proxier"),
    }
    write_tokens(layout.pki / "tokens.csv", list(users.values()))
    for path, user in users.items():
        server = f"https://{NODE_ADDRESS}:{API_PORT}"
        write_kubeconfig(path, server, authority.certificate, user)


def components(layout: Layout, programs: Path) -> list[Component]:
    """Return the box's programs in the order in which each needs those before it.

    Args:
        layout: where the files of `write_files` are.
        programs: the directory of `kubernetes_binaries`.
    """
    return [
        _etcd(layout),
        Component(
            "containerd",
            ("containerd", "--config", str(layout.config / "containerd.toml")),
            ready_socket=CONTAINERD_SOCKET,
        ),
        _apiserver(layout, programs),
        _controller_manager(layout, programs),
        Component(
            "kube-scheduler",
            (
                str(programs / "kube-scheduler"),
                f"--kubeconfig={layout.pki}/kube-scheduler.kubeconfig",
                "--leader-elect=false",
            ),
        ),
        _kubelet(layout, programs),
        Component(
            "kube-proxy",
            (str(programs / "kube-proxy"), f"--config={layout.config}/kube-proxy.json"),
        ),
    ]


def _etcd(layout: Layout) -> Component:
    argv = (
        "etcd",
        f"--data-dir={layout.state}/etcd",
        f"--listen-client-urls={ETCD_URL}",
        f"--advertise-client-urls={ETCD_URL}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        # The data lives no longer than the box.
        "--unsafe-no-fsync",
    )
    return Component("etcd", argv, ready_url=f"{ETCD_URL}/health")


def _apiserver(layout: Layout, programs: Path) -> Component:
    pki = layout.pki
    argv = (
        str(programs / "kube-apiserver"),
        f"--etcd-servers={ETCD_URL}",
        f"--advertise-address={NODE_ADDRESS}",
        f"--secure-port={API_PORT}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--token-auth-file={pki}/tokens.csv",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        # `kubectl logs` and `exec` would look up the node's name otherwise.
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-account.key",
        f"--service-account-signing-key-file={pki}/service-account.key",
        f"--audit-policy-file={layout.config}/audit.json",
        f"--audit-log-path={layout.audit_log}",
        "--audit-log-maxsize=100",
        "--audit-log-maxbackup=2",
    )
    ready_url = f"https://{NODE_ADDRESS}:{API_PORT}/readyz"
    return Component("kube-apiserver", argv, ready_url, ready_authority=pki / "ca.crt")


def audit_policy() -> dict[str, object]:
    """Return the policy that records who asked for what, but not the control plane's reading."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {
                "level": "None",
                "users": [
                    "system:apiserver",
                    "system:kube-controller-manager",
                    "system:kube-scheduler",
                    "system:kube-proxy",
                ],
                "verbs": ["get", "list", "watch"],
            },
            {"level": "None", "userGroups": ["system:nodes"], "verbs": ["get", "list", "watch"]},
            {"level": "Metadata"},
        ],
    }


def _controller_manager(layout: Layout, programs: Path) -> Component:
    argv = (
        str(programs / "kube-controller-manager"),
        f"--kubeconfig={layout.pki}/kube-controller-manager.kubeconfig",
        f"--service-account-private-key-file={layout.pki}/service-account.key",
        f"--root-ca-file={layout.pki}/ca.crt",
        "--use-service-account-credentials",
        "--leader-elect=false",
    )
    return Component("kube-controller-manager", argv)


def _kubelet(layout: Layout, programs: Path) -> Component:
    argv = (
        str(programs / "kubelet"),
        f"--config={layout.config}/kubelet.json",
        f"--kubeconfig={layout.pki}/kubelet.kubeconfig",
        f"--hostname-override={layout.name}",
        # There is no default route to find the address by.
        f"--node-ip={NODE_ADDRESS}",
        f"--root-dir={layout.state}/kubelet",
    )
    return Component("kubelet", argv, ready_url="http://127.0.0.1:10248/healthz")


def _kubelet_config(layout: Layout) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        # An address other than this refuses `kubectl exec`.
        "address": "0.0.0.0",  # noqa: S104 - the box has no interface that leaves it
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "tlsCertFile": str(layout.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet.key"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": layout.cgroup,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "podLogsDir": f"{layout.state}/pod-logs",
        "volumePluginDir": f"{layout.state}/volume-plugins",
        "makeIPTablesUtilChains": False,
        "resolvConf": "",
        # The disk is shared with everything else on the machine: its use is no reason to evict
        # a pod or to delete an image that no registry could bring back.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
            "imagefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }


def _proxy_config(layout: Layout) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": POD_RANGE,
        "hostnameOverride": layout.name,
        "clientConnection": {"kubeconfig": str(layout.pki / "kube-proxy.kubeconfig")},
        # The connection tracking table belongs to the whole machine: leave its size alone.
        "conntrack": {"maxPerCore": 0, "min": 0},
    }


def _network(layout: Layout) -> dict[str, object]:
    # Point-to-point links and not a bridge: every packet is routed, so kube-proxy's rules see the
    # answers of a pod to a pod through a Service even without the br_netfilter module.
    pods = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": f"{layout.state}/cni",
    }
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [{"type": "ptp", "ipMasq": False, "ipam": pods}],
    }


def _containerd_config(layout: Layout) -> str:
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE a sandbox may not lower its score, and
    # runc then fails with "can't get final child's PID from pipe: EOF".
    return f"""version = 2
root = "{layout.containerd}"
state = "{CONTAINERD_RUN}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]

[grpc]
address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PROGRAMS}"
conf_dir = "{layout.config}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""
