"""One writer of a contended table through the REST catalog; table-process.ts with PyIceberg. Prints what came of it.

    writer.py URI TOKEN TABLE WRITER KIND COUNT
"""

import json
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException, ValidationException

uri, token, name, writer, kind, count = sys.argv[1:]
writer, count = int(writer), int(count)
table = load_catalog('dev', type='rest', uri=uri, warehouse='dev', token=token).load_table(f'raw.{name}')
schema = pa.schema([('writer', pa.int32()), ('seq', pa.int32()), ('value', pa.string())])
outcome = dict(done=0, conflicts=0, failures=[])


def winning(work):
    while True:
        try:
            work()
            outcome['done'] += 1
            return
        except (CommitFailedException, ValidationException):  # the second: it found the conflict itself
            outcome['conflicts'] += 1
        except Exception as error:
            outcome['failures'].append(f'{type(error).__name__}: {error}')
            if len(outcome['failures']) > 10:
                return
        table.refresh()


for seq in range(count):
    if kind == 'append' or seq % 2 == 0:
        winning(lambda: table.append(pa.table([[writer], [seq], [f'v{seq}']], schema=schema)))
    else:
        winning(lambda: table.delete(f'writer == {writer} and seq == {seq - 1}'))
print(json.dumps(outcome))
