// What DuckDB has no function for and a write needs inside its SQL: the hash of Iceberg's bucket transform.

import {
  BIGINT,
  BLOB,
  DuckDBScalarFunction,
  INTEGER,
  VARCHAR,
  type DuckDBBlobValue,
  type DuckDBConnection,
  type DuckDBType,
} from '@duckdb/node-api'
import { murmur3 } from '../base/murmur3.ts'

/**
 * `murmur3(BLOB)` of the bytes, `murmur3_long(BIGINT)` of the number's eight bytes, low byte first, and
 * `murmur3_decimal(VARCHAR)` of the fewest bytes that hold the unscaled number, high byte first.
 */
export function registerFunctions(connection: DuckDBConnection): void {
  const eight = new Uint8Array(8)
  const view = new DataView(eight.buffer)
  const hashed = (name: string, parameter: DuckDBType, hash: (value: unknown) => number) =>
    connection.registerScalarFunction(
      DuckDBScalarFunction.create({
        name,
        parameterTypes: [parameter],
        returnType: INTEGER,
        mainFunction(_, input, output) {
          const values = input.getColumnVector(0)
          for (let row = 0; row < input.rowCount; row++) {
            const value = values.getItem(row)
            output.setItem(row, value === null ? null : hash(value))
          }
          output.flush()
        },
      }),
    )
  hashed('murmur3', BLOB, (value) => murmur3((value as DuckDBBlobValue).bytes))
  hashed('murmur3_long', BIGINT, (value) => {
    view.setBigInt64(0, value as bigint, true)
    return murmur3(eight)
  })
  hashed('murmur3_decimal', VARCHAR, (value) => murmur3(bigEndian(BigInt(value as string))))
}

/** Two's complement in as few bytes as hold it. */
function bigEndian(value: bigint): Uint8Array {
  let length = 1
  while (BigInt.asIntN(length * 8, value) !== value) length++
  return Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 0xffn))
}
