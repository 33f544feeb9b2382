import { expect, test } from 'vitest'
import { classify } from './classify.ts'
import { copyReader } from './copy-in.ts'

const formatOf = (options: string) => {
  const command = classify(`copy t from stdin ${options}`)
  if (command.kind !== 'copy-in') throw new Error(command.kind)
  return command.from
}
const read = (options: string, types: readonly string[], ...parts: readonly (string | Buffer)[]) => {
  const reader = copyReader(
    formatOf(options),
    types.map((type, at) => ({ name: `c${at}`, type })),
  )
  return [...parts.map((part) => reader(Buffer.from(part))), reader()].join('')
}

const [text, list] = ['VARCHAR', 'INTEGER[]']
const cases: [options: string, types: string[], given: string, lines: string][] = [
  ['', [text, text], 'a\tb\n\\N\t\n', '0,"a","b"\n0,,""\n'],
  ['', [text], 'a\\tb\\n\\\\ \\101\\x42 \\q\n', '0,"a\tb\n\\ AB q"\n'],
  ['', [text], 'a\\\nb\r\n', '0,"a\nb"\n'],
  ['', [text], 'say "no"', '0,"say ""no"""\n'],
  ['', [text], 'a\n\\.\nnever\n', '0,"a"\n'],
  ['', [text, text], '\\\\N\t\\\\\n', '0,"\\N","\\"\n'],
  ["delimiter '|' null 'x'", [text, text], 'x|a\\|b\n', '0,,"a|b"\n'],
  ['', ['BLOB', 'BOOLEAN', list], '\\\\x00FF\ton\t{1,NULL}\n', '0,"00FF","true","[""1"",null]"\n'],
  ['', ['TIMESTAMP'], '2024-01-02 03:04:05 +02\n', '0,"2024-01-02 03:04:05"\n'],
  ['csv', [text, text], 'a,"b,""c"\r\n,""\n', '0,"a","b,""c"\n0,,""\n'],
  ['csv header', [text], 'name\n"one\ntwo"', '0,"one\ntwo"\n'],
  ["csv quote '''' escape '\\' null 'NULL'", [text], "'it\\'s'\nNULL\n'NULL'\n", `0,"it's"\n0,\n0,"NULL"\n`],
  ['csv', [text], 'a\n\n\\.\nnever', '0,"a"\n0,\n'],
  ["(format csv, null 'x', force_null (c0), force_not_null (c1))", [text, text], '"x",x\nx,"x"\n', '0,,"x"\n0,,"x"\n'],
  ['(format csv, force_null("c0","C1"))', [text, text, text], '"",,""\n', '0,,,""\n'],
  ['csv force not null c1 force null c0', [text, text], '"",\n', '0,,""\n'],
  ['(format csv, force_not_null *)', [text, text], ',""\n', '0,"",""\n'],
  ['csv', [text], 'é"€"x\n', '0,"é€x"\n'],
]
test.each(cases)('%s %j %j', (options, types, given, lines) => {
  expect(read(options, types, given)).toBe(lines)
  // Wherever it is cut, also within a character.
  const bytes = Buffer.from(given)
  for (let at = 0; at <= bytes.length; at++)
    expect(read(options, types, bytes.subarray(0, at), bytes.subarray(at)), String(at)).toBe(lines)
})

const int32 = (value: number) => Buffer.from(new Int32Array([value]).buffer).swap32()
const binary = Buffer.concat([
  Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'),
  Buffer.concat([Buffer.from([0, 3]), int32(4), int32(-7), int32(-1), int32(2), Buffer.from('hi')]),
  Buffer.concat([Buffer.from([0, 3]), int32(-1), int32(2), Buffer.from([0, 255]), int32(0)]),
  Buffer.from([255, 255]),
])
test('the binary format, wherever it is cut', () => {
  const lines = '0,"-7",,"hi"\n0,,"00ff",""\n'
  for (let at = 0; at <= binary.length; at++)
    expect(
      read('(format binary)', ['INTEGER', 'BLOB', text], binary.subarray(0, at), binary.subarray(at)),
      String(at),
    ).toBe(lines)
})

test.each([
  ['', 'a\n', /missing data for column "c1", in line 1/],
  ['', 'a\tb\nc\td\te\n', /extra data after the last expected column, in line 2/],
  ['csv', '"a', /never closed/],
  ['', Buffer.from([97, 0xff, 10]), /not UTF-8/],
  ['', 'a\tb\\000\n', /zero byte/],
  ['(format csv, force_null (c2))', 'a,b', /FORCE_NULL column "c2" is none that COPY reads/],
  ['(force_null (c0))', 'a,b', /FORCE_NULL of COPY is of the format csv alone/],
  ['csv force c0', 'a,b', /FORCE_QUOTE, FORCE_NULL or FORCE_NOT_NULL/],
  ['(format binary)', 'PGCOPY no, this is none', /signature/],
  ['(format binary)', binary, /row field count is 3, expected 2/],
  ['(format binary)', binary.subarray(0, 30), /end too early/],
])('%s %j is refused', (options, given, message) => expect(() => read(options, [text, text], given)).toThrow(message))
