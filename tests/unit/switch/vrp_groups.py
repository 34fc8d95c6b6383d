"""What it shows of its Eth-Trunks: the form of ntc-templates' captures of a S series."""

from __future__ import annotations

from tests.unit.switch.vrp_config import Config


def trunks(running: Config, silent: set[str]) -> str:
    """``display eth-trunk``: a member of LACP is selected where its machine answers."""
    said = []
    for name in sorted(n for n in running.interfaces if n.startswith("Eth-Trunk")):
        own, members = running.interfaces[name], running.members(name)
        if any(line.startswith("mode lacp") for line in own):
            said += _lacp(name, members, silent)
        else:
            said += [
                f"{name}'s state information is:",
                "WorkingMode: NORMAL         Hash arithmetic: According to SIP-XOR-DIP",
                "PortName                      Status      Weight",
                *(f"{port:<30}Up          1" for port in members),
            ]
    return "\n".join(said) or "Info: No valid trunk in the system."


def _lacp(name: str, members: list[str], silent: set[str]) -> list[str]:
    number, up = name[9:], [port for port in members if port not in silent]
    dead = "0000-0000-0000"
    return [
        f"{name}'s state information is:",
        "Local:",
        f"LAG ID: {number}                   WorkingMode: LACP",
        "Preempt Delay: Disabled     Hash arithmetic: According to SIP-XOR-DIP",
        "System Priority: 32768      System ID: 4c1f-cc45-a8f8",
        f"Operate status: up          Number Of Up Port In Trunk: {len(up)}",
        "-" * 80,
        "ActorPortName          Status   PortType PortPri PortNo PortKey PortState Weight",
        *(
            f"{port:<23}{'Selected' if port in up else 'Unselect'} 1GE      32768   1      305     "
            f"{'10111100' if port in up else '10100010'}  1"
            for port in members
        ),
        "",
        "Partner:",
        "-" * 80,
        "ActorPortName          SysPri   SystemID        PortPri PortNo PortKey PortState",
        *(
            f"{port:<23}65535    {partner(port) if port in up else dead}  255     1      9       "
            "10111100"
            for port in members
        ),
    ]


def partner(port: str) -> str:
    """The machine's LACP system on a port: three ports each, as the tests' site has them."""
    return f"0cc4-7a00-0{(int(port.rpartition('/')[2]) - 1) // 3 + 1}01"
