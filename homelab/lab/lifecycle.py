"""`up` and `down`: from nothing to machines that answer SSH, and back to nothing."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from homelab.lab import cache, debian, host, image, machines, plan
from homelab.lab.access import Settings
from homelab.lab.daemon import Daemon, unmount_below
from homelab.lab.faults import Lab
from homelab.lab.paths import Paths
from homelab.lab.progress import say, step
from homelab.lab.recipes import kubernetes as recipe
from homelab.lab.recipes.bundle import Bundle, bundle


def artefacts() -> tuple[Bundle, Path]:
    """Build what is missing: the bundle, and the tar of a bare Debian root."""
    debian.install_needed()
    apt = debian.Apt()
    if seconds := forecast(apt):
        say(f"the artefacts have to be built first, once: about {round(seconds / 60)} minutes")
    with ThreadPoolExecutor() as pool:  # one compiles, the other mostly fetches and unpacks
        built = pool.submit(recipe.kubernetes, apt)
        bare = pool.submit(image.base, apt)
        return bundle(apt, built.result()), bare.result()


def forecast(apt: debian.Apt) -> float:
    """How many seconds the building will take; 0 if all is there but for seconds' work."""
    if not recipe.place(apt).is_dir():
        return recipe.USUAL  # the bare root is made beside it
    return 0 if image.base_place(apt).is_dir() else image.USUAL_BASE


def up(name: str, wanted: tuple[plan.Machine, ...], machines_own: bool = False) -> Lab:
    """Bring a lab up, or what is missing of it; return it ready for SSH."""
    paths = Paths(name)
    made, bare = artefacts()
    with cache.locked(f"lab-{name}"):
        paths.state.mkdir(parents=True, exist_ok=True)
        host.prepare(name)
        daemon = Daemon(paths, machines_own)
        daemon.start()
        before = Settings.read(paths.machines_file)
        tag = before.image if before else ""
        if not tag or machines.missing(daemon, wanted):
            tag = machines.import_image(daemon, image.node(bare, made))
        machines.make_network(daemon)
        machines.describe(paths, Settings(tag, wanted, str(made.folder), machines_own))
        lab = Lab(name)
        machines.bring_up(lab)
    for kind in ("kubernetes", "bundle", "node-base", "node", "fleet-root"):
        cache.prune(kind)
    say(f"the lab {name!r} is up: " + ", ".join(f"{m.name} {m.address}" for m in wanted))
    return lab


def down(name: str) -> None:
    """Remove a lab and every trace of it, in whatever state it is."""
    lab = Lab(name)
    with cache.locked(f"lab-{name}"), step(f"take the lab {name!r} down"):
        if lab.daemon.machines_own:
            lab.end_losses()
        if lab.docker.alive():
            machines.remove(lab)
        lab.daemon.stop()
        unmount_below(lab.paths.state)
        shutil.rmtree(lab.paths.state, ignore_errors=True)
        shutil.rmtree(lab.paths.seen_by_vagrant, ignore_errors=True)
        host.restore(name)
        seen = lab.paths.seen_by_vagrant.parent
        if seen.is_dir() and [path.name for path in seen.iterdir()] == [".gitignore"]:
            shutil.rmtree(seen)
