"""What the hardware says of itself: memory errors, temperatures, disks, ports, RAID."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts import hardware_disks
from facts.hardware_disks import Array, Disk
from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown

# sysfs gives whole values to the shell's own `read`, so no process is started for them.
EDAC = r"""for d in /sys/devices/system/edac/mc/mc*; do
  [ -d "$d" ] || continue
  read -r c < "$d/ce_count" && read -r u < "$d/ue_count" || exit 1
  printf '%s\t\t%s\t%s\n' "${d##*/}" "$c" "$u"
  for m in "$d"/dimm* "$d"/rank*; do
    [ -r "$m/dimm_ce_count" ] || continue
    read -r c < "$m/dimm_ce_count" && read -r u < "$m/dimm_ue_count" || exit 1
    l=; read -r l 2>/dev/null < "$m/dimm_label"
    printf '%s\t%s\t%s\t%s\n' "${d##*/}" "${l:-${m##*/}}" "$c" "$u"
  done
done; true"""
# A sensor that is switched off gives an error instead of a value.
TEMPERATURES = r"""r() { v=; read -r v 2>/dev/null < "$1"; printf '\t%s' "${v:--}"; }
for f in /sys/class/hwmon/hwmon*/temp*_input; do
  [ -e "$f" ] || continue
  d=${f%/*}; n=${f%_input}
  printf '%s' "${d##*/}"; r "$d/name"; printf '\t%s' "${n##*/}"
  r "$n"_label; r "$f"; r "$n"_max; r "$n"_crit; echo
done; true"""
# A port has a device; bridges, VLANs, and a container's interfaces have none.
PORTS = r"""for d in /sys/class/net/*/device; do
  [ -e "$d" ] || continue
  d=${d%/device}; m=
  [ ! -e "$d/master" ] || m=$(cd -P "$d/master" && pwd) || exit 1
  printf '%s\t%s' "${d##*/}" "${m##*/}"
  for c in rx_packets rx_errors rx_crc_errors rx_dropped tx_packets tx_errors; do
    read -r v < "$d/statistics/$c" || exit 1; printf '\t%s' "$v"
  done; echo
done"""
COMMANDS = {
    "memory": EDAC,
    "temperatures": TEMPERATURES,
    "disks": hardware_disks.SMART,
    "ports": PORTS,
    "arrays": hardware_disks.MDSTAT,
}
SECONDS = 20  # a disk that sleeps has to spin up first


@dataclass(frozen=True)
class Memory(Record):
    """Errors since boot of a memory controller, or of one of its modules by its label.

    https://docs.kernel.org/admin-guide/ras.html
    """

    controller: str  # "mc0"
    module: str  # "CPU_SrcID#0_Ha#0_Chan#1_DIMM#0"; "": all of the controller
    corrected: int
    uncorrected: int


@dataclass(frozen=True)
class Sensor(Record):
    """One temperature with the limits of its chip, in degrees Celsius; None: the chip has none.

    https://docs.kernel.org/hwmon/sysfs-interface.html
    """

    device: str  # "hwmon0"
    chip: str  # "coretemp", "nvme"
    name: str  # its label, "Core 3", or "temp4"
    celsius: float | None  # None: no value now
    max: float | None
    critical: float | None


@dataclass(frozen=True)
class Port(Record):
    """A network port's counters since it exists; ``received_errors`` has CRC errors in it.

    https://docs.kernel.org/networking/statistics.html
    """

    name: str
    master: str | None  # the bond or bridge it is part of
    received: int
    received_errors: int
    crc_errors: int
    dropped: int
    sent: int
    sent_errors: int


@dataclass(frozen=True)
class Hardware(Reading):
    """``memory`` is () without ECC or without the kernel's driver for it. ``disks`` is () where
    smartctl is not installed, and ``smartctl`` then False; a disk that did not answer it stands in
    ``unread`` by its path, and is not in ``disks``."""

    memory: tuple[Memory, ...] | None = None
    temperatures: tuple[Sensor, ...] | None = None
    smartctl: bool | None = None
    disks: tuple[Disk, ...] | None = None
    ports: tuple[Port, ...] | None = None
    arrays: tuple[Array, ...] | None = None


def parse(output: list[str]) -> Hardware:
    """Output of :class:`Sensors`' command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Sensors.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    lines = {name: asked[name].output.splitlines() for name in COMMANDS if name not in unread}
    smartctl, disks = None, None
    if "disks" in lines:
        smartctl, disks, silent = hardware_disks.disks_of(lines["disks"])
        unread |= silent
    return Hardware(
        memory=tuple(map(_memory, lines["memory"])) if "memory" in lines else None,
        temperatures=(
            tuple(map(_sensor, lines["temperatures"])) if "temperatures" in lines else None
        ),
        smartctl=smartctl,
        disks=disks,
        ports=tuple(map(_port, lines["ports"])) if "ports" in lines else None,
        arrays=hardware_disks.arrays_of(lines["arrays"]) if "arrays" in lines else None,
        unread=unread,
    )


def _memory(line: str) -> Memory:
    controller, module, corrected, uncorrected = line.split("\t")
    return Memory(controller, module, int(corrected), int(uncorrected))


def _sensor(line: str) -> Sensor:
    device, chip, name, label, *values = line.split("\t")
    celsius, high, critical = (None if value == "-" else int(value) / 1000 for value in values)
    return Sensor(device, chip, name if label == "-" else label, celsius, high, critical)


def _port(line: str) -> Port:
    name, master, *counts = line.split("\t")
    received, errors, crc, dropped, sent, sent_errors = map(int, counts)
    return Port(name, master or None, received, errors, crc, dropped, sent, sent_errors)


class Sensors(FactBase[Hardware]):
    """ECC counters, temperatures, SMART, counters of ports, and RAID. For real machines: in a
    container all but the ports are the host's.

    .. code:: python

        [disk.name for disk in host.get_fact(Sensors).disks if disk.passed is False]
    """

    def command(self) -> str:
        return questions(COMMANDS, SECONDS)

    @staticmethod
    def default() -> Hardware:
        return Hardware(unread=unknown("hardware"))

    def process(self, output: list[str]) -> Hardware:
        return parsed("hardware", parse, output)
