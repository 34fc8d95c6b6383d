#!/usr/bin/python3
"""Approve kubelets' serving certificates: for a node's own names and addresses, nothing else.

Runs on control planes from a timer, with the standard library alone; the table of names comes
from the site. A request that is not exactly what that node may have is left for a person, with
the reason in the journal. Exit 0, or 1 if kubectl failed.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TABLE = Path("/etc/kubernetes/homelab/serving-names.json")
KUBECTL = ("/usr/local/bin/kubectl", "--kubeconfig=/etc/kubernetes/admin.conf")
SIGNER = "kubernetes.io/kubelet-serving"
# What kube-controller-manager's signer accepts (k8s.io/api/certificates, KubeletServingSignerName)
USAGES = {"digital signature", "key encipherment", "server auth"}

Names = Mapping[str, Any]  # {"dns": [...], "ip": [...]}


def main() -> int:
    table = json.loads(TABLE.read_text())
    try:
        requests = json.loads(kubectl("get", "csr", "-o", "json"))["items"]
        for request in requests:
            if not pending(request):
                continue
            name = request["metadata"]["name"]
            reason = refusal(request, table)
            if reason:
                print(f"{name}: left alone: {reason}")
                continue
            kubectl("certificate", "approve", name)
            print(f"{name}: approved for {request['spec']['username']}")
    except subprocess.CalledProcessError as error:
        print(f"kubectl failed: {error.stderr.strip()}", file=sys.stderr)
        return 1
    return 0


def kubectl(*arguments: str) -> str:
    command = [*KUBECTL, "--request-timeout=20s", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def pending(request: Mapping[str, Any]) -> bool:
    """A kubelet's serving request that nobody has decided yet."""
    decided = request.get("status", {}).get("conditions")
    return request["spec"].get("signerName") == SIGNER and not decided


def refusal(request: Mapping[str, Any], table: Mapping[str, Names]) -> str | None:
    """Why this request is not approved, or None if it is exactly what its node may have."""
    spec = request["spec"]
    user = spec.get("username", "")
    node = user.removeprefix("system:node:")
    if node == user or node not in table:
        return f"{user!r} is no node of this site"
    if "system:nodes" not in spec.get("groups", []):
        return f"{user} is not in the group system:nodes"
    if "server auth" not in spec.get("usages", []) or not set(spec["usages"]) <= USAGES:
        return f"usages {spec.get('usages')} are not those of a serving certificate"
    try:
        subject, names = parse(base64.b64decode(spec["request"]))
    except (ValueError, subprocess.CalledProcessError) as error:
        return f"unreadable request: {error}"
    if subject != {f"CN={user}", "O=system:nodes"}:
        return f"subject {sorted(subject)} is not {user}'s own"
    allowed = {f"DNS:{name}" for name in table[node]["dns"]}
    allowed |= {f"IP Address:{address}" for address in table[node]["ip"]}
    if not names:
        return "no names or addresses in it"
    if foreign := sorted(names - allowed):
        return f"{', '.join(foreign)}: not {node}'s own"
    return None


def parse(pem: bytes) -> tuple[set[str], set[str]]:
    """The request's subject parts and its names, ``{"DNS:cp1", "IP Address:192.0.2.1"}``.

    ValueError if it is signed by another key than its own, or is not laid out as expected.
    """
    command = ["openssl", "req", "-noout", "-verify", "-subject", "-text"]
    command += ["-nameopt", "RFC2253"]
    done = subprocess.run(command, input=pem, check=True, capture_output=True)
    text = done.stdout.decode(errors="replace")
    if "verify OK" not in done.stderr.decode() + text:
        raise ValueError("its signature is not its own key's")
    subject = re.search(r"^subject=(.*)$", text, re.MULTILINE)
    if not subject:
        raise ValueError("openssl shows no subject")
    parts = set(re.split(r"(?<!\\)[,+]", subject[1].strip()))
    found = re.findall(r"X509v3 Subject Alternative Name:.*\n\s*(.*)\n", text)
    if len(found) > 1:
        raise ValueError("more than one list of names")
    names = set(found[0].strip().split(", ")) if found else set()
    return parts, names


if __name__ == "__main__":
    sys.exit(main())
