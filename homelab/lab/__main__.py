"""The lab's commands: `python -m homelab.lab` or `nox -s lab --`; none given: up, then deploy."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from homelab.lab import deploy, lifecycle, plan, provider, status
from homelab.lab.access import Settings
from homelab.lab.errors import LabError
from homelab.lab.faults import Lab
from homelab.lab.paths import REPO, Paths, default_name
from homelab.lab.progress import say

# Each is the method of Lab that has its name.
FAULTS = {
    "kill": "cut a machine's power",
    "start": "press its power button",
    "freeze": "stop a machine with its network, as if it hung",
    "thaw": "let it go on",
    "cut": "pull a machine's network cables",
    "heal": "plug them in again",
    "fill-disk": "fill the disk under a machine's etcd",
    "free-disk": "make room on it again",
}
LEG_FAULTS = {
    "cut-leg": "pull one cable of a VM's bond",
    "silence-leg": "lose all frames of it, while its link stays up",
    "heal-leg": "mend it",
}
KEPT = ("PATH", "HOMELAB_", "XDG_CACHE_HOME", "VIRTUAL_ENV", "TERM")  # through sudo


def _options(size: bool = False) -> argparse.ArgumentParser:
    """The options that commands share."""
    none = argparse.SUPPRESS
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--name", default=none, help="the lab's name (or HOMELAB_LAB)")
    if size:
        planes, workers = plan.CONTROL_PLANES, plan.WORKERS
        shared.add_argument("--control-planes", type=int, default=none, help=f"default {planes}")
        shared.add_argument("--workers", type=int, default=none, help=f"default {workers}")
        text = "whose Docker daemon: default own"
        shared.add_argument("--daemon", choices=("own", "machine"), default=none, help=text)
        text = "containers (docker) or VMs (libvirt): default what serves best here"
        shared.add_argument("--provider", choices=provider.PROVIDERS, default=none, help=text)
    return shared


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    # Options may stand before the command or after it: only those before have defaults.
    top = argparse.ArgumentParser("lab", description=__doc__, parents=[_options(size=True)])
    top.set_defaults(name=default_name(), control_planes=None, workers=None)
    top.set_defaults(daemon=None, provider=None)
    common, size = _options(), _options(size=True)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("up", parents=[size], help="make the machines, or what is missing of them")
    one = commands.add_parser("deploy", parents=[common], help="build the cluster on them")
    one.add_argument("options", nargs="*", help="further options for pyinfra, after --")
    commands.add_parser("status", parents=[common], help="machines, VIP, etcd, nodes, health")
    one = commands.add_parser("ssh", parents=[common], help="a shell on a machine, or a command")
    one.add_argument("machine")
    one.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    one = commands.add_parser("logs", parents=[common], help="all logs into one folder")
    one.add_argument("folder", nargs="?", type=Path)
    for name, text in FAULTS.items():
        commands.add_parser(name, parents=[common], help=text).add_argument("machine")
    for name, text in LEG_FAULTS.items():
        one = commands.add_parser(name, parents=[common], help=text)
        one.add_argument("machine")
        one.add_argument("leg", type=int, help="1, 2 or 3")
    one = commands.add_parser("set-clock", parents=[common], help="set a VM's clock wrong")
    one.add_argument("machine")
    one.add_argument("seconds", type=float, help="forward, or back if negative")
    text = "the VMs' switch loses power for five seconds"
    commands.add_parser("restart-switch", parents=[common], help=text)
    one = commands.add_parser("loss", parents=[common], help="lose packets to and from a machine")
    one.add_argument("machine")
    one.add_argument("percent", type=float)
    one = commands.add_parser("run", parents=[common], help="a command in the lab's network")
    one.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    commands.add_parser("down", parents=[common], help="remove the lab and every trace of it")
    return top


def wanted(args: argparse.Namespace) -> tuple[tuple[plan.Machine, ...], bool]:
    """The machines asked for: by option, else as the lab is, else by environment or plan."""
    settings = Settings.read(Paths(args.name).machines_file)
    now = settings.machines if settings else plan.from_environment()
    planes = sum("control-plane" in machine.roles for machine in now)
    workers = len(now) - planes
    own = args.daemon == "machine" if args.daemon else bool(settings and settings.machines_own)
    return plan.machines(
        planes if args.control_planes is None else args.control_planes,
        workers if args.workers is None else args.workers,
    ), own


def act(args: argparse.Namespace) -> int:
    """Do what was asked; return the exit code."""
    command = args.command
    if command == "down":
        lifecycle.down(args.name)
        return 0
    if command in (None, "up"):
        lab = lifecycle.up(args.name, *wanted(args), asked=args.provider)
        if command is None:
            deploy.deploy(lab)
        return 0
    return ask(provider.opened(args.name), args)


def ask(lab: Lab, args: argparse.Namespace) -> int:
    """Do what was asked of a lab that is there; return the exit code."""
    command = args.command
    if command == "deploy":
        deploy.deploy(lab, *args.options)
    elif command == "status":
        print(status.show(lab))
    elif command == "ssh":
        return subprocess.run(lab.ssh_argv(args.machine, *args.words), check=False).returncode
    elif command == "logs":
        lab.logs(args.folder or lab.paths.seen_by_vagrant / "logs")
    elif command == "run":
        words = args.words[1:] if args.words[:1] == ["--"] else args.words
        env = {**os.environ, **lab.environment(), **deploy.environment(lab)}
        return subprocess.run(lab.nsenter(words), env=env, check=False).returncode
    else:
        hurt(lab, args)
    return 0


def hurt(lab: Lab, args: argparse.Namespace) -> None:
    """Let happen what was asked for, and say how things are then."""
    command = args.command
    if command == "restart-switch":
        lab.restart_switch()
        say("the switch forwards again")
    elif command == "loss":
        lab.loss(args.machine, args.percent)
        say(f"{args.machine} now loses {args.percent:g} % of its packets")
    elif command == "set-clock":
        lab.set_clock(args.machine, args.seconds)
        say(f"{args.machine}'s clock has moved by {args.seconds:g} s")
    elif command in LEG_FAULTS:
        getattr(lab, command.replace("-", "_"))(args.machine, args.leg)
        say(f"{args.machine}: {command} {args.leg}")
    else:
        getattr(lab, command.replace("-", "_"))(args.machine)
        say(f"{args.machine}: {lab.state(args.machine)}")


def as_root(argv: list[str]) -> None:
    """Start again by sudo if this is not root: namespaces, mounts and the daemon need it."""
    if os.geteuid() == 0:
        return
    kept = [f"{k}={v}" for k, v in os.environ.items() if k.startswith(KEPT)]
    again = ["sudo", "env", *kept, f"PYTHONPATH={REPO}", sys.executable, "-m", "homelab.lab"]
    os.execvp("sudo", [*again, *argv])


def main(argv: list[str] | None = None) -> int:
    """Run one command; a failure is one line."""
    words = sys.argv[1:] if argv is None else argv
    args = parser().parse_args(words)
    as_root(words)
    try:
        return act(args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; what was begun is cleaned up by the next command", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
