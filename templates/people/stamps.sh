#!/bin/sh
# What slapd (2.6.10) knows of its own last change when it starts. It writes the stamp of it down
# only now and then (syncprov-checkpoint), and looks for no later one: after a power cut, with a
# stamp of before, it refuses the other people hosts for being newer than itself, and never hands on
# changes that they had not got. Of its log it makes a stamp up, for which no change stands, and by
# which it is said to lack what nobody has. Here both databases get one stamp, of the last change
# that was made here: of a deletion only the log knows. Never the time of now: of a clock that was
# ahead at boot the others would believe it, and ignore every change until that time has come.
set -eu
stored=$(slapcat -f {{ config }} -b {{ suffix }} -o ldif-wrap=no 2>/dev/null | sed -n '/^$/q;s/^contextCSN: //p')
[ "$stored" ] || exit 0 # empty, or not yet filled by another host
own=$(printf '%s\n' "$stored" | grep '#{{ own }}#' || true)
others=$(printf '%s\n' "$stored" | grep -v '#{{ own }}#' || true)
later="(entryCSN>=${own:-00000000000000.000000Z#000000#000#000000})"
own=$({
    printf '%s\n' "$own"
    for suffix in {{ suffix }} cn=log; do
        slapcat -f {{ config }} -b "$suffix" -a "$later" -o ldif-wrap=no 2>/dev/null || true
    done | sed -n '/^entryCSN: .*#{{ own }}#/s/^entryCSN: //p'
} | sort | tail -n 1)
for suffix in {{ suffix }} cn=log; do
    {
        printf 'dn: %s\nchangetype: modify\nreplace: contextCSN\n' "$suffix"
        printf '%s\n' "$others" "$own" | sed -n 's/^./contextCSN: &/p'
    } | slapmodify -f {{ plain }} -b "$suffix"
done
