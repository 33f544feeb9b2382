"""Packs with the codecs that Node does not have, so that our decoders are held against others' encoders.

    pip install 'fastavro==1.13.1' 'lz4==4.4.5' && python make.py

manifest.*.avro is a manifest of ../iceberg written again by fastavro. packed.puffin has a packed footer and packed blobs. The
other files hold `plain`, which the test puts together from the same parts.
"""

import bz2
import json
import lzma
import pathlib
import struct

import fastavro
import lz4.frame

here = pathlib.Path(__file__).parent
iceberg = here.parent / "iceberg"


def manifests():
    path = next(iceberg.glob("types/metadata/*-m0.avro"))
    with path.open("rb") as file:
        reader = fastavro.reader(file, return_record_name=True)
        records = list(reader)
        header = {key: value for key, value in reader.metadata.items() if not key.startswith("avro.")}
        schema = json.loads(reader.metadata["avro.schema"])
    for codec in ["bzip2", "xz"]:
        with (here / f"manifest.{codec}.avro").open("wb") as file:
            # Several blocks: a manifest of this size would fit into one.
            fastavro.writer(file, schema, records, codec=codec, metadata=header, sync_interval=500)
    (here / "manifest.json").write_text(json.dumps({"from": str(path.relative_to(iceberg)), "records": len(records)}) + "\n")


def plain():
    """Text, bytes that nothing makes smaller, and a run longer than any window of theirs counts at once."""
    avro = sorted(iceberg.rglob("*.avro"), key=lambda path: path.name)
    return (iceberg / "expected.json").read_bytes() + b"".join(path.read_bytes() for path in avro) + b"x" * 300_000 + b"end"


def puffin():
    blob = lz4.frame.compress(b"a sketch " * 100)
    entry = {"type": "a-sketch-v1", "fields": [1], "snapshot-id": 7, "sequence-number": 3, "offset": 4, "length": len(blob), "compression-codec": "lz4"}
    payload = lz4.frame.compress(json.dumps({"blobs": [entry], "properties": {"created-by": "make.py", "note": "n" * 200}}).encode())
    (here / "packed.puffin").write_bytes(b"PFA1" + blob + b"PFA1" + payload + struct.pack("<iI", len(payload), 1) + b"PFA1")


manifests()
puffin()
data = plain()
lzma2 = {"id": lzma.FILTER_LZMA2}
files = {
    "blocks.bz2": bz2.compress(data, 1),
    "streams.bz2": bz2.compress(data[:1000], 9) + bz2.compress(b"") + bz2.compress(data[1000:], 9),
    "crc64.xz": lzma.compress(data),
    "crc32.xz": lzma.compress(data, preset=0, check=lzma.CHECK_CRC32),
    "sha256.xz": lzma.compress(data, check=lzma.CHECK_SHA256, filters=[{**lzma2, "lc": 0, "lp": 4, "pb": 4, "dict_size": 4096}]),
    "streams.xz": lzma.compress(data[:1000], check=lzma.CHECK_NONE) + bytes(8) + lzma.compress(data[1000:], filters=[{**lzma2, "lc": 4, "lp": 0, "pb": 0}]),
    "linked.lz4": lz4.frame.compress(data, store_size=False, block_linked=True, content_checksum=True),
    "sums.lz4": lz4.frame.compress(data, compression_level=9, block_linked=False, block_checksum=True, content_checksum=True),
}
for name, packed in files.items():
    (here / name).write_bytes(packed)
