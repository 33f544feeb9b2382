// `SELECT max(price) value`: PostgreSQL takes most of its words for a name there, without AS; the engine takes none of its own.

import { quoteName } from '../../../lake/index.ts'
import type { EditedSql } from './sql.ts'

/** Words of PostgreSQL that may be the name of what stands before them: `SELECT word, barelabel FROM pg_get_keywords()`. */
const words: ReadonlySet<string> = new Set(
  (
    'abort absolute access action add admin after aggregate also alter always asensitive assertion assignment at ' +
    'atomic attach attribute backward before begin between bigint bit boolean breadth by cache call called cascade ' +
    'cascaded catalog chain characteristics checkpoint class close cluster coalesce columns comment comments commit ' +
    'committed compression configuration conflict connection constraints content continue conversion copy cost csv ' +
    'cube current cursor cycle data database deallocate dec decimal declare defaults deferred definer delete ' +
    'delimiter delimiters depends depth detach dictionary disable discard document domain double drop each enable ' +
    'encoding encrypted enum escape event exclude excluding exclusive execute exists explain expression extension ' +
    'external extract family finalize first float following force forward function functions generated global ' +
    'granted greatest grouping groups handler header hold identity if immediate immutable implicit import include ' +
    'including increment index indexes inherit inherits inline inout input insensitive insert instead int integer ' +
    'interval invoker isolation key label language large last leakproof least level listen load local location lock ' +
    'locked logged mapping match matched materialized maxvalue merge method minvalue mode move name names national ' +
    'nchar new next nfc nfd nfkc nfkd no none normalize normalized nothing notify nowait nullif nulls numeric ' +
    'object of off oids old operator option options ordinality others out overlay overriding owned owner parallel ' +
    'parameter parser partial partition passing password plans policy position preceding prepare prepared preserve ' +
    'prior privileges procedural procedure procedures program publication quote range read real reassign recheck ' +
    'recursive ref referencing refresh reindex relative release rename repeatable replace replica reset restart ' +
    'restrict return returns revoke role rollback rollup routine routines row rows rule savepoint schema schemas ' +
    'scroll search security sequence sequences serializable server session set setof sets share show simple skip ' +
    'smallint snapshot sql stable standalone start statement statistics stdin stdout storage stored strict strip ' +
    'subscription substring support sysid system tables tablespace temp template temporary text ties time timestamp ' +
    'transaction transform treat trigger trim truncate trusted type types uescape unbounded uncommitted unencrypted ' +
    'unknown unlisten unlogged until update vacuum valid validate validator value values varchar version view views ' +
    'volatile whitespace work wrapper write xml xmlattributes xmlconcat xmlelement xmlexists xmlforest ' +
    'xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable yes zone'
  ).split(' '),
)
const behindLabel = /^([,);]|from|where|group|having|order|limit|offset|fetch|for|window|with|union|except|intersect)$/
/** Words that go together with the one behind them: `timestamp with time zone`, `WITH NO DATA`, `FOR UPDATE`. */
const beforeOthers = /^(time|no|for|with|without|is|of|at|by)$/

/** `SELECT u.name name`: the name gets its AS. */
export function bareLabel(sql: EditedSql, at: number): boolean {
  const word = sql.words[at]!
  if (!sql.selects.has(at) || sql.tokens[at]!.kind !== 'word' || !words.has(word)) return false
  const [before, behind] = [sql.words[at - 1] ?? '', sql.words[at + 1]]
  if (behind !== undefined && !behindLabel.test(behind)) return false
  if (!sql.isOperand(at - 1) || beforeOthers.test(before)) return false
  // Of another statement.
  if (sql.words.lastIndexOf(';', at) > sql.words.lastIndexOf('select', at)) return false
  return sql.replace(at, at, `AS ${quoteName(word)}`)
}
