#!/bin/sh
# What slapd (2.6.10) knows of its own last change when it starts. It writes the stamp of it down
# only now and then (syncprov-checkpoint), and looks for no later one: after a power cut, with a
# stamp of before, it refuses the other people hosts for being newer than itself, and never hands on
# changes that they had not got. Of its log it makes a stamp up, for which no change stands, and by
# which it is said to lack what nobody has. Here both databases get one stamp, of now: the others
# take all that came before it.
set -eu
held=$(slapcat -f {{ config }} -b {{ suffix }} -o ldif-wrap=no 2>/dev/null | sed -n '/^$/q;s/^contextCSN: //p')
[ "$held" ] || exit 0 # empty, or not yet filled by another host
own=$(echo "$held" | grep '#{{ own }}#' || true)
if [ "$own" ]; then
    now=$(date -u +%Y%m%d%H%M%S.%6NZ)#000000#{{ own }}#000000
    own=$(printf '%s\n' "$own" "$now" | sort | tail -n 1)
fi
others=$(echo "$held" | grep -v '#{{ own }}#' || true)
for suffix in {{ suffix }} cn=log; do
    {
        printf 'dn: %s\nchangetype: modify\nreplace: contextCSN\n' "$suffix"
        printf '%s\n' "$others" "$own" | sed -n 's/^./contextCSN: &/p'
    } | slapmodify -f {{ config }} -b "$suffix"
done
