import { expect, test } from 'vitest'
import { withoutSecrets } from './without-secrets.ts'

test.each([
  [`create user ana password 'hunter2'`, `create user ana password '***'`],
  [
    `CREATE ROLE ana LOGIN ENCRYPTED PASSWORD 'a''b' VALID UNTIL '2030-01-01'`,
    `CREATE ROLE ana LOGIN ENCRYPTED PASSWORD '***' VALID UNTIL '2030-01-01'`,
  ],
  [`alter user "ana" with password $$hunter2$$`, `alter user "ana" with password '***'`],
  [`create user ana identified by 'hunter2'`, `create user ana identified by '***'`],
  [
    `create or replace secret s (type s3, key_id 'AKIA', secret 'hunter2', session_token = 'x', scope 's3://b')`,
    `create or replace secret s (type s3, key_id 'AKIA', secret '***', session_token = '***', scope 's3://b')`,
  ],
  [
    `create secret (type http, extra map {'password': 'hunter2', 'a': 'b'})`,
    `create secret (type http, extra map {'password': '***', 'a': 'b'})`,
  ],
  [`-- mine\nset s3_secret_access_key = 'hunter2'`, `-- mine\nset s3_secret_access_key = '***'`],
  [`set session "db_password" to 'hunter2'`, `set session "db_password" to '***'`],
  [`copy t from 's3://b/x' credentials 'aws_secret_access_key=hunter2'`, `copy t from 's3://b/x' credentials '***'`],
  [
    `alter table t set ('api_key' = 'hunter2', 'owner' = 'ana')`,
    `alter table t set ('api_key' = '***', 'owner' = 'ana')`,
  ],
  [`create user ana password "hunter2"`, `create user ana password '***'`],
  [`alter table t rename column password to "word"`, `alter table t rename column password to "word"`],
  [`attach 'postgres://ana:hunter2@db/shop' as pg`, `attach 'postgres://ana:***@db/shop' as pg`],
  [`attach 'host=db user=ana password=hunter2 port=1' as pg`, `attach 'host=db user=ana password=*** port=1' as pg`],
  [
    `select * from postgres_scan('password=''hunter2'' host=db')`,
    `select * from postgres_scan('password=*** host=db')`,
  ],
  [`from read_csv('https://ana:hunter2@db/x.csv')`, `from read_csv('https://ana:***@db/x.csv')`],
  [`copy t to 's3://b/x?s3_secret_access_key=hunter2&b=1'`, `copy t to 's3://b/x?s3_secret_access_key=***&b=1'`],
  [
    `do $$ begin execute 'alter user ana password ''hunter2'''; end $$`,
    `do $$ begin execute 'alter user ana password ***'; end $$`,
  ],
  [
    `select set_config('s3_secret_access_key', 'hunter2', false)`,
    `select set_config('s3_secret_access_key', '***', false)`,
  ],
  [`select 1; alter user ana password 'hunter2'`, `select 1; alter user ana password '***'`],
  [
    `select 'http://db:80/x@y', 'a=b', 'token_count=3', 'no password here'`,
    `select 'http://db:80/x@y', 'a=b', 'token_count=3', 'no password here'`,
  ],
  [`create user ana password 'hunter2`, `create user ana password ***`],
  [`comment on column t.password is 'how it was set'`, `comment on column t.password is 'how it was set'`],
  [`create table t (token varchar default 'x')`, `create table t (token varchar default 'x')`],
  [`select password = 'x' from t`, `select password = 'x' from t`],
  [`drop user ana`, `drop user ana`],
])('%s', (sql, shown) => expect(withoutSecrets(sql)).toBe(shown))

test('a text of any length is looked through at once', () => {
  const long = 'a'.repeat(1_000_000)
  expect(withoutSecrets(`select 'password ${long}'`)).toContain(long)
})
