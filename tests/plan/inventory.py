"""A site's real groups, on pyinfra's ``@fake`` hosts with the answers that a test has written.

HOMELAB_PLAN is a JSON file: ``{"site": SITE FILE, "answers": {MACHINE: [[COMMAND PART, OUTPUT]]},
"executed": FILE}``. What each machine was asked or told is written to the last one. What the run
draws by lot (tokens, keys) is known here, so that a test can look for it.
"""

import atexit as _atexit
import json as _json
import os as _os
import secrets as _secrets
from pathlib import Path as _Path
from typing import Any as _Any

from pyinfra.connectors.fake import FakeConnector as _Fake
from pyinfra.context import ctx_inventory as _ctx_inventory

from homelab.site import bind as _bind
from homelab.site import load_site as _load_site
from tests.plan import answers as _answers

_asked = _json.loads(_Path(_os.environ["HOMELAB_PLAN"]).read_text())
_groups = _bind(_load_site(_asked["site"]), _asked["site"])


# "@fake/cp1" is how pyinfra finds the connector; our machines bear their own names.
setattr(_Fake, "make_names_data", lambda name=None: iter([(name, {}, [])]))  # noqa: B010
setattr(_secrets, "token_hex", lambda count: (_answers.TOKEN_HEX * 9)[: 2 * count])  # noqa: B010
setattr(_secrets, "token_bytes", lambda count: _answers.TOKEN_BYTES[:count])  # noqa: B010


def _faked(name: str, data: dict[str, _Any]) -> tuple[str, dict[str, _Any]]:
    answers = dict(_asked["answers"].get(name, []))
    return f"@fake/{name}", {
        **data,
        "fake_responses": answers,
        "fake_delay": 0,
        "fake_delay_jitter": 0,
    }


def _tell() -> None:
    hosts = _ctx_inventory.get() or ()
    told = {h.name: h.connector.executed_commands for h in hosts if h.connector}
    _Path(_asked["executed"]).write_text(_json.dumps(told))


_atexit.register(_tell)

control_plane = [_faked(*host) for host in _groups["control_plane"]]
worker = [_faked(*host) for host in _groups["worker"]]
balancer = [_faked(*host) for host in _groups["balancer"]]
