# What SQLAlchemy reflects and psycopg reads back, one line each. An error ends it.
import datetime
import decimal
import sys
import uuid

import psycopg
import sqlalchemy as sa

url = sys.argv[1]
engine = sa.create_engine(url.replace("postgres://", "postgresql+psycopg://"))
about = sa.inspect(engine)
print(about.get_schema_names(), about.default_schema_name)
for name in ["table_names", "view_names", "materialized_view_names", "sequence_names", "enums", "domains"]:
    print(name, getattr(about, f"get_{name}")(schema="raw"))
for table in ["sales", "keyed"]:
    for name in ["columns", "pk_constraint", "foreign_keys", "indexes", "unique_constraints", "check_constraints", "table_comment"]:
        print(table, name, getattr(about, f"get_{name}")(table, schema="raw"))
print(about.get_view_definition("v", schema="raw"))
tables = sa.MetaData(schema="raw")
tables.reflect(bind=engine, views=True)
print(sorted(tables.tables))
with engine.connect() as connection:
    keyed = tables.tables["raw.keyed"]
    connection.execute(sa.insert(keyed), [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}])
    print(connection.execute(sa.select(keyed).where(keyed.c.id.in_([1, 2])).order_by(keyed.c.id)).fetchall())
    connection.rollback()
    print(connection.execute(sa.select(sa.func.count()).select_from(keyed)).scalar())
engine.dispose()

values = [
    1, 2**40, 1.5, decimal.Decimal("12.345"), "it's a text", True, None, datetime.date(2024, 1, 2),
    datetime.datetime(2024, 1, 2, 3, 4, 5, 6), datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc),
    datetime.timedelta(days=1, seconds=5), uuid.UUID(int=5), b"ab\x00", [1, 2, 3],
]
with psycopg.connect(url) as connection:
    for binary in (False, True):
        for value in values:
            found = connection.execute("select %b" if binary else "select %s", [value], binary=binary).fetchone()[0]
            assert found == value, (binary, value, found)
    with connection.cursor("rows") as cursor:
        cursor.itersize = 100
        cursor.execute("select * from range(1000) t(i)")
        print("cursor", sum(row[0] for row in cursor))
    with connection.cursor() as cursor:
        with cursor.copy("copy (select 1 a, null b) to stdout") as copy:
            print("copy", list(copy.rows()))
        with cursor.copy("copy (select range from range(3)) to stdout (format binary)") as copy:
            copy.set_types(["int8"])
            print("binary copy", list(copy.rows()))
    with connection.pipeline():
        answers = [connection.execute("select %s::int", [n]) for n in range(3)]
    print("pipeline", [answer.fetchone() for answer in answers])
