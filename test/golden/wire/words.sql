select to_char(x::numeric(12,3), '9') from (values ('0'), ('5'), ('-12.5'), ('0.5'), ('-0.001'), (null)) t(x)
select to_char(x::numeric(12,3), '9,999.99') from (values ('0'), ('5'), ('-12.5'), ('1234.567'), ('-1234')) t(x)
select to_char(x::numeric(12,3), 'FM9,999.99') from (values ('0'), ('5'), ('-12.5'), ('0.5'), ('1234.567'), ('12345')) t(x)
select to_char(x::numeric(12,3), 'FM999G999G990D00') from (values ('0'), ('1234567.891'), ('-0.5'), ('-0.001')) t(x)
select to_char(5, '0999'), to_char(-5, '0999'), to_char(12, 'FM0000'), to_char(0, '0,000'), to_char(1234, '9990')
select to_char(x, 'S999'), to_char(x, '999S'), to_char(x, '999MI'), to_char(x, 'FM999MI'), to_char(x, '999PR'), to_char(x, 'FM999PR') from (values (0), (5), (-13), (1234)) t(x)
select to_char(1234.5, '$9,999.99'), to_char(-5, 'FM$999,999.00'), to_char(12.345, '999.9%'), to_char(7, '999 "kg"'), to_char(12.0, 'FM999.09')
select to_char(0.125::float8, '9.99'), to_char(2.5::float8, '9'), to_char(3.5::float8, '9'), to_char(1234567.891::float8, 'FM999,999,990.00')
select to_char(sum(x), 'FM990.0'), to_char(avg(x), 'FM990.00') from (values (1.5), (2.5)) t(x)
select x.to_char from (select to_char(5, 'FM9')) x
select to_char(t::timestamp, 'FMMonth DD, YYYY'), to_char(t::timestamp, 'Month') || '|' as a, to_char(t::timestamp, 'MONTH') || '|' as b, to_char(t::timestamp, 'FMmonth'), to_char(t::timestamp, 'MON mon Mon') from (values ('2024-01-05 03:04:05.678901'), ('1999-12-31 23:59:59'), (null)) v(t)
select to_char(t::timestamp, 'FMDay, DD Mon'), to_char(t::timestamp, 'Day') || '|' as a, to_char(t::timestamp, 'DY dy Dy D ID') from (values ('2024-01-05 03:04:05.678901'), ('2023-05-14 12:00:00')) v(t)
select to_char(t::timestamp, 'YYYY-"Q"Q'), to_char(t::timestamp, 'WW W'), to_char(t::timestamp, 'IYYY-IW'), to_char(t::timestamp, 'DDD CC J SSSS') from (values ('2024-01-05 03:04:05.678901'), ('1999-12-31 23:59:59')) v(t)
select to_char(t::timestamp, 'FMDD/FMMM/YYYY FMHH12:MI PM'), to_char(t::timestamp, 'hh12:mi am'), to_char(t::timestamp, 'HH24:MI:SS.MS US') from (values ('2024-01-05 03:04:05.678901'), ('1999-12-31 23:59:59')) v(t)
select to_char(d, 'Mon YYYY') as month, count(*) from (values (date '2024-01-05'), (date '2024-01-06'), (date '2024-02-01')) v(d) group by to_char(d, 'Mon YYYY') order by 2
select to_char(d, 'Q'), count(*) from (values (date '2024-01-05'), (date '2024-01-06'), (date '2024-04-01')) v(d) group by to_char(d, 'Q') order by 1
select to_number('1,234.50', '9,999.99'), to_number('12,454.8-', '99G999D9S'), to_number('<5>', '9PR')
select format('%s is %s', 'a', 3), format('%I.%L', 'a b', 'it''s'), format('%1$s %2$s %1$s', 'x', 'y'), format('100%%'), format('%s: %s', 'sum', 1 + 2)
select format('%s|%10s|%-5s|', 'a', 'b', 'c'), format('%L', null), format('Hello %s', null::text), format('%s', upper('x') || to_char(5, '09'))
select format('%2$s', 'a', 'b'), format('%s and more', n) from (values (1.50), (2.25)) v(n)
select 'foobar' ~ 'o+' as a, 'foobar' ~* 'OB' as b, 'foobar' !~ 'z' as c, 'abc' ~ '^b' as e, 'foobar' !~* 'OB' as f, E'a\nb' ~ 'a.b' as g, 'ab' ~ 'a|zz' as h, null ~ 'a' as i
select x ~ p as a, x !~* p as b, x ~ ('^' || p) as c, x || 'q' ~ 'q$' as d, x ~ 'a' || 'b' is not null as e, not x ~ p as f from (values ('Foo', 'oo'), ('bar', 'A')) t(x, p)
select x from (values ('one'), ('two')) t(x) where x ~ 'w' and x !~ '^o' order by x
select 'abcdef'::varchar(3) as b, cast('abcdef' as varchar(2)) as c, 'abcdef'::character varying(4) as d, cast('abcdef' as char(2)) as e, ('abc' || 'def')::varchar(5) as f, 12345::text::varchar(2) as g, length('abcdef'::varchar(3)) as h
select x::varchar(2) || 'z' as a, upper(x)::varchar(1) as b, t.x::varchar(1)::text as c from (values ('hello')) t(x)
select (array['abc'])[1] as a, array['abc']::varchar(2)[] is not null as b
select timestamptz '2024-01-01 10:00:00.6+00'::timestamptz(0) as a, cast('2024-01-01 10:00:00.123789+00' as timestamp(3) with time zone) as b, current_timestamp(0) is not null as c
select '2024-01-01 10:00:00.6'::timestamp(0) as a
select 'off'::bool as d, 'on'::boolean as e, to_hex(255) as f, octet_length('héllo') as g, octet_length('abc'::bytea) as h
select lpad('a', 3) as a, rpad('5', 3) as b, lpad('5', 3, '0') as c, array_to_string(array['a', null, 'c'], ',', '*') as d, array_to_string(array[1, 2], '-') as e
select overlay('abcdef' placing 'xx' from 2 for 3) as c, overlay('abcdef' placing 'xx' from 2) as d, overlay('abcdef' placing 'xyz' from 3 for 0) as e
select regexp_match('foobarbequebaz', 'bar.*que') as a, regexp_match('foobarbequebaz', '(bar)(beque)') as b, regexp_match('x', 'y') as c, (regexp_match('a12', '(\d+)'))[1] as d
select substring('foobar' from 'o.b') as a, substring('foobar' from 'o(.)b') as b, substring('abc' from 2) as c, substring('abc' from 1 for 2) as d, substring('abc' from 'z') as e, substring('abc', 2, 1) as f
select array_positions(array[1,2,1], 1) as b, string_to_table('a,b', ',') as c
select (date '2024-01-01', date '2024-02-01') overlaps (date '2024-01-15', date '2024-03-01') as a, (date '2024-01-01', date '2024-02-01') overlaps (date '2024-02-01', date '2024-03-01') as b, (date '2024-02-01', date '2024-01-01') overlaps (date '2024-01-01', date '2024-01-01') as c
select '{"a":1}'::jsonb ? 'a' as a, '["x","y"]'::jsonb ? 'y' as b, '{"a":1}'::jsonb ?| array['b','a'] as c, '{"a":1}'::jsonb ?& array['b','a'] as d, '{"a":1}'::jsonb ? 'b' as e, '"x"'::jsonb ? 'x' as f, '{"a":{"b":1}}'::jsonb -> 'a' ? 'b' as g, null::jsonb ? 'a' as h
select count(*) from (values ('{"a":1}'::jsonb), ('{"b":1}')) t(doc) where doc ? 'a' and not doc ? 'c'
select timestamptz '2024-01-01 10:00:00.6+00'::timestamptz(0) as a
select cast('2024-01-01 10:00:00.123789+00' as timestamp(3) with time zone) as b
select current_timestamp(0) is not null as c
select current_timestamp(0)::text !~ '\.' as c
create temp table cut as select 'abcdef'::varchar(3) as a, 1.5::numeric as n
select a from cut
select 'abc' similar to '(a|b)%' as b, 'abc' similar to 'a_c' as c, 'abc' similar to 'a.c' as d, 'abc' similar to 'b' as e, 'a%' similar to 'a\%' as f, 'abc' not similar to '%[x-z]%' as g
select x::varchar(2), t.x::varchar(1), upper(x)::varchar(1) as u, 'abc'::varchar(2) from (values ('aaa')) t(x)
select x::varchar(2), count(*) as n from (values ('aaa'), ('aab'), ('b')) t(x) group by x::varchar(2) order by 1
select x from (values ('oar'), ('keel'), (null)) t(x) where x like any (array['o%', '%k']) or x ilike any ('{K%}')
select x, x not like all (array['o%', 'k%']) as a, x like some ('{o%,z%}'::text[]) as b, x not ilike all ('{}'::text[]) as c, x like any ('{}'::text[]) as d from (values ('oar'), ('keel'), (null)) t(x)
select i from (values (1), (2), (null)) t(i) where not (i = any ('{}')) and i <> all ('{}'::int[])
select i, s from (values (1, 'a'), (1, 'b'), (10, 'a'), (2, null), (null, 'x')) t(i, s) where (i, s) > ('1', 'a') order by 1, 2
select (i, s) < ('10', 'b') as a, (i, s) <> ('1', 'a') as b, (t.i, s) not in (('1', 'a'), ('10', 'a')) as c from (values (1, 'a'), (10, 'a'), (2, null), (null, 'x')) t(i, s) order by i
select i from (values (1, date '2024-01-02'), (2, date '2024-01-03')) t(i, d) where (d, i) >= ('2024-1-2', '2')
select '2300-01-01 00:00:00.000001+1'::timestamptz = '2299-12-31 23:00:00.000001Z'::timestamptz as a
select date '2024-01-01' + n as d, left('abc', n) as l from generate_series(1, 2) n
select date '2024-01-01' + t.n as d from generate_series(-1, 3, 2) as t(n) order by 1 desc
select s.s, pg_typeof(s) as t from generate_series(5, 6) as s where s > 5
select count(*) as n from generate_series(1, 3) join (values (2)) v(x) on x = generate_series
select d::date from generate_series('2024-01-01'::date, '2024-01-03', '1 day') d
select x::timestamp from generate_series(timestamp '2024-01-01', '2024-03-01', '1 month') as t(x)
select generate_series('2024-01-01'::timestamp, '2024-01-02', '12 hours')
create temp table pairs as select 1 as a, 'p' as b, 'q' as c
update pairs set a = 2, (b, c) = ('x', 'y') returning pairs.a, pairs.b, pairs.c
select E'{a,"b\\"c\\\\",it\'s}'::text[] as t, 'x' = any (E'{x,"\\\\"}') as x
select k.aa::text, k.aa::int::text, cast(k."Bb" as text), "Bb"::text from (select 1 as aa, 2 as "Bb") k
select x as Total, max(y) as lastY, 1 as "Kept" from (values (1, 2)) t(x, y) group by X
select at.show, at.columns, show, qualify as Q from (select true as show, 3 as columns, 1 as qualify) at where show and columns = 3 order by columns desc, at.show
select at.summarize from (select 1 as summarize) as at join (select 1 as "at") b on b.at = at.summarize
select a ->> 'z"' as x, a ->> 'x' as y, b ->> 'y' as z, c from (select json_object_agg(k, v order by k desc) filter (where v > 1) as a, jsonb_object_agg(k, v order by k) as b, json_object_agg(k, v order by k) filter (where false) as c from (values ('x', 1), ('y', 2), ('z"', 3)) t(k, v)) q
select round(extract(second from timestamp '2024-01-01 10:20:30.456')::numeric, 3) as a, round(extract(seconds from interval '1 min 2.5 sec')::numeric, 1) as b, date_part('milliseconds', time '10:20:30.456'), extract('second' from timestamptz '2024-01-01 10:20:30.25+00') + 1 > 31.2 as x, extract(month from date '2024-05-01')
select * from jsonb_array_elements_text('["a","b"]') with ordinality
select d.id, e.v, e.n from (values (1, '["a","b"]'::jsonb), (2, '["c"]')) d(id, doc), jsonb_array_elements_text(d.doc) with ordinality as e(v, n) order by 1, 3
select d.id, e.* from (values (1, 'a,b'), (2, 'c')) d(id, t) cross join lateral string_to_table(d.t, ',') with ordinality as e(v, n) order by 1, 3
select s, ordinality from generate_series(5, 7) with ordinality as s
select * from generate_series(5, 7) with ordinality as t(s, n)
select jsonb_strip_nulls('{"a":null,"b":{"c":null,"d":1}}') ->> 'b' is not null as x
select * from regexp_split_to_table('a b', ' ') with ordinality as t(v, n)
select array_ndims(array[[1,2]]), array_fill(7, array[3]), trim_array(array[1,2,3], 1), get_byte('abc'::bytea, 1)
select grouping(a), percentile_cont(0.5) within group (order by b) from (values (1, 2), (1, 4)) t(a, b) group by rollup (a) order by 1
select id, jsonb_set(doc, '{a}', '"x"') ->> 'a' as a, jsonb_set(doc, '{b,c}', '[1]') -> 'b' ->> 'c' as c, jsonb_set(doc, array['n'], to_jsonb(id)) ->> 'n' as n, jsonb_set(doc, '{b,e}', to_jsonb(id::text)) -> 'b' ->> 'e' as e from (values (1, '{"a":1,"b":{"c":2}}'::jsonb), (2, null), (3, '{"z":1}')) t(id, doc) order by id
select pg_size_pretty(0::bigint), pg_size_pretty(10239::bigint), pg_size_pretty(10240::bigint), pg_size_pretty(1234567::bigint), pg_size_pretty(10485247::bigint), pg_size_pretty(10485248::bigint), pg_size_pretty(123456789012::bigint), pg_size_pretty(-20000::bigint)
select pg_typeof(1), pg_typeof(now()), pg_typeof(1.5), pg_typeof(array[1]), pg_typeof(1::bigint), pg_typeof('x'::text), pg_typeof(true), pg_typeof(current_date), pg_typeof(1::float8), pg_typeof('{}'::json), pg_typeof(localtimestamp)
values (1, 'a'), (2, 'b')
select v.column1, column2 from (values (1, 'a'), (2, 'b')) v where v.column1 > 1
select * from (values (1, 'a')) as v join (values (1, coalesce(null, 2))) w on v.column1 = w.column1
select count(*) from (values (1)) v(x), (values (2)) w
prepare typed (int, text, unknown) as select $1 + 1 as a, $2 || 'x' as b, $3 as c
execute typed('5', 6, 'z')
deallocate typed
select concat(variadic array[1, 2, 3]) as a, concat_ws(',', variadic array[1, null, 3]) as b, concat_ws(',', variadic null::int[]) as c
select jsonb_extract_path_text('{"a":{"b":[1,2]}}'::jsonb, 'a', 'b', '-1') as a, json_extract_path_text('{"a":{"b":[1,2]}}', variadic array['a', 'b', '0']) as b
select encode('\x1234567890abcdef00', 'hex') as a, encode(('\x' || repeat('ab', 3))::bytea, 'hex') as b, encode(sha256('x'), 'hex') as c, encode(sha256('x'::bytea), 'base64') as d
select count(t2.*) as found, count(*) from (values (1), (2)) t1(a) left join (values (2, null::int)) t2(b, c) on t1.a = t2.b
select date_trunc('century', timestamp '1970-03-20') as a, date_trunc('millennium', timestamp '2004-02-29') as b, date_trunc('day', timestamptz '2001-02-16 20:38:40+00', 'Australia/Sydney') as c
select '{"a":{"b":1}}'::json #>> '{}' as a, '[1,2,3]'::json #>> '{-1}' as b, '{"a/b":1}'::json #>> array['a/b'] as c, '{"a":1}'::json #>> array['a', null] as d, '{"a":[{"x":1}]}'::jsonb #>> '{a,0,x}' as e
select jsonb_set('{"b":[1,2]}', '{b,-1}', '9') #>> '{b,1}' as a, jsonb_set('{"b":[0]}', '{b,33}', '7') #>> '{b,1}' as b, jsonb_set('{"b":[0]}', '{b,-33}', '7') #>> '{b,0}' as c, jsonb_set('{"a":{"b":{"c":1}}}', '{a,b,c}', '7') #>> '{a,b,c}' as d, jsonb_set('{"a":1}', '{x}', '7', false) ->> 'x' as e, jsonb_set('{"a":1}', '{x,y}', '7') ->> 'a' as f
select jsonb_insert('{"a":[0,1,2]}', '{a,1}', '"n"', true) #>> '{a,2}' as a, jsonb_insert('{"a":[0,1,2]}', '{a,-1}', '"n"') #>> '{a,2}' as b, jsonb_insert('{"a":1}', '{b}', '2') ->> 'b' as c
select ('{"a":1,"b":2,"c":3}'::jsonb - 'b' - 'a') ->> 'c' as a, '{"a":1,"b":2}'::jsonb - 'b' ->> 'b' as b, ('["a","b","c"]'::jsonb - -1) ->> 1 as c, ('{"a":1,"b":2}'::jsonb - '{a,b}'::text[])::text as d, ('{"a":[1,2]}'::jsonb #- '{a,0}') #>> '{a,0}' as e, ('{"a":{"b":1}}'::jsonb #- '{a,b}') ->> 'a' as f
select (j - 'a' - 'b' || '{"z":1}') ->> 'a' as a from (values ('{"a":1}'::jsonb)) v(j)
select (to_jsonb(t) - 'a' - 'b' - 'c' - 'd' - 'e' || jsonb_build_object('f', t.a)) ->> 'f' as a, to_jsonb(t) - 'a' - 'b' - 'c' - 'd' - 'e' - 'f' ->> 'g' as b, (to_jsonb(t) - 'a' - upper('b') - 'c') ->> 'b' as c from (values (1, 2, 3, 4, 5, 6, 'x')) as t(a, b, c, d, e, f, g)
select ('["a", "b", 1, "c", "b"]'::jsonb - 'a' - 'b') ->> 1 as a, ('["a", "b", "c"]'::jsonb - 'a' - 0) ->> 0 as b, ('{"a": 1, "b": 2}'::jsonb - 'a' - 'b'::text)::text as c
select string_to_array('', ',') as a, string_to_array('a|b', null) as b, string_to_array('abc', '') as c, string_to_array('1,*,3', ',', '*') as d
select json_object('{a,1,b,2}') ->> 'b' as a, json_object('{a,b}', '{1,"x y"}') ->> 'b' as b
select width_bucket(35, 100, 10, 9) as a, width_bucket(5.5, array[1, 3, 10]) as b, width_bucket(100, 100, 10, 9) as c, width_bucket(10, 100, 10, 9) as d
select * from json_each_text('{"a":1,"b":"x"}') order by 1
select '{"b":{"a":1}}'::jsonb @> '{"a":1}' as a, '[{"a":1}]'::jsonb @> '{"a":1}' as b, '[[1,2]]'::jsonb @> '[1]' as c, '{"a":1.0}'::jsonb @> '{"a":1}' as d, '{"a":{"x":1}}'::jsonb @> '{"a":{}}' as e, '[1,2]'::jsonb @> '[1,1]' as f, '[1,[2,3]]'::jsonb @> '[[2]]' as g, '{}'::jsonb @> '{}' as h, '[]'::jsonb @> '{}' as i, '[1,2]'::jsonb @> '2' as j, null::jsonb @> '{}' as k
select a @> b::jsonb as a, b::jsonb <@ a::jsonb as b from (values ('{"a":{"b":[1,{"c":2}]}}'::jsonb, '{"a":{"b":[{"c":2}]}}'::jsonb), ('{"b":{"a":1}}', '{"a":1}'), ('[1,2]', '2'), ('{"a":1}', '{"a":1.0}')) v(a, b)
select regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)', 'g')
select a, (regexp_matches(a, '(\d+)'))[1] as n from (values ('x12'), ('none'), ('y7')) v(a)
select m.x from regexp_matches('abab', 'B', 'gi') m(x)
select regexp_match('Abc', 'a(b)', 'i'), regexp_like('Steven', 'STE', 'i') as a, regexp_count('ABCABC', 'abc', 1, 'i') as b, regexp_substr('abcabc', 'b.', 1, 2) as c, regexp_instr('abcabc', 'c') as d
select item ->> 'name' as n from (values ('{"items":[{"name":"x"},{"name":"y"}]}'::jsonb)) t(doc), jsonb_array_elements(t.doc -> 'items') as item order by 1
select e, e.value from jsonb_array_elements_text('["a"]') e
select k from jsonb_object_keys('{"a":1}') k
select foo, length(foo) as n from regexp_split_to_table('a bc', '\s') as foo
select x from string_to_table('a,b', ',') x
select a, b, c, e, f from json_to_recordset('[{"a":1,"b":"x","c":[1,2],"e":"2024-01-01T10:00:00Z","f":"1.5"},{"a":null}]') as t(a int, b text, c int[], e timestamptz, f numeric(10,2))
select t.id, x.a, r.b ->> 'c' as c from (values (1, '[{"a":5}]'::jsonb)) t(id, doc), jsonb_to_recordset(t.doc) as x(a int), json_to_record('{"b":{"c":2}}') as r(b json)
select 1 + 2, 'a' || 'b', 1 = 1, true and false, x is null, 5, 'a', -x from (select 1 as x) t
select (array[1,2])[1], t.a[2] from (select array[1,2] as a) t
select ('{"a":1}'::jsonb || '{"b":2}'::jsonb || '{"c":3}' || jsonb_build_object('d', 4) || '{"a":5}') ->> 'a' as a
select date '01/02/03' a, '1/8/1999'::date b, date '2020-08-11 BC' c, timestamp '1/8/1999 10:00' d, date 'January 8, 1999' e, date '19990108' f, date '08-Jan-1999' g, cast('8 January 99' as date) h, timestamp '19970710 173201' i
select timestamptz 'Mon Feb 10 17:32:01 1997 PST' a, 'Feb 10 17:32:01.5 1997'::timestamp b, timestamp 'Feb 10 5:32PM 1997' c, timestamp with time zone '2/10/97 17:32 UTC' d, '1997-02-10 17:32:01-08'::timestamptz e, timestamp '0044-03-15 10:00:00 BC' f
select 'on'::bool a, bool 'off' b, ' t '::bool c, 'yes'::boolean d, boolean 'n' e, cast('of' as bool) f, '1'::bool g, bool 'FALSE' h
select interval '1 2' day to hour a, interval '1:30' minute to second b, interval '1-2' year to month c, interval '1 2:03' day to minute d, interval '2:03' hour to minute e, interval '1 2:03:04.5' day to second f, interval '1' day g
select array['a', 'b'] @> '{b}' as a, '{a}' <@ array['a'] as b, array['x'] && '{y,z}' as c, (array['x'])[1:1] && '{x}' as d, i && '{2}' as e, i @> '{1,2}' as f, i <@ '{1,2,3}' as g, d @> '{2024-01-01}' as h from (values (array[1, 2], array[date '2024-01-01'])) v(i, d)
select regexp_matches('foobarbequebaz', $re$(bar)(beque)$re$)
select '{"a":1,"":2,"$ref":3}'::jsonb ->> '' as a, '{"a":1,"":2,"$ref":3}'::jsonb ->> '$ref' as b, '{"a":1}'::jsonb ->> '' as c
select x'ff'::int as a, b'101'::bigint as b
select 'abc' ~ 'b', 'abc' !~ 'x', 'abc' like '_b_', 'a_c' like 'a\_c', interval '1 day' * 2, count(*) * 2, '{"a":1}'::jsonb @> '{"a":1}'
select true, +1, -1.5, null
select false::bool, not false
SELECT "pg_catalog".format_type("oid", NULL) AS t FROM "pg_catalog"."pg_type" WHERE "typname" = 'int4'
select ('[1, "x", null]'::jsonb - 'x') ->> 1 as a, jsonb_array_length('[1, "x", null]'::jsonb - 'x') as b, jsonb_array_length('[null, "a"]'::jsonb - array['a', 'b']) as c, jsonb_array_length('[null]'::jsonb - 'a') as d
SELECT row_to_json(t) FROM (VALUES (timestamp '2024-01-01 10:00', timestamptz '2024-01-01 10:00:00.5+00', '2024-01-01 10:00', date '2024-01-01', NULL::timestamp)) AS t(a, b, "c ""d", e, f)
SELECT to_json(timestamp '2024-01-01 10:00'), to_json('2024-01-01 10:00'::text) AS b, to_json(array[timestamp '2024-01-01 10:00'])
SELECT json_agg(t.* ORDER BY t.a DESC) -> 0 AS row FROM (VALUES (timestamp '2024-01-01 10:00', 1), ('2024-01-02 10:00', 2)) AS t(a, b)
SELECT json_build_object('at', max(a), 'of', json_build_array(min(b)), 'text', min(b)::text) ->> 'at' AS at, json_agg(DISTINCT a) ->> 0 AS one, json_object_agg('k', a) ->> 'k' AS k FROM (VALUES (timestamp '2024-01-01 10:00', timestamptz '2024-01-02 10:00+02')) AS t(a, b)
SELECT json_build_array((SELECT timestamptz '2024-01-02 10:00+02')) ->> 0 AS a, row_to_json((SELECT e FROM (SELECT t.a AS id, t.b AS at) AS e)) FROM (VALUES (1, timestamp '2024-01-01 10:00')) AS t(a, b)
SELECT x.a AS collate, x.a COLLATE "C" AS b FROM (SELECT 'k' AS a) x ORDER BY a COLLATE "C"
SELECT ((b)::date - (a)::date) / 7 + 1 AS weeks, (x.b::date - x.a::date) / 7 AS plain, ((a)::date - (b)::date) / 7 AS back FROM (SELECT '2024-01-01 10:00' AS a, timestamp '2024-01-20' AS b) x
SELECT array_agg(DISTINCT x) AS a, array_agg(DISTINCT x) FILTER (WHERE x > 1) AS b, string_agg(DISTINCT x::text || 'k', ', ') AS c, json_agg(DISTINCT x) ->> 0 AS d, jsonb_agg(DISTINCT x) ->> 2 AS e, array_agg(DISTINCT upper(y) || regexp_replace(y, '\w', '1')) AS f, array_agg(DISTINCT 'k'::text) AS g FROM (VALUES (3, 'c'), (10, 'a'), (2, 'b'), (1, 'a'), (NULL, NULL), (3, 'a')) AS t(x, y)
SELECT json_agg(DISTINCT x ORDER BY x DESC) ->> 0 AS a, json_agg(DISTINCT t ORDER BY t) -> 0 ->> 'x' AS b, json_agg(DISTINCT t.*) -> 0 ->> 'x' AS c, string_agg(DISTINCT x::date::text, ',' ORDER BY x::date::text DESC) AS d FROM (VALUES (timestamp '2024-01-01 10:00'), ('2023-01-01 10:00')) AS t(x)
SELECT count(*) AS a FROM ONLY pg_namespace AS n JOIN ONLY pg_namespace AS m ON m.oid = n.oid WHERE n.nspname = 'pg_catalog'
SELECT count(*) AS a FROM pg_namespace TABLESAMPLE BERNOULLI (100) REPEATABLE (3) WHERE nspname = 'pg_catalog'
