"""How fast the disk under etcd is: etcd is as slow as its fdatasync (etcd.io/docs, hardware)."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra import host, logger
from pyinfra.api import FactBase, FunctionCommand, StringCommand, operation

from operations.step import script

RESULT = "/var/lib/homelab/etcd-disk-p99"  # milliseconds


class DiskP99(FactBase[float | None]):
    """p99 of fdatasync in ms as measured once; None if it never was.

    .. code:: python

        host.get_fact(DiskP99)  # 1.4
    """

    def command(self) -> str:
        return f"cat {RESULT} 2>/dev/null || true"

    @staticmethod
    def default() -> float | None:
        return None

    def process(self, output: list[str]) -> float | None:
        text = "".join(output).strip()
        return float(text) if text else None


@operation()
def measure(bar_ms: float, strict: bool) -> Generator[StringCommand | FunctionCommand, None, None]:
    """fio writes as etcd's log does (2,300 bytes, each synced) for two seconds, and says the p99.

    The job is the one of ibm.com/cloud/blog/using-fio-to-tell-whether-your-storage-is-fast-enough-
    for-etcd, cut short. Above the bar it fails where ``strict``, else it warns with the figure.
    """
    if host.get_fact(DiskP99) is not None:
        host.noop("the disk was measured")
        return
    verdict = "exit 1" if strict else ":"  # the controller says it, see below
    yield StringCommand(
        script(
            "install -d -m 0700 /var/lib/etcd; d=$(mktemp -d /var/lib/etcd/fio.XXXXXX)",
            "trap 'rm -rf \"$d\"' EXIT",
            'fio --name=etcd --directory="$d" --rw=write --ioengine=sync --fdatasync=1 --bs=2300 '
            '--size=22m --runtime=2 --output-format=json > "$d/result.json"',
            "p99=$(python3 -c 'import json,sys; "
            'j = json.load(open(sys.argv[1]))["jobs"][0]; '
            'print(j["sync"]["lat_ns"]["percentile"]["99.000000"] / 1e6)\' "$d/result.json")',
            f"mkdir -p /var/lib/homelab; echo $p99 > {RESULT}.new",
            f"if awk -v p=$p99 'BEGIN {{exit !(p > {bar_ms})}}'; then "
            'echo "the disk under etcd is slow: p99 of fdatasync is $p99 ms, '
            f'etcd wants {bar_ms:g} or less" >&2; {verdict}; fi',
            f"mv -f {RESULT}.new {RESULT}",
        )
    )
    yield FunctionCommand(_warn, [bar_ms], {})


def _warn(bar_ms: float) -> None:
    """pyinfra shows what a step that succeeds says to -v only."""
    p99 = host.get_fact(DiskP99)
    if p99 is not None and p99 > bar_ms:
        logger.warning(
            f"{host.name}: the disk under etcd is slow: p99 of fdatasync is {p99:.1f} ms, "
            f"etcd wants {bar_ms:g} or less"
        )
