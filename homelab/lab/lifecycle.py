"""`up` and `down`: from nothing to machines that answer SSH, and back to nothing."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from homelab.lab import cache, debian, host, image, machines, netns, plan, provider
from homelab.lab.access import Settings
from homelab.lab.containers import Containers
from homelab.lab.daemon import Daemon, unmount_below
from homelab.lab.errors import LabError
from homelab.lab.faults import Lab
from homelab.lab.paths import Paths
from homelab.lab.progress import say, step
from homelab.lab.recipes import kubernetes as recipe
from homelab.lab.recipes.bundle import Bundle, bundle
from homelab.lab.vms import box as vm_box
from homelab.lab.vms import lifecycle as vms
from homelab.lab.vms.faults import Vms

KINDS = ("kubernetes", "bundle", "node-base", "node", "fleet-root", "vm-base", "box")


def artefacts(
    base: Callable[[debian.Apt], Path] = image.base,
    base_place: Callable[[debian.Apt], Path] = image.base_place,
) -> tuple[Bundle, Path]:
    """Build what is missing: the bundle, and the tar of a bare Debian root."""
    debian.install_needed()
    apt = debian.Apt()
    if seconds := forecast(apt, base_place):
        say(f"the artefacts have to be built first, once: about {round(seconds / 60)} minutes")
    with ThreadPoolExecutor() as pool:  # one compiles, the other mostly fetches and unpacks
        built = pool.submit(recipe.kubernetes, apt)
        bare = pool.submit(base, apt)
        return bundle(apt, built.result()), bare.result()


def forecast(apt: debian.Apt, base_place: Callable[[debian.Apt], Path]) -> float:
    """How many seconds the building will take; 0 if all is there but for seconds' work."""
    if not recipe.place(apt).is_dir():
        return recipe.USUAL  # the bare root is made beside it
    return 0 if base_place(apt).is_dir() else image.USUAL_BASE


def up(
    name: str,
    wanted: tuple[plan.Machine, ...],
    machines_own: bool = False,
    asked: str | None = None,
) -> Lab:
    """Bring a lab up, or what is missing of it; return it ready for SSH.

    `asked` is a provider; None: as the lab is, or what serves best here.
    """
    paths = Paths(name)
    chosen = choose(Settings.read(paths.machines_file), asked, len(wanted), machines_own)
    lab = _vms(paths, wanted) if chosen == "libvirt" else _containers(paths, wanted, machines_own)
    for kind in KINDS:
        cache.prune(kind, keep=vms.boxes_in_use())
    say(f"the lab {name!r} is up: " + ", ".join(f"{m.name} {m.address}" for m in wanted))
    return lab


def choose(
    before: Settings | None, asked: str | None, machines: int, machines_own: bool = False
) -> str:
    """The provider: a lab that is there keeps its own; what was asked for; what serves best.

    Who wants the machine's own Docker daemon wants containers.
    """
    if before:
        if asked not in (None, before.provider):
            what = f"the lab's machines are made by the provider {before.provider!r}"
            raise LabError(what, "", "run `lab down` first, or give another --name")
        return before.provider
    if asked or machines_own:
        return asked or "docker"
    if why_not := provider.why_no_vms(machines):
        say(f"the machines are node containers: {why_not}")
        return "docker"
    say("the machines are VMs, as KVM works here; --provider docker makes node containers")
    return "libvirt"


def _containers(paths: Paths, wanted: tuple[plan.Machine, ...], machines_own: bool) -> Lab:
    made, bare = artefacts()
    with cache.locked(f"lab-{paths.name}"):
        paths.state.mkdir(parents=True, exist_ok=True)
        host.prepare(paths.name)
        daemon = Daemon(paths, machines_own)
        daemon.start()
        before = Settings.read(paths.machines_file)
        tag = before.image if before else ""
        if not tag or machines.missing(daemon, wanted):
            tag = machines.import_image(daemon, image.node(bare, made))
        machines.make_network(daemon)
        machines.describe(paths, Settings(tag, wanted, str(made.folder), machines_own))
        lab = Containers(paths.name)
        machines.bring_up(lab)
    return lab


def _vms(paths: Paths, wanted: tuple[plan.Machine, ...]) -> Lab:
    debian.install_needed(vms.NEEDED)
    made, bare = artefacts(vm_box.base, vm_box.base_place)
    box = vm_box.box(bare, made)
    with cache.locked(f"lab-{paths.name}"):
        paths.state.mkdir(parents=True, exist_ok=True)
        host.prepare(paths.name, vms=True)
        return vms.up(paths, wanted, box, str(made.folder))


def down(name: str) -> None:
    """Remove a lab and every trace of it, in whatever state it is."""
    lab = provider.opened(name)
    with cache.locked(f"lab-{name}"), step(f"take the lab {name!r} down"):
        _end(lab)
        unmount_below(lab.paths.state)
        shutil.rmtree(lab.paths.state, ignore_errors=True)
        shutil.rmtree(lab.paths.seen_by_vagrant, ignore_errors=True)
        host.restore(name)
        seen = lab.paths.seen_by_vagrant.parent
        if seen.is_dir() and [path.name for path in seen.iterdir()] == [".gitignore"]:
            shutil.rmtree(seen)


def _end(lab: Lab) -> None:
    """End what runs of it, and of an earlier one whose machines were of the other kind."""
    if not lab.machines_own:
        vms.end(Vms(lab.name))
    if isinstance(lab, Containers):
        if lab.machines_own:
            lab.end_losses()
        if lab.docker.alive():
            machines.remove(lab)
        lab.daemon.stop()
    else:
        netns.remove(lab.paths.netns)
