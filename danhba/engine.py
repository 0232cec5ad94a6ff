"""Whatever drives pyinfra's Python API, in one place: connect, ask, run, and what failed."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click
import gevent
from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.operations import run_ops
from pyinfra.api.state import BaseStateCallback, State
from pyinfra.context import ctx_host, ctx_inventory, ctx_state

from danhba import inventory
from danhba.errors import DanhbaError
from danhba.generations import remote
from danhba.generations.host.common import UNKNOWN
from danhba.inventory import ROLES, Environment

Answer = TypeVar("Answer")


class EngineError(DanhbaError):
    """A host could not be reached, or a step failed there. The message names host and reason."""


class ConnectionLost(EngineError):
    """It is not known whether the step was done."""


def environment_of(hosts: Inventory) -> Environment:
    """The Environment behind pyinfra's own inventory, for runs started by pyinfra's CLI."""
    data = {host.name: host.data.dict() for host in hosts}  # type: ignore[no-untyped-call]
    roles = {host.name: [role for role in ROLES if role in host.groups] for host in hosts}
    return inventory.build("", data, roles)


class _Watch(BaseStateCallback):
    """Tells progress, one line an operation."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell

    def operation_start(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        self.tell(", ".join(state.get_op_meta(op_hash).names))

    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        """What a step did beyond what the plan says: to heal a host, say."""
        for host in state.inventory.get_active_hosts():
            done = state.get_op_data_for_host(host, op_hash).operation_meta
            if done.is_complete() and done.stdout_lines:
                for line in remote.answer(done.stdout_lines).get("told", ()):
                    self.tell(f"{host.name}: {line}")


@dataclass
class Session:
    """Connections to the hosts of one environment. said: what hosts printed when a step failed.
    absent: names of hosts that do not answer, to a caller who goes on without them."""

    state: State
    said: list[str] = field(default_factory=list)
    absent: tuple[str, ...] = ()

    def each(self, work: Callable[[Host], Answer]) -> dict[str, Answer]:
        """Do one thing on all hosts at once. Raises EngineError naming every host that failed."""

        failed: dict[str, Exception] = {}
        done: dict[str, Answer] = {}

        def on(host: Host) -> None:
            with ctx_host.use(host), ctx_inventory.use(self.state.inventory):
                try:
                    done[host.name] = work(host)
                except Exception as error:  # gevent would print it
                    failed[host.name] = error

        with ctx_state.use(self.state):
            gevent.joinall([gevent.spawn(on, host) for host in self.hosts()])
        if failed:
            reasons = [f"{name}: {error}" for name, error in failed.items()]
            lost = any(isinstance(error, ConnectionLost) for error in failed.values())
            kind = ConnectionLost if lost else EngineError
            raise kind("\n".join(self.said + reasons)) from next(iter(failed.values()))
        return done

    def in_order(self, work: Callable[[Host], None]) -> None:
        """Add operations host by host, so that all hosts have them in one order."""
        with ctx_state.use(self.state), ctx_inventory.use(self.state.inventory):
            for host in self.hosts():
                with ctx_host.use(host):
                    work(host)

    def hosts(self) -> list[Host]:
        """Connected hosts, in the order of the inventory."""
        active = set(self.state.inventory.get_active_hosts())
        return [host for host in self.state.inventory if host in active]

    def run(self, tell: Callable[[str], None]) -> None:
        """Run the added operations. Raises EngineError with what the hosts said."""
        self.state.add_callback_handler(_Watch(tell))  # type: ignore[no-untyped-call]
        try:
            run_ops(self.state)
        except PyinfraError as error:
            raise EngineError("\n".join(self.said) or str(error)) from None

    def step(self, host: Host, step: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One step of danhba.generations outside an operation. Raises EngineError."""
        command = StringCommand(remote.COMMAND)
        try:
            done, output = host.run_shell_command(command, _stdin=remote.stdin(step, request))
        except (OSError, SSHException) as error:
            raise ConnectionLost(f"connection lost ({error})") from None
        if not done and not output.stderr:  # killed, say
            raise ConnectionLost(f"the step {step} ended without a word")
        if not done:
            cut_off = output.stderr.startswith(UNKNOWN)
            raise (ConnectionLost if cut_off else EngineError)(output.stderr)
        return remote.answer(output.stdout.splitlines())

    @contextlib.contextmanager
    def within(self, host: Host, seconds: float) -> Iterator[None]:
        """After so long the connection to a host ends, and with it the step that waits for it:
        the host may accept connections and yet do nothing, when its disk hangs. Raises
        ConnectionLost."""
        ended = threading.Event()

        def end() -> None:
            ended.set()
            host.connector.client.close()  # type: ignore[attr-defined]

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except EngineError as error:
            if not ended.is_set():
                raise
            raise ConnectionLost(f"no answer within {seconds:.0f} s") from error
        finally:
            timer.cancel()

    def ask(self, host: Host, program: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """What a program of a service's own answers, that a generation brought to the host.

        It reads JSON and prints what remote.answer unpacks. Raises EngineError.
        """
        command, text = StringCommand(program, "ask"), json.dumps(question)
        try:
            done, output = host.run_shell_command(command, _stdin=[text])
        except (OSError, SSHException) as error:
            raise ConnectionLost(f"connection lost ({error})") from None
        if not done:
            raise EngineError(output.stderr or f"{program} ended without a word")
        return remote.answer(output.stdout.splitlines())


class _HostWords(logging.Handler):
    """pyinfra logs what a failed command printed; here it becomes part of the error instead."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(click.unstyle(record.getMessage()).strip())


class _Everything(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.DEBUG)
        self.tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self.tell(click.unstyle(record.getMessage()).rstrip())


@contextlib.contextmanager
def session(
    env: Environment,
    limit: str | None = None,
    tell: Callable[[str], None] | None = None,
    partly: bool = False,
    without: Collection[str] = (),
) -> Iterator[Session]:
    """Connect to all hosts in parallel, strictly checking host keys. Raises EngineError.

    tell gets every line that pyinfra logs of its commands; their input is never among them.
    partly: some hosts may be absent, not all. without: those of which that is known.
    """
    names = [(host.name, dict(host.data)) for host in env.hosts]
    groups: dict[str, Any] = {
        role: ([host.name for host in env.having(role)], {}) for role in ROLES
    }
    hosts = Inventory((names, {}), **groups)  # type: ignore[no-untyped-call]
    state = State(hosts, Config(FAIL_PERCENT=99 if partly else 0))  # type: ignore[no-untyped-call]
    if limit:
        state.limit_hosts = [host for host in hosts if host.name == limit]
        if not state.limit_hosts:
            raise EngineError(f"{env.name} has no host {limit}")
    elif without:
        state.limit_hosts = [host for host in hosts if host.name not in without]
    own = Session(state)
    # Ctrl-C is no failure of the part that it meets: its stack tells an engineer nothing.
    gevent.get_hub().NOT_ERROR = (*gevent.hub.Hub.NOT_ERROR, KeyboardInterrupt)
    with _heard(own.said, tell):
        try:
            connect_all(state)
        except PyinfraError as error:
            reasons = [_UNREACHED.sub(_unreached, line) for line in own.said]
            raise EngineError("\n".join(reasons) or str(error)) from None
        state.config.FAIL_PERCENT = 0  # from now on every host that is there counts
        asked = [host for host in hosts if host in (state.limit_hosts or hosts)]
        there = {host.name for host in own.hosts()}
        own.absent = tuple(
            host.name
            for host in hosts
            if host.name not in there and (host in asked or host.name in without)
        )
        try:
            yield own
        finally:
            disconnect_all(state)


_UNREACHED = re.compile(r"\[(\S+)\] +Could not connect \((?:\[Errno \w+\] )?(.*)\)", re.DOTALL)


def _unreached(found: re.Match[str]) -> str:
    """What pyinfra says of a host that is off, or that no way leads to."""
    return f"{found[1]} does not answer: see that it runs ({found[2]})"


@contextlib.contextmanager
def _heard(said: list[str], tell: Callable[[str], None] | None) -> Iterator[None]:
    logger = logging.getLogger("pyinfra")
    handlers: list[logging.Handler] = [_HostWords(said)]
    if tell:
        handlers.append(_Everything(tell))
        logger.setLevel(logging.DEBUG)
    before, logger.propagate = logger.propagate, False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
        logger.propagate = before
