"""An engine of others that stays open and does what it is told: one line of standard input is a piece of Python as JSON
text, one line of standard output says what it left in `answer`, or which error it raised.

    peer.py spark JAR        `sql(text)` runs a statement of Spark and gives its rows
    peer.py pyiceberg        `catalog(name)` is PyIceberg's

`connect(name, uri, warehouse, token)` comes first in both.
"""

import atexit
import base64
import datetime
import decimal
import json
import math
import shutil
import sys
import tempfile
import uuid


kind, *arguments = sys.argv[1:]


def shown(value):
    """As Boathouse's engine writes values into JSON."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 - 1 else str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return 'NaN'
        return value if math.isfinite(value) else ('Infinity' if value > 0 else '-Infinity')
    if isinstance(value, decimal.Decimal):
        return format(value, 'f')
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime.datetime):
        nanoseconds = getattr(value, 'nanosecond', 0)
        digits = f'{value.microsecond:06d}{nanoseconds:03d}'.rstrip('0')
        text = f'{value.year:04d}-{value:%m-%d %H:%M:%S}' + (f'.{digits}' if digits else '')
        return text if value.tzinfo is None else f'{text.replace(" ", "T")}Z'
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    # Spark gives a struct as a Row and a map as a dict; Arrow a struct as a dict and a map as pairs.
    if hasattr(value, 'asDict'):
        return {name: shown(part) for name, part in value.asDict().items()}
    if isinstance(value, dict) and kind == 'spark':
        value = list(value.items())
    if isinstance(value, dict):
        return {name: shown(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shown(part) for part in value]
    if isinstance(value, tuple):
        return dict(key=shown(value[0]), value=shown(value[1]))
    raise TypeError(type(value))


def open_spark(jar):
    from pyspark.sql import SparkSession

    warehouse = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, warehouse)
    spark = (
        SparkSession.builder.master('local[2]')
        .config('spark.jars', jar)
        .config('spark.sql.extensions', 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions')
        .config('spark.sql.session.timeZone', 'UTC')
        .config('spark.sql.warehouse.dir', warehouse)
        .config('spark.sql.shuffle.partitions', '2')
        .config('spark.ui.enabled', 'false')
        .config('spark.driver.memory', '1g')
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel('OFF')

    def connect(name, uri, warehouse, token):
        spark.conf.set(f'spark.sql.catalog.{name}', 'org.apache.iceberg.spark.SparkCatalog')
        settings = dict(type='rest', uri=uri, warehouse=warehouse, token=token)
        # What others committed meanwhile is to be seen.
        settings['cache-enabled'] = 'false'
        for key, value in settings.items():
            spark.conf.set(f'spark.sql.catalog.{name}.{key}', value)

    def sql(text):
        return [[shown(value) for value in row] for row in spark.sql(text).collect()]

    return dict(spark=spark, connect=connect, sql=sql, version=spark.version)


def open_pyiceberg():
    import pyarrow
    import pyiceberg
    from pyiceberg.catalog import load_catalog

    catalogs = {}

    def connect(name, uri, warehouse, token):
        catalogs[name] = load_catalog(name, type='rest', uri=uri, warehouse=warehouse, token=token)

    def rows(scan):
        table = scan.to_arrow()
        for at, field in enumerate(table.schema):
            # Python's own times have no nanoseconds.
            if pyarrow.types.is_timestamp(field.type) and field.type.unit == 'ns':
                table = table.set_column(at, field.name, table.column(at).cast('string'))
        return [[shown(row[name]) for name in table.column_names] for row in table.to_pylist()]

    return dict(connect=connect, catalog=catalogs.__getitem__, rows=rows, version=pyiceberg.__version__)


world = open_spark(*arguments) if kind == 'spark' else open_pyiceberg()
for line in sys.stdin:
    world['answer'] = None
    try:
        exec(json.loads(line), world)
        told = dict(answer=world['answer'])
    except Exception as error:
        text = str(getattr(error, 'desc', None) or getattr(error, 'java_exception', None) or error)
        told = dict(error=f'{type(error).__name__}: {text}'[:1000])
    print(json.dumps(told, default=str), flush=True)
