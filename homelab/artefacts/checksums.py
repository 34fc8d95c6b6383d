"""The pins: SHA-256 of the files that upstream releases for linux/amd64.

Taken on 2026-08-21 from the checksum tables of kubernetes-sigs/kubespray at 46dbdd399
(roles/kubespray_defaults/vars/main/checksums.yml), which takes them from the releases. Cilium's
chart: the layer of quay.io/cilium/charts/cilium:1.20.1, which is signed, is the same file.

A version is added by adding its line here; nothing is trusted because a server sent it.
"""

from __future__ import annotations

SHA256: dict[str, dict[str, str]] = {
    "kubeadm": {
        "1.36.4": "10d054585907f2c8bb823c84f6a66b3bd2a474c3d795475f04e9a44f78650fe6",
        "1.35.8": "1bbc64a2be5b300880ae9330c6bba592ec2a2b8ecb79c527b0c7cc0f44070e5e",
        "1.34.11": "bd3cbe40aff6c7b3b939243ebd80dbd7da207c0e594cfdd434295bf553ea7351",
    },
    "kubelet": {
        "1.36.4": "cf2562db46c48ab84cc3791540778ee7fb1a0a008529adbb434723dd02ed8b4b",
        "1.35.8": "6971b9f95e54dbed67a2271abe6e78f8cc2894494649f3cf39e4b25a82dca923",
        "1.34.11": "4777a226b2ba3c1d656254bcf3f7ad471bf210042f361094216e51ab4fa9b4b6",
    },
    "kubectl": {
        "1.36.4": "8b8f088da2dab964f853b38464033b1be15ede2839eca751482357c45abdd05a",
        "1.35.8": "874d5e72dbb819f43cff16bcd1e4f8bac5b7f2361fe1e55049b0a6c676fb0cbf",
        "1.34.11": "8efbb9435132a190920eb65a47a8c1ecf755ad85ab57a600c9bedbab460bb7a8",
    },
    "crictl": {
        "1.36.0": "83855e114566a8a8c44c548d515670f51de3a5e1da8b2effb59870e2f10c25a3",
        "1.35.0": "2e141e5b22cb189c40365a11807d69b76b9b3caced89fac2f4ec879408ce2177",
        "1.34.0": "a8ff2a3edb37a98daf3aba7c3b284fe0aa5bff24166d896ab9ef64c8913c9f51",
    },
    "etcd": {
        "3.6.14": "ffe840ff9295808e88cce2794a18a5ac87f12a5203c8314d0bf6aa119b41bac5",
        "3.5.33": "5025b5b24d81a9616b6e284ccd439b9a3df055ef8fdcdc142af3ec8f6a3b3c95",
    },
    "cni-plugins": {
        "1.9.1": "b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303",
        "1.8.0": "ab3bda535f9d90766cccc90d3dddb5482003dd744d7f22bcf98186bf8eea8be6",
        "1.7.1": "1a28a0506bfe5bcdc981caf1a49eeab7e72da8321f1119b7be85f22621013098",
    },
    "containerd": {
        "2.3.4": "9d68969855fbf676cdb8ed758e420fb048d61f984f61de3e53eddfebe484d168",
        "2.2.7": "91cd216ea26a1b8b512219d3f205375c967e7b7de4dae571bc3dd16bfacd34b5",
        "2.1.9": "0083d2a4c2e77eeb20e55b6d955822fb957ff386c0c23959c8b27f598317586c",
    },
    "runc": {
        "1.4.3": "f6ae8efc0fa40079e1475e97cbe9d1bd3f106a28d6af78a11d9f1bd565515e60",
        "1.3.6": "3f3921dbbee7723e9868f97e88e51ffc910206e3ba55646e74d93d24ea76023c",
        "1.2.9": "b21fda1d5a1510b19c3f6fb43ecb3a92887654a9d0c2b64e84b8b08f24ff0e30",
    },
    "cri-o": {
        "1.36.3": "fc2ece7cc22a505cca5e100438e4e58f7786f17b64467022e2d2019239c88349",
        "1.35.6": "481c1de44de8a71dc299b3605c7b5f6044f656207cf5d39c14d4c840653bb7f5",
        "1.34.11": "412d3f0490a37c45933134f4c899cc5b97faf9408a35daf562f672c277d37a0b",
    },
    "helm": {
        "3.18.4": "f8180838c23d7c7d797b208861fecb591d9ce1690d8704ed1e4cb8e2add966c1",
        "3.17.3": "ee88b3c851ae6466a3de507f7be73fe94d54cbf2987cbaa3d1a3832ea331f2cd",
        "3.16.4": "fc307327959aa38ed8f9f7e66d45492bb022a66c3e5da6063958254b9767d179",
    },
    "cilium": {
        "1.20.1": "06210eef7c23d15f7699c79e2fe3a1ec9c389024c5c5c006ea04022d322449a2",
    },
}


def newest(name: str, prefix: str = "") -> str | None:
    """The newest pinned version, of a series like ``"1.36."``; None if there is none."""
    known = [version for version in SHA256[name] if version.startswith(prefix)]
    return max(known, key=lambda v: tuple(map(int, v.split("."))), default=None)


def kubernetes_versions() -> tuple[str, ...]:
    """The Kubernetes versions that can be fetched from upstream, newest first."""
    return tuple(v for v in SHA256["kubeadm"] if v in SHA256["kubelet"] and v in SHA256["kubectl"])
