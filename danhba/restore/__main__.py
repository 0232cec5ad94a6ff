"""The command line; see danhba.restore."""

from __future__ import annotations

import base64
import json
import sys
import zlib

from .refusal import Refused
from .work import Request, restore


def main() -> int:
    source = sys.stdin.buffer
    try:
        done = restore(Request(**json.loads(source.readline())), source)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(base64.b64encode(zlib.compress(json.dumps(done).encode())).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
