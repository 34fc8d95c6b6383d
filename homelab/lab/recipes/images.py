"""The container images of a cluster, out of the built programs and Debian's packages.

The names and tags are those that kubeadm 1.20 asks for; nothing is pulled.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from homelab.lab.debian import Apt
from homelab.lab.recipes.archive import image
from homelab.lab.recipes.kubernetes import Kubernetes
from homelab.lab.shell import run

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LIBC = ("libc6",)
# libm (in libc6) is not optional: libxt_statistic.so loads it for any Service
# with two endpoints or more, and iptables-restore fails without it.
KUBE_PROXY = (
    *LIBC,
    *("iptables", "libxtables12", "libip4tc2", "libip6tc2", "libnftnl11", "libmnl0"),
    *("conntrack", "libnetfilter-conntrack3", "libnfnetlink0", "libgcc-s1"),
)
ETCD = (*LIBC, "etcd-server", "etcd-client")
TOOLBOX = ("busybox-static",)
PACKAGES = sorted({*KUBE_PROXY, *ETCD, *TOOLBOX})
USELESS = ("usr/share", "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/aarch64-linux-gnu/gconv")
Fill = Callable[[Path], None]


@dataclass(frozen=True)
class Image:
    """One image: its name, what fills its root, and how it starts."""

    name: str
    fill: Fill
    config: dict[str, object] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Its place in the bundle: folders kept, the tag after an underscore."""
        return f"images/{self.name.replace(':', '_')}.tar"

    def write(self, bundle: Path, work: Path, arch: str) -> None:
        """Make the tar."""
        root = work / self.name.replace("/", "_").replace(":", "_")
        root.mkdir(parents=True)
        self.fill(root)
        dest = bundle / self.file
        dest.parent.mkdir(parents=True, exist_ok=True)
        image(root, dest, self.name, arch, {"Env": [PATH], **self.config})
        shutil.rmtree(root)


def images(kubernetes: Kubernetes, apt: Apt, work: Path) -> list[Image]:
    """All images of the lab."""

    def program(name: str) -> Image:
        def fill(root: Path) -> None:
            _install(kubernetes.folder / name, root / "usr/local/bin" / name)

        tagged = f"k8s.gcr.io/{name}:v{kubernetes.version}"
        return Image(tagged, fill, {"Entrypoint": [f"/usr/local/bin/{name}"]})

    def debian(packages: tuple[str, ...]) -> Fill:
        def fill(root: Path) -> None:
            apt.unpack(packages, work / f"debs-{root.name}", root)
            for folder in USELESS:
                shutil.rmtree(root / folder, ignore_errors=True)

        return fill

    def kube_proxy(root: Path) -> None:
        debian(KUBE_PROXY)(root)
        _install(kubernetes.folder / "kube-proxy", root / "usr/local/bin/kube-proxy")
        # What update-alternatives does when the package is configured.
        for family in ("iptables", "ip6tables"):
            for tail in ("", "-save", "-restore"):
                link = root / "usr/sbin" / f"{family}{tail}"
                link.symlink_to(f"{family}-nft{tail}")

    def pause(root: Path) -> None:
        _install(kubernetes.folder / "pause", root / "pause")

    def toolbox(root: Path) -> None:
        debian(TOOLBOX)(root)
        busybox = root / "bin" / "busybox"
        for applet in run([busybox, "--list"]).split():
            if applet != "busybox":
                (root / "bin" / applet).symlink_to("busybox")
        for folder, mode in (("tmp", 0o1777), ("www", 0o755), ("etc", 0o755)):
            (root / folder).mkdir(exist_ok=True)
            (root / folder).chmod(mode)

    return [
        program("kube-apiserver"),
        program("kube-controller-manager"),
        program("kube-scheduler"),
        Image(f"k8s.gcr.io/kube-proxy:v{kubernetes.version}", kube_proxy),
        Image("k8s.gcr.io/pause:3.2", pause, {"Entrypoint": ["/pause"], "User": "65535:65535"}),
        Image("k8s.gcr.io/etcd:3.4.13-0", debian(ETCD)),
        Image("homelab.local/toolbox:1", toolbox, {"Cmd": ["/bin/sh"]}),
    ]


def _install(source: Path, dest: Path) -> None:
    dest.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, dest)
    dest.chmod(0o755)
