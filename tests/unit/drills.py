"""A vault's drills, and when one was."""

from danhba.drill.config import Config

CONFIG = Config(
    host="vault1",
    province="An Giang",
    basis="50/2009/QĐ-UBND",
    timezone="Asia/Ho_Chi_Minh",
    suffix="dc=angiang,dc=gov,dc=vn",
    stores=("store1", "store2"),
    people=("store1",),
    edges=("mx1",),
    mailboxes=4,
    repositories="",
    turn="",
)
NOW = "2026-11-26T20:00:00+00:00"
