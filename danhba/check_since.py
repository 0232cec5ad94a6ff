"""What a change may not do: take an address away or hand it on (Điều 5.3), turn a status the wrong
way (Điều 6), disturb many without an approval."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from danhba import naming
from danhba.check_guards import check_guards
from danhba.check_life import leads_to
from danhba.check_naming import holders
from danhba.findings import Finding, shown
from danhba.model import Agency, Closure, Directory, Hold, Person


def check_since(old: Directory, new: Directory, day: date | None = None) -> Iterator[Finding]:
    """Errors of the change from old to new. day: on which it is made, the province's today by
    default."""
    if old.province.domain != new.province.domain:
        message = f"the domain was {old.province.domain}: every address would be another one"
        yield Finding(new.file, new.province.line, "error", "Điều 5.3", message,
                      f"write domain: {old.province.domain}")  # fmt: skip
    yield from _lost(old, new, day or new.today())
    yield from _handed_on(old, new)
    yield from _people(old, new, day or new.today())
    yield from _agencies(old, new)
    yield from _rooms(old, new)
    yield from _sooner(old, new, day or new.today())
    yield from _approvals(old, new)
    yield from _holds(old, new)
    yield from check_guards(old, new)


def _lost(old: Directory, new: Directory, day: date) -> Iterator[Finding]:
    """Every address of `old` that `new` does not know any more: nothing may leave the file."""
    known = holders(new)
    retired = {each.address: each.line for each in new.retired}
    for agency in old.agencies:
        if agency.address not in known:
            yield _gone(new, agency.address, agency.name, agency.line)
        for person in agency.staff:
            if person.address not in known:
                yield _gone(new, person.address, person.name, person.line)
            elif person.address in retired and not person.status:
                yield _retired_alive(new, person, retired[person.address])
            elif person.address in retired and (time := old.keeping(person)) and day < time.removed:
                yield _retired_kept(new, person, retired[person.address], time.removed)
    for alias in old.aliases:
        if alias.address not in known:
            yield _gone(new, alias.address, f"bí danh của {alias.to}", alias.line)
    for name in old.retired:
        if name.address not in retired:
            yield _gone(new, name.address, name.was, name.line)


def _gone(new: Directory, address: str, was: str, line: int) -> Finding:
    """There is no line for what is not there: the head of the file stands for it."""
    message = f"the address {shown(address)} of {was} has left the file, formerly on line {line}"
    entry = f'{address}: {{was: "{was}", since: ...}}'
    remedy = f"put the line back, or keep the address from others: {entry} under retired"
    return Finding(new.file, new.province.line, "error", "Điều 5.3", message, remedy)


def _retired_alive(new: Directory, person: Person, line: int) -> Finding:
    message = f"{person.name} has an active mailbox, and his address is retired"
    remedy = f"put his line back, and danhba withdraw {person.address} if he has left"
    return Finding(new.file, line, "error", "Điều 6.3", message, remedy)


def _retired_kept(new: Directory, person: Person, line: int, removed: date) -> Finding:
    """The servers know what is in the file only: nobody would archive the mailbox."""
    message = f"the mailbox of {person.name} is kept until it is archived and, {removed}, removed"
    remedy = f"put his line back until danhba apply of {removed} or later has removed it"
    return Finding(new.file, line, "error", "Điều 6.3", message, remedy)


def _people(old: Directory, new: Directory, day: date) -> Iterator[Finding]:
    after = {person.id: person for person in new.people}
    before = {agency.address: _key(agency) for agency in old.agencies}
    agencies = {agency.address: _key(agency) for agency in new.agencies}
    there = set(agencies.values())
    for person in old.people:
        if now := after.get(person.id):
            left = before[person.agency]
            moved = left != agencies[now.agency] and left in there
            yield from _turned(new, person, now)
            yield from _unasked(new, person, now, moved)
            yield from _archived_at_once(new, person, now, day)


def _archived_at_once(new: Directory, was: Person, now: Person, day: date) -> Iterator[Finding]:
    """Entered so late that the time for which a mailbox is kept has passed: it lies beside its
    archive as long as any other, but somebody should know."""
    time = new.keeping(now)
    gone = was.status is not None and was.status.kind == "withdrawn"
    if time and now.status and not gone and time.archived <= day:
        removed = day + timedelta(days=new.policy.mailbox_archived_days)
        message = f"{now.name} is withdrawn from {now.status.since}: an apply archives the mailbox "
        message += f"at once, and one from {removed} on removes it"
        remedy = "see that the year is right; if it is, nothing"
        yield Finding(new.file, now.line, "warning", "Điều 6.3", message, remedy)


def _unasked(new: Directory, was: Person, now: Person, moved: bool) -> Iterator[Finding]:
    """Every change of agency and every withdrawal rests on a list or a decision of its own."""
    if was.since != now.since:
        message = f"{now.name} was registered on {was.since}, now on {now.since}"
        yield Finding(new.file, now.line, "error", "Điều 5.3", message, f"write since: {was.since}")
    if _new_papers(was, now):
        return
    status, before = now.status, was.status
    ended = status is not None and status.kind == "withdrawn" and (
        before is None or before.kind != "withdrawn"
    )  # fmt: skip
    if ended:
        message = f"{now.name} is withdrawn, and neither a new letter nor a decision says so"
        remedy = "add `decision: ...`, or the letter as request and its day as changed"
        yield Finding(new.file, now.line, "error", "Điều 6.3", message, remedy)
    elif naming.fold(was.name) != naming.fold(now.name):
        message = f"{was.name} is called {now.name} now, and nobody has asked for it"
        remedy = "danhba rename, or cite the letter as request and its day as changed"
        yield Finding(new.file, now.line, "error", "Điều 5.3.b", message, remedy)
    elif moved:
        message = f"{now.name} is in {now.agency} now, and nobody has asked for it"
        remedy = f"cite the letter of {now.agency} as request and its day as changed, or a decision"
        yield Finding(new.file, now.line, "error", "Điều 6.2", message, remedy)


def _new_papers(was: Person, now: Person) -> set[str]:
    """What somebody's line rests on now and did not before."""
    return {now.request, now.decision} - {was.request, was.decision, ""}


def _handed_on(old: Directory, new: Directory) -> Iterator[Finding]:
    """Addresses that are another's by now. An alias without an end may be led elsewhere: it was
    nobody's own. Of an agency that has another mailbox _agencies tells."""
    before, after = _holders(old), _holders(new)
    aliases = {alias.address for alias in new.aliases}
    led = {alias.address for alias in old.aliases if not alias.until} & aliases
    agencies = {agency.address for agency in old.agencies}
    for address, was in before.items():
        now = after.get(address)
        if now is None or address in led or _key(now) == _key(was):
            continue
        if address not in agencies or isinstance(now, Person):
            code = f" (staff code {was.id})" if isinstance(was, Person) else ""
            message = f"{now.name} has the address {shown(address)}, which is {was.name}'s{code}"
            remedy = "take another address; this one has a mailbox and a password"
            yield Finding(new.file, now.line, "error", "Điều 5.3", message, remedy)


def _holders(directory: Directory) -> dict[str, Agency | Person]:
    """Who gets the mail of each address, of old names too."""
    found: dict[str, Agency | Person] = {each.address: each for each in directory.agencies}
    found |= {each.address: each for each in directory.people}
    leads = leads_to(directory)
    return found | {name: found[end] for name, end in leads.items() if end in found}


def _key(holder: Agency | Person) -> str:
    """What stays the same of somebody whatever changes."""
    return holder.id if isinstance(holder, Person) else f"{holder.kept_as}@"


def _turned(new: Directory, was: Person, now: Person) -> Iterator[Finding]:
    """Somebody's status and account, before and after."""

    def wrong(message: str, remedy: str, clause: str) -> Finding:
        return Finding(new.file, now.line, "error", clause, f"{now.name} {message}", remedy)

    before, after, paper = was.status, now.status, bool(_new_papers(was, now))
    if before and before.kind == "withdrawn":
        # Else to take the change back, which brings the paper of before, would be enough.
        later = (now.changed or date.min) >= (was.changed or was.since)
        if after is None and not (paper and later):
            remedy = f"danhba reinstate {now.address} --request NUMBER"
            yield wrong("is active again, and no new list asks for it", remedy, "Điều 6.4")
        elif after and after.kind == "locked":
            remedy = "reinstate first; who is withdrawn cannot log in anyway"
            yield wrong("was withdrawn and is only locked now", remedy, "Điều 6.3")
        elif after and after.since > before.since and not paper:
            message = f"was withdrawn from {before.since}, now from {after.since}, and no new list "
            yield wrong(f"{message}asks for it", "put the day back, or cite one", "Điều 6.4")
    waits = before is not None and before.confirm_by is not None
    if waits and after and after.kind == "locked" and not after.confirm_by and not paper:
        remedy = f"danhba lock {now.address} --request NUMBER, or write confirm_by again"
        yield wrong("is locked, and no new letter confirms it", remedy, "Điều 10.2.a")
    locked = before is not None and before.kind == "locked"
    if locked and before and after and after.first > before.first:
        remedy = f"write `locked: {before.since}`, or danhba unlock before"
        yield wrong("was locked, and could log in until the withdrawal", remedy, "Điều 10.2.a")
    if was.kept_as != now.kept_as:
        remedy = f"write `account: {was.kept_as}`, or danhba rename"
        yield wrong("would get another mailbox", remedy, "Điều 5.3")


def _agencies(old: Directory, new: Directory) -> Iterator[Finding]:
    after = {agency.address: agency for agency in new.agencies}
    leads = leads_to(new)
    for was in old.agencies:
        now = after.get(leads.get(was.address, was.address))
        if now is None:
            continue
        if was.closed and _is_open_again(was.closed, now.closed):
            remedy = "found a new one: danhba agency add"
            message = f"{now.name} was closed from {was.closed.since} and is open again"
            yield Finding(new.file, now.line, "error", "Điều 5.3", message, remedy)
        yield from _keepers(new, {leads.get(each, each) for each in was.keepers}, now)
        yield from _closing(new, was, now)
        if naming.fold(was.name) != naming.fold(now.name) and was.decision == now.decision:
            message = f"{was.name} is called {now.name} now, and no decision says so"
            remedy = "danhba agency rename, or write the decision"
            yield Finding(new.file, now.line, "error", "Điều 5.3.a", message, remedy)
        account = was.kept_as
        if now.kept_as != account:
            message = f"{shown(was.address)} was {was.name}, and leads to another mailbox now"
            remedy = f"write `account: {account}`, or danhba agency rename or merge"
            yield Finding(new.file, now.line, "error", "Điều 5.3", message, remedy)


def _closing(new: Directory, was: Agency, now: Agency) -> Iterator[Finding]:
    """Its mail goes to others from now on: that is decided, and its staff has gone before."""
    if now.closed is None:
        return
    left = [each for each in now.staff if not each.status or each.status.kind != "withdrawn"]
    if was.closed is None and left:
        message = (
            f"{now.address} is closed with {len(left)} of staff in it, {left[0].address} first"
        )
        remedy = f"danhba agency merge {now.address}, or transfer or withdraw each"
        yield Finding(new.file, now.line, "error", "Điều 9.2.a", message, remedy)
    if was.closed and was.closed.decision == now.closed.decision:
        heirs = tuple(leads_to(new).get(each, each) for each in was.closed.successors)
        if heirs[:1] != now.closed.successors[:1]:
            message = f"the mail of {now.address} goes to another agency, and no decision says so"
            remedy = f"write successors: [{', '.join(heirs)}], or the decision"
            yield Finding(new.file, now.line, "error", "Điều 5.3", message, remedy)


def _keepers(new: Directory, before: set[str], now: Agency) -> Iterator[Finding]:
    """Who keeps a mailbox until he leaves is told of by check_life; nobody who leaves begins to.
    before: who kept it, by the addresses of now."""
    leaving = {each.address: each.status for each in now.staff if each.status}
    for keeper in sorted((set(now.keepers) - before) & leaving.keys()):
        status = leaving[keeper]
        message = f"{keeper} is to keep {now.address} and is {status.kind} from {status.since}"
        remedy = f"danhba keeper {now.address} --remove {keeper}"
        yield Finding(new.file, now.line, "error", "Điều 9.2.c", message, remedy)


def _rooms(old: Directory, new: Directory) -> Iterator[Finding]:
    """Another figure for a mailbox rests on another decision."""
    before = {_key(each): each.quota for each in _with_mailbox(old)}
    for each in _with_mailbox(new):
        was, now = before.get(_key(each)), each.quota
        if was and now and was.gb != now.gb and was.decision == now.decision:
            message = f"{each.name} has {now.gb} GB by {now.decision}, which gave {was.gb} GB"
            remedy = f"name the decision of the change, or write gb: {was.gb}"
            yield Finding(new.file, now.line, "error", "Điều 10.1", message, remedy)


def _with_mailbox(directory: Directory) -> Iterator[Agency | Person]:
    yield from directory.agencies
    yield from directory.people


def _sooner(old: Directory, new: Directory, day: date) -> Iterator[Finding]:
    """Whoever knows an old address was told, or may trust, that it receives until a day."""
    told = {alias.address for alias in old.aliases if alias.until}
    for alias in new.aliases:
        if alias.address not in told and alias.is_expired(day):
            message = f"{alias.address} is to receive until {alias.until}, which has passed"
            remedy = "write a day until which whoever knows the address can be told"
            yield Finding(new.file, alias.line, "error", "", message, remedy)
    days = {alias.address: (alias.until, alias.line) for alias in new.aliases}
    days |= {each.address: (each.closed.until, each.line) for each in new.agencies if each.closed}
    before = {alias.address: alias.until for alias in old.aliases}
    before |= {each.address: each.closed.until for each in old.agencies if each.closed}
    for address, was in before.items():
        now, line = days.get(address, (None, 0))
        if was and now and now < was:
            message = f"{address} was to receive until {was}, now until {now}"
            remedy = f"write until: {was}, or a later day"
            yield Finding(new.file, line, "error", "", message, remedy)


def _approvals(old: Directory, new: Directory) -> Iterator[Finding]:
    """A record of who decided what; and one that is gone could be made to count again."""
    now = {each.decision: (each.people, each.agencies, each.protected) for each in new.approve}
    for was in old.approve:
        if now.get(was.decision) != (was.people, was.agencies, was.protected):
            message = f"the approval {shown(was.decision)} is gone, or says something else"
            remedy = f"put it back as on line {was.line}; a new change brings an entry of its own"
            yield Finding(new.file, new.province.line, "error", "", message, remedy)


def _holds(old: Directory, new: Directory) -> Iterator[Finding]:
    """What was asked to be kept stays kept, and who asked stays known, until a paper ends it."""
    after = {hold.case: hold for hold in new.holds}
    for was in old.holds:
        now = after.get(was.case)
        if now is None:
            message = f"the hold {shown(was.case)} has left the file, formerly on line {was.line}"
            remedy = f"put the line back; danhba hold release {was.case} --decision NUMBER ends it"
            yield Finding(new.file, new.province.line, "error", "Điều 8.9", message, remedy)
        elif lost := _lost_of(was, now):
            message = f"the hold {shown(was.case)} {lost}"
            remedy = f"write it as before: danhba hold release {was.case} --decision NUMBER ends it"
            yield Finding(new.file, now.line, "error", "Điều 8.9", message, remedy)


def _lost_of(was: Hold, now: Hold) -> str:
    """How a hold keeps less than it did, or on another's word; "" when it does not."""
    paper = (was.authority, was.request, was.asked)
    if paper != (now.authority, now.request, now.asked):
        return f"rested on {was.request} of {was.authority}, {was.asked}, and no longer does"
    if gone := sorted(set(was.addresses) - set(now.addresses)):
        return f"is not of {', '.join(gone)} any more"
    if now.first > was.first or (now.last or date.max) < (was.last or date.max):
        return f"was of mail from {was.first} to {was.last or 'any day'}, now of fewer days"
    if was.released and now.released and was.released.since > now.released.since:
        same = was.released.decision == now.released.decision
        return f"was to last until {was.released.since}, now ends earlier" if same else ""
    return ""


def _is_open_again(was: Closure, now: Closure | None) -> bool:
    """Also for a while only, unless another decision says so."""
    return now is None or (now.since > was.since and now.decision == was.decision)
