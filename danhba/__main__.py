"""python -m danhba"""

from danhba.commands import main

main()
