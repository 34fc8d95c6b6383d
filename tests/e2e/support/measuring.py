"""One fault from a healthy cluster to a healthy cluster, with all probes watching."""

from __future__ import annotations

import time
from dataclasses import dataclass

from homelab.probe import figures, writes
from homelab.probe.attempt import Attempt
from homelab.probe.running import Running, command
from homelab.probe.timeline import Row, draw
from tests.e2e.support import workload
from tests.e2e.support.cluster import Cluster
from tests.e2e.support.faults import Fault, choose
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.rig import Rig

BEFORE_S = 1.5  # the probes run so long before the fault
AFTER_S = 1.0  # and so long after all is well
SERVED_AGAIN_S = 1.0  # "serves again": no failure for so long
GIVEN_UP_S = 60.0  # a machine is switched on again even if the others never took over
EMULATED = 10  # times as long there
# A handshake of TLS takes an emulated machine a third of a second.
EMULATED_PACE = {
    "vip": ["--every", "0.25", "--timeout", "3"],
    "reads": ["--every", "2", "--timeout", "10"],
    "writes": ["--every", "1", "--timeout", "10"],
    "holders": ["--every", "0.25"],
}
# Each holds one connection, and so uses one API server: three of them find the one that hangs.
WRITERS = ("writes 1", "writes 2", "writes 3")
CLIENTS = ("vip", "reads", "writes", "service")


@dataclass(frozen=True)
class Measured:
    """What a fault did. Seconds; ``outages`` by probe."""

    victim: str
    outages: dict[str, figures.Gap]
    failed: dict[str, figures.Tally]  # by probe
    shared_vip: float
    vip_moves: int
    blind: float  # the longest time for which a probe itself was held up
    recovered: float  # from the end of the fault to a healthy cluster
    verdicts: list[writes.Verdict]  # by writer
    picture: str

    @property
    def seconds(self) -> dict[str, float]:
        """The figures for the table."""
        outages = {name: round(gap.seconds, 3) for name, gap in self.outages.items()}
        return {
            **outages,
            **{
                f"{name} failed %": round(self.failed[name].percent, 1)
                for name in ("reads", "service")
                if name in self.failed
            },
            "two holders": round(self.shared_vip, 3),
            "VIP moves": self.vip_moves,
            "healthy again": round(self.recovered, 1),
            "probe held up": round(self.blind, 3),
        }


def probes(rig: Rig, run: str, victim: str = "") -> dict[str, list[str]]:
    """The command line of every probe.

    The API's clients sit beside the machines. The Service's client sits on a machine that is not
    the ``victim``: a node that uses a Service of its own cluster. A VM's network can't be entered
    from here, so there nobody asks the Service.
    """
    api = rig.api(timeout=60.0 if rig.emulated else 10.0)
    writes.prepare(api)  # here, as it may take longer than a probe's first success should
    api.close()
    through = ["--address", rig.vip]
    kubeconfig = ["--kubeconfig", str(rig.kubeconfig)]

    def pace(probe: str) -> list[str]:
        return EMULATED_PACE[probe] if rig.emulated else []

    beside = {
        "vip": command("vip", *through, "--port", str(rig.port), *pace("vip")),
        "reads": command("reads", *through, *kubeconfig, *pace("reads")),
        **{
            name: command("writes", *through, *kubeconfig, "--run", f"{run}-{n}", *pace("writes"))
            for n, name in enumerate(WRITERS)
        },
        "holders": command("holders", *through, *pace("holders")),
    }
    entered = {name: rig.lab.nsenter(argv) for name, argv in beside.items()}
    if rig.on_vms:
        return entered
    with Cluster(rig) as cluster:
        service = command("service", f"http://{workload.service_address(cluster)}/")
    user = next(name for name in reversed(rig.nodes) if name != victim)
    return entered | {"service": rig.on_network_of(user, service)}


def measure(rig: Rig, fault: Fault, run: str) -> Measured:
    """Strike, mend, wait until healthy, then judge. The cluster must be healthy before.

    Raises UnmetError if it does not recover by itself.
    """
    victim = choose(rig, fault.victim)
    with Running(probes(rig, run, victim), rig.folder / "probes" / run) as running:
        time.sleep(BEFORE_S)
        began = time.monotonic()
        struck = fault.strike(rig, victim)
        try:
            _hold(running, fault, struck, EMULATED if rig.emulated else 1)
        finally:
            mended = fault.mend(rig, victim) if fault.mend else time.monotonic()
        recovered = wait_until_healthy(rig)
        healthy = time.monotonic()
        time.sleep(AFTER_S)
        running.check()
    return _judge(rig, fault, run, running.all_attempts(), victim, (began, struck, mended, healthy),
                  recovered)  # fmt: skip


def _hold(running: Running, fault: Fault, struck: float, slow: int) -> None:
    """Until the fault has lasted long enough and the cluster serves again in spite of it."""
    while time.monotonic() - struck < GIVEN_UP_S * slow + fault.hold:
        time.sleep(0.2)
        lasted = time.monotonic() - struck
        if lasted >= fault.hold and all(
            _serves(running.attempts(name), SERVED_AGAIN_S * slow) for name in ("reads", *WRITERS)
        ):
            return


def _serves(attempts: list[Attempt], for_s: float) -> bool:
    since = time.monotonic() - for_s
    recent = [attempt.ok for attempt in attempts if attempt.end > since]
    return bool(recent) and all(recent)


def _judge(
    rig: Rig,
    fault: Fault,
    run: str,
    seen: dict[str, list[Attempt]],
    victim: str,
    times: tuple[float, float, float, float],
    recovered: float,
) -> Measured:
    began, struck, mended, healthy = times
    gaps = {n: figures.longest_outage(seen[n], began, healthy) for n in seen if n != "holders"}
    slowest = max(WRITERS, key=lambda name: gaps[name].seconds)
    seen["writes"], gaps["writes"] = seen[slowest], gaps[slowest]
    outages = {name: gaps[name] for name in CLIENTS if name in gaps}
    tallies = {name: figures.tally(seen[name], began, healthy) for name in outages}
    verdicts = judge_writers(rig, run, seen)
    marks = {"fault": struck, "mended": mended, "healthy": healthy}
    if fault.mend is None:
        del marks["mended"]
    rows = [Row(name, seen[name], outages[name]) for name in outages]
    rows.append(Row("one VIP holder", _alone(seen["holders"])))
    title = f"{fault.title} ({victim})"
    return Measured(
        victim=victim,
        outages=outages,
        failed=tallies,
        shared_vip=figures.longest_shared(seen["holders"], began, healthy),
        # From before the fault: a holder that is gone at once is not seen after it.
        vip_moves=len(figures.holders(seen["holders"], began - BEFORE_S, healthy)) - 1,
        blind=max(figures.blind(seen[name], began, healthy) for name in ("vip", "reads")),
        recovered=recovered,
        verdicts=verdicts,
        picture=draw(title, rows, began - BEFORE_S, healthy + AFTER_S, marks),
    )


def judge_writers(rig: Rig, run: str, seen: dict[str, list[Attempt]]) -> list[writes.Verdict]:
    """Hold what was acknowledged to each writer against what is stored."""
    api = rig.api(timeout=30.0)
    try:
        return [
            writes.judge(seen[name], writes.stored(api, f"{run}-{number}"))
            for number, name in enumerate(WRITERS)
        ]
    finally:
        api.close()


def _alone(rounds: list[Attempt]) -> list[Attempt]:
    """Rounds in which exactly one machine answered count as good."""
    return [
        Attempt(r.start, r.end, r.ok and len(r.said.split()) == 1, r.what, r.said) for r in rounds
    ]
