"""With nothing to do a host costs one remote command, counted with pyinfra's @fake connector."""

from pyinfra.api.config import Config
from pyinfra.api.inventory import Inventory
from pyinfra.api.operations import run_ops
from pyinfra.api.state import State
from pyinfra.context import ctx_host, ctx_inventory, ctx_state
from test_plan import answer, generation

from danhba.generations.generation import Generation
from danhba.generations.host.main import packed
from danhba.publish import ask, carry_out


def commands(wanted: Generation, live: Generation) -> list[str]:
    data = {
        "fake_responses": {"python3 -c": packed(answer(live))}, "fake_delay": 0,
        "fake_delay_jitter": 0, "ipv4": "198.18.0.9", "fqdn": "h.x",
    }  # fmt: skip
    inventory = Inventory(([("@fake/h", data)], {}), edge=(["@fake/h"], {}))
    state = State(inventory, Config(FAIL_PERCENT=0))
    host = next(iter(inventory))
    with ctx_state.use(state), ctx_inventory.use(inventory), ctx_host.use(host):
        host.connect()
        state.activate_host(host)
        carry_out(host, ask(host, wanted))
        run_ops(state)
    executed: list[str] = host.connector.executed_commands
    return executed


def test_nothing_to_do_is_one_command() -> None:
    assert len(commands(generation(), generation())) == 1


def test_a_change_is_five_commands_however_many_accounts_it_touches() -> None:
    """Ask, lock, stage, activate, unlock."""
    rows = "an 1\nbinh 2\n" + "".join(f"u{number} 1\n" for number in range(5000))
    assert len(commands(generation(rows), generation())) == 5
