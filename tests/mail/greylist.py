"""Five minutes of the greylist's, in no time."""

from __future__ import annotations

from province import Province

_EARLIER = (
    "for _, key in ipairs(redis.call('KEYS', 'grey:m:*')) do"
    " redis.call('SET', key, redis.call('GET', key) - 301, 'KEEPTTL') end return 1"
)


def later(province: Province, edge: str) -> None:
    """As if they had gone by: what this edge has seen, it saw longer ago."""
    argv = ["valkey-cli", "-s", "/run/valkey/valkey", "eval", _EARLIER, "0"]
    assert province.lab.run(edge, argv).stdout.strip() == "1"


def strangers(province: Province) -> None:
    """Nobody is known any more."""
    script = "for _, key in ipairs(redis.call('KEYS', 'grey:*')) do redis.call('DEL', key) end"
    for edge in province.environment.having("edge"):
        argv = ["valkey-cli", "-s", "/run/valkey/valkey", "eval", script, "0"]
        province.lab.run(edge.name, argv)
