-- What tools send while they look around, held against PostgreSQL with like tables (tools.test.ts). Statements of Grafana and Metabase are from their sources; those of DBeaver, Superset and Tableau are like theirs, written down from how they are known to ask. Only OIDs and what is of the server alone is left out of the answers.

-- Grafana: schemas
SELECT schema_name AS "name" FROM information_schema.schemata WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast', '_timescaledb_cache', 'timescaledb_information') AND schema_name = 'raw' ORDER BY schema_name

-- Grafana: tables of a schema
SELECT quote_ident(table_name) AS "table" FROM information_schema.tables WHERE quote_ident(table_schema) = 'raw' ORDER BY 1

-- Grafana: all tables
SELECT CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table" FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache') ORDER BY CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) THEN 0 ELSE 1 END, 1

-- Grafana: columns of a table with its schema
SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns WHERE CASE WHEN array_length(parse_ident('raw.sales'),1) = 2 THEN quote_ident(table_schema) = (parse_ident('raw.sales'))[1] AND quote_ident(table_name) = (parse_ident('raw.sales'))[2] ELSE quote_ident(table_name) = 'raw.sales' AND quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) END

-- Grafana: columns of a table without its schema
SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns WHERE CASE WHEN array_length(parse_ident('sales'),1) = 2 THEN quote_ident(table_schema) = (parse_ident('sales'))[1] AND quote_ident(table_name) = (parse_ident('sales'))[2] ELSE quote_ident(table_name) = 'sales' AND quote_ident(table_schema) IN ('raw') END

-- Grafana: TimescaleDB
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

-- Grafana: macros of time
SELECT floor(extract(epoch from ts)/300)*300 AS "time", count(id) AS n FROM raw.sales WHERE ts BETWEEN '2024-03-01T00:00:00Z' AND '2024-04-01T00:00:00Z' GROUP BY 1 ORDER BY 1

-- Metabase: tables
SELECT "n"."nspname" AS "schema", "c"."relname" AS "name", CASE "c"."relkind" WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE NULL END AS "type", "d"."description" AS "description" FROM "pg_catalog"."pg_class" AS "c" INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "c"."relnamespace" = "n"."oid" LEFT JOIN "pg_catalog"."pg_description" AS "d" ON ("c"."oid" = "d"."objoid") AND ("d"."objsubid" = 0) AND ("d"."classoid" = 'pg_class'::regclass) LEFT JOIN "pg_stat_user_tables" AS "stat" ON ("n"."nspname" = "stat"."schemaname") AND ("c"."relname" = "stat"."relname") WHERE ("c"."relnamespace" = "n"."oid") AND ("n"."nspname" !~ '^pg_') AND ("n"."nspname" <> 'information_schema') AND c.relkind in ('r', 'p', 'v', 'f', 'm') AND ("n"."nspname" IN ('raw')) ORDER BY "type" ASC, "schema" ASC, "name" ASC

-- Metabase: fields
SELECT "c"."column_name" AS "name", CASE WHEN "c"."udt_schema" IN ('public', 'pg_catalog') THEN FORMAT('%s', "c"."udt_name") ELSE FORMAT('"%s"."%s"', "c"."udt_schema", "c"."udt_name") END AS "database-type", "c"."ordinal_position" - 1 AS "database-position", "c"."table_schema" AS "table-schema", "c"."table_name" AS "table-name", "pk"."column_name" IS NOT NULL AS "pk?", COL_DESCRIPTION(CAST(CAST(FORMAT('%I.%I', CAST("c"."table_schema" AS TEXT), CAST("c"."table_name" AS TEXT)) AS REGCLASS) AS OID), "c"."ordinal_position") AS "field-comment", (("column_default" IS NULL) OR (LOWER("column_default") = 'null')) AND ("is_nullable" = 'NO') AND NOT ((("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO')) AS "database-required", (("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO') AS "database-is-auto-increment" FROM "information_schema"."columns" AS "c" LEFT JOIN (SELECT "tc"."table_schema", "tc"."table_name", "kc"."column_name" FROM "information_schema"."table_constraints" AS "tc" INNER JOIN "information_schema"."key_column_usage" AS "kc" ON ("tc"."constraint_name" = "kc"."constraint_name") AND ("tc"."table_schema" = "kc"."table_schema") AND ("tc"."table_name" = "kc"."table_name") WHERE "tc"."constraint_type" = 'PRIMARY KEY') AS "pk" ON ("c"."table_schema" = "pk"."table_schema") AND ("c"."table_name" = "pk"."table_name") AND ("c"."column_name" = "pk"."column_name") WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND ("c"."table_schema" IN ('raw')) UNION ALL SELECT "pa"."attname" AS "name", CASE WHEN "ptn"."nspname" IN ('public', 'pg_catalog') THEN FORMAT('%s', "pt"."typname") ELSE FORMAT('"%s"."%s"', "ptn"."nspname", "pt"."typname") END AS "database-type", "pa"."attnum" - 1 AS "database-position", "pn"."nspname" AS "table-schema", "pc"."relname" AS "table-name", FALSE AS "pk?", NULL AS "field-comment", FALSE AS "database-required", FALSE AS "database-is-auto-increment" FROM "pg_catalog"."pg_class" AS "pc" INNER JOIN "pg_catalog"."pg_namespace" AS "pn" ON "pn"."oid" = "pc"."relnamespace" INNER JOIN "pg_catalog"."pg_attribute" AS "pa" ON "pa"."attrelid" = "pc"."oid" INNER JOIN "pg_catalog"."pg_type" AS "pt" ON "pt"."oid" = "pa"."atttypid" INNER JOIN "pg_catalog"."pg_namespace" AS "ptn" ON "ptn"."oid" = "pt"."typnamespace" WHERE ("pc"."relkind" = 'm') AND ("pa"."attnum" >= 1) ORDER BY "table-schema" ASC, "table-name" ASC, "database-position" ASC

-- Metabase: foreign keys
SELECT "fk_ns"."nspname" AS "fk-table-schema", "fk_table"."relname" AS "fk-table-name", "fk_column"."attname" AS "fk-column-name", "pk_ns"."nspname" AS "pk-table-schema", "pk_table"."relname" AS "pk-table-name", "pk_column"."attname" AS "pk-column-name" FROM "pg_constraint" AS "c" INNER JOIN "pg_class" AS "fk_table" ON "c"."conrelid" = "fk_table"."oid" INNER JOIN "pg_namespace" AS "fk_ns" ON "c"."connamespace" = "fk_ns"."oid" INNER JOIN "pg_attribute" AS "fk_column" ON "c"."conrelid" = "fk_column"."attrelid" INNER JOIN "pg_class" AS "pk_table" ON "c"."confrelid" = "pk_table"."oid" INNER JOIN "pg_namespace" AS "pk_ns" ON "pk_table"."relnamespace" = "pk_ns"."oid" INNER JOIN "pg_attribute" AS "pk_column" ON "c"."confrelid" = "pk_column"."attrelid" WHERE fk_ns.nspname !~ '^information_schema|catalog_history|pg_' AND ("c"."contype" = 'f'::char) AND ("fk_column"."attnum" = ANY(c.conkey)) AND ("pk_column"."attnum" = ANY(c.confkey)) ORDER BY "fk-table-schema" ASC, "fk-table-name" ASC

-- Metabase: indexes
SELECT "tmp"."table-schema", "tmp"."table-name", TRIM(BOTH '"' FROM PG_CATALOG.PG_GET_INDEXDEF("tmp"."ci_oid", "tmp"."pos", FALSE)) AS "field-name" FROM (SELECT "n"."nspname" AS "table-schema", "ct"."relname" AS "table-name", "ci"."oid" AS "ci_oid", (information_schema._pg_expandarray("i"."indkey"))."n" AS "pos" FROM "pg_catalog"."pg_class" AS "ct" INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "ct"."relnamespace" = "n"."oid" INNER JOIN "pg_catalog"."pg_index" AS "i" ON "ct"."oid" = "i"."indrelid" INNER JOIN "pg_catalog"."pg_class" AS "ci" ON "ci"."oid" = "i"."indexrelid" WHERE (PG_CATALOG.PG_GET_EXPR("i"."indpred", "i"."indrelid") IS NULL) AND n.nspname !~ '^information_schema|catalog_history|pg_') AS "tmp" WHERE "tmp"."pos" = 1

-- Metabase: enums
SELECT nspname, typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid IN (SELECT DISTINCT enumtypid FROM pg_enum e) AND nspname = 'raw'

-- Metabase: rights
with table_privileges as ( select NULL as role, t.schemaname as schema, t.objectname as table, pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'update') as update, pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'select') as select, pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'insert') as insert, pg_catalog.has_table_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'delete') as delete from ( select schemaname, tablename as objectname from pg_catalog.pg_tables union select schemaname, viewname as objectname from pg_catalog.pg_views union select schemaname, matviewname as objectname from pg_catalog.pg_matviews ) t where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema' and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage') ) select t.schema, t.table, t.select from table_privileges t where t.schema = 'raw' order by 2

-- Metabase: the time zone
SELECT current_setting('TIMEZONE')

-- Metabase: a sample for fingerprints
SELECT "raw"."sales"."id" AS "id", "raw"."sales"."amount" AS "amount", SUBSTRING("raw"."keyed"."name", 1, 1234) AS "name" FROM "raw"."sales" LEFT JOIN "raw"."keyed" ON "raw"."sales"."id" = "raw"."keyed"."id" ORDER BY 1 LIMIT 10000

-- Metabase: a question by months
SELECT CAST(DATE_TRUNC('month', "source"."d") AS DATE) AS "d", SUM("source"."amount") AS "sum", COUNT(*) AS "count" FROM (SELECT * FROM "raw"."sales" AS "inside") AS "source" WHERE "source"."d" >= DATE_TRUNC('month', (CAST('2024-03-31' AS DATE) + INTERVAL '-12 month')) AND "source"."d" < DATE_TRUNC('month', (CAST('2024-03-31' AS DATE) + INTERVAL '1 month')) GROUP BY CAST(DATE_TRUNC('month', "source"."d") AS DATE) ORDER BY CAST(DATE_TRUNC('month', "source"."d") AS DATE) ASC

-- DBeaver: schemas
SELECT n.nspname, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass WHERE nspname = 'raw' ORDER BY nspname

-- DBeaver: tables of a schema
SELECT c.relname,c.relkind,c.relhassubclass,c.relispartition,c.relnatts,c.relpersistence,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass WHERE c.relnamespace='raw'::regnamespace AND c.relkind not in ('i','I','c') ORDER BY 1

-- DBeaver: columns of a schema
SELECT c.relname,a.attname,a.atttypid,a.attnum,a.attndims,a.atttypmod,a.attnotnull,a.atthasdef,a.attidentity,a.attgenerated,a.attisdropped,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dsc.description,dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum) LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid) LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.relnamespace='raw'::regnamespace AND c.relkind not in ('i','I','c') AND a.attnum > 0 ORDER BY 1, a.attnum

-- DBeaver: constraints of a schema
SELECT c.conname,c.contype,c.condeferrable,c.condeferred,c.convalidated,c.conkey,t.relname as tabrelname,rt.relnamespace as refnamespace,d.description, case when c.contype='c' then "substring"(pg_get_constraintdef(c.oid), 7) else null end consrc_copy FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass WHERE t.relnamespace='raw'::regnamespace ORDER BY c.conname

-- DBeaver: indexes of a table
SELECT i.indisunique,i.indisprimary,i.indnatts,c.relname,tc.relname as tabrelname,dsc.description,pg_catalog.pg_get_expr(i.indpred, i.indrelid) as pred_expr,pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) as expr FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid=i.indrelid LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid=dsc.objoid WHERE i.indrelid='raw.keyed'::regclass ORDER BY tabrelname, c.relname

-- DBeaver: triggers, rules, policies
SELECT x.tgname FROM pg_catalog.pg_trigger x WHERE NOT x.tgisinternal UNION ALL SELECT r.rulename FROM pg_catalog.pg_rewrite r WHERE r.ev_class='raw.sales'::regclass UNION ALL SELECT p.polname FROM pg_catalog.pg_policy p WHERE p.polrelid='raw.sales'::regclass

-- DBeaver: parents of a table
SELECT i.*,c.relnamespace FROM pg_catalog.pg_inherits i,pg_catalog.pg_class c WHERE i.inhrelid='raw.sales'::regclass AND c.oid=i.inhparent ORDER BY i.inhseqno

-- DBeaver: sequences
SELECT seq.seqrelid FROM pg_catalog.pg_sequence seq WHERE seq.seqrelid='raw.sales'::regclass

-- DBeaver: procedures of a schema
SELECT p.proname, pg_catalog.pg_get_expr(p.proargdefaults, 0) as arg_defaults,d.description FROM pg_catalog.pg_proc p LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=p.oid AND d.objsubid = 0 WHERE p.pronamespace='raw'::regnamespace ORDER BY p.proname

-- DBeaver: enums
SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid=23 ORDER BY e.enumsortorder

-- DBeaver: types that columns have
SELECT t.oid,t.typname,t.typlen,t.typbyval,t.typtype,t.typcategory,t.typispreferred,t.typisdefined,t.typdelim,t.typelem,t.typarray,t.typnotnull,t.typbasetype,t.typtypmod,t.typndims,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C') AND t.typname IN ('bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'varchar', 'date', 'time', 'timestamp', 'timestamptz', 'interval', 'bytea', 'uuid', 'json', 'jsonb', '_int4', '_text', '_varchar') ORDER BY t.oid

-- DBeaver: settings that it reads
SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('standard_conforming_strings') ORDER BY name

-- DBeaver: the first page of a table
SELECT x.* FROM raw.keyed x ORDER BY x.id

-- DBeaver: rows of a page counted
SELECT count(*) FROM raw.sales

-- DBeaver: a search for objects
SELECT x.relname, x.relkind FROM pg_catalog.pg_class x WHERE x.relkind IN ('r','v','m','f','p') AND x.relname ILIKE '%sal%' AND x.relnamespace IN ('raw'::regnamespace) ORDER BY x.relname LIMIT 10

-- Superset: schemas
SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' AND nspname = 'raw' ORDER BY nspname

-- Superset: tables
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'raw' AND c.relkind in ('r', 'p') ORDER BY 1

-- Superset: views
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'raw' AND c.relkind IN ('v', 'm') ORDER BY 1

-- Superset: an OID of a table
SELECT c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE (n.nspname = 'raw') AND c.relname = 'sales' AND c.relkind in ('r', 'v', 'm', 'f', 'p')

-- Superset: columns
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef) AS DEFAULT, a.attnotnull, pgd.description as comment, a.attgenerated as generated, (SELECT json_build_object('always', a.attidentity = 'a', 'start', s.seqstart) FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c on s.seqrelid = c."oid" WHERE c.relkind = 'S' AND a.attidentity != '' AND s.seqrelid = pg_catalog.pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)::regclass::oid) as identity_options FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_description pgd ON (pgd.objoid = a.attrelid AND pgd.objsubid = a.attnum) WHERE a.attrelid = 'raw.sales'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

-- Superset: the comment of a table
SELECT pgd.description as table_comment FROM pg_catalog.pg_description pgd WHERE pgd.objsubid = 0 AND pgd.objoid = 'raw.sales'::regclass

-- Superset: foreign tables
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'raw' AND c.relkind = 'f'

-- Superset: a chart by weeks
SELECT DATE_TRUNC('week', d) AS d, sum(amount) AS "SUM(amount)" FROM raw.sales WHERE d >= TO_DATE('2024-01-01', 'YYYY-MM-DD') AND d < TO_DATE('2025-01-01', 'YYYY-MM-DD') GROUP BY DATE_TRUNC('week', d) ORDER BY "SUM(amount)" DESC LIMIT 10000

-- Superset: a time range
SELECT count(*) FROM raw.sales WHERE ts >= TO_TIMESTAMP('2024-03-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND ts < TO_TIMESTAMP('2024-04-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US')

-- Tableau: tables
SELECT n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN 'SYSTEM' WHEN false THEN CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'i' THEN 'INDEX' WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE NULL END ELSE NULL END AS TABLE_TYPE, d.description AS REMARKS FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 and d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND n.nspname LIKE 'raw' AND (false OR ( c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ) OR ( c.relkind = 'v' AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' )) ORDER BY TABLE_TYPE,TABLE_SCHEM,TABLE_NAME

-- Tableau: a temporary probe and an aggregate
SELECT "sales"."d" AS "d", SUM("sales"."amount") AS "sum:amount:ok", COUNT(DISTINCT "sales"."id") AS "ctd:id:ok" FROM "raw"."sales" "sales" WHERE (CAST("sales"."d" AS TIMESTAMP) >= (TIMESTAMP '2024-01-01 00:00:00.000')) GROUP BY 1 HAVING (COUNT(1) > 0) ORDER BY 1

-- Superset: a week that begins on Sunday
SELECT DATE_TRUNC('week', d + INTERVAL '1 day') + INTERVAL '-1 day' AS d, count(*) AS n FROM raw.sales GROUP BY 1 ORDER BY 1

-- Superset: the range of a column
SELECT MIN(ts) AS min, MAX(ts) AS max FROM raw.sales

-- Metabase: texts that are dates
SELECT TO_TIMESTAMP('20240331101500', 'YYYYMMDDHH24MISS') AS t, TO_DATE('31.03.2024', 'DD.MM.YYYY')

-- Grafana: labels of time
SELECT to_char(ts, 'YYYY-MM-DD HH24:MI:SS.MS'), pg_catalog.to_char(d, 'DD Mon YY, "week" IW') AS "label", to_char(ts, 'HH12:MI AM') AS clock FROM raw.sales ORDER BY id

-- Grafana: the last value of a series
SELECT DISTINCT ON (ok) ok, d FROM raw.sales WHERE d IS NOT NULL AND ok IS NOT NULL ORDER BY ok, d DESC

-- Tableau: whole months
SELECT DATE_TRUNC( 'MONTH', CAST("sales"."d" AS DATE) ) AS "tmn:d:ok", EXTRACT(YEAR FROM "sales"."d")::int AS "yr" FROM "raw"."sales" "sales" GROUP BY 1, 2 ORDER BY 1

-- asyncpg: what a pool asks before it gives a connection on
SELECT pg_advisory_unlock_all()

-- ADBC: how types are received
SELECT typname, typreceive FROM pg_catalog.pg_type WHERE (typreceive != 0 OR typsend != 0) AND typtype != 'r' AND typreceive::TEXT != 'array_recv' AND typname IN ('bool', 'bytea', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'varchar', 'date', 'time', 'timestamp', 'timestamptz', 'interval', 'uuid', 'json', 'jsonb', 'oid', 'name') ORDER BY 1

-- Django: constraints that are indexes
SELECT indexname, array_agg(attname ORDER BY arridx), indisunique, indisprimary, amname FROM (SELECT c2.relname AS indexname, idx.*, attr.attname, am.amname FROM (SELECT * FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY koi(key, option, arridx)) idx LEFT JOIN pg_class c ON idx.indrelid = c.oid LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid LEFT JOIN pg_am am ON c2.relam = am.oid LEFT JOIN pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key WHERE c.relname = 'keyed') s2 GROUP BY indexname, indisunique, indisprimary, amname

-- peewee: columns of an index
SELECT i.relname, idx.indisunique, ARRAY(SELECT pg_get_indexdef(idx.indexrelid, k + 1, TRUE) FROM generate_subscripts(idx.indkey, 1) AS k ORDER BY k) AS columns FROM pg_catalog.pg_class AS t INNER JOIN pg_catalog.pg_index AS idx ON t.oid = idx.indrelid INNER JOIN pg_catalog.pg_class AS i ON idx.indexrelid = i.oid WHERE t.relname = 'keyed'

-- pgcli: functions of a schema
SELECT n.nspname, p.proname, COALESCE(proallargtypes::regtype[], proargtypes::regtype[])::text[] AS args, p.prokind = 'a' AS is_aggregate FROM pg_catalog.pg_proc p INNER JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prorettype::regtype != 'trigger'::regtype AND n.nspname = 'raw'

-- psql: settings by name
SELECT s.name AS "Parameter", pg_catalog.current_setting(s.name) AS "Value" FROM pg_catalog.pg_settings s WHERE lower(s.name) OPERATOR(pg_catalog.~) '^(standard.*strings)$' COLLATE pg_catalog.default ORDER BY 1

-- An operator with its schema
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE n.nspname = 'raw' AND c.relkind OPERATOR(pg_catalog.<>) 'i' ORDER BY 1

-- A backslash in a pattern
SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' AND nspname <> 'public'

-- TypeORM: comments of tables
SELECT table_schema, table_name, obj_description((quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass, 'pg_class') AS table_comment FROM information_schema.tables WHERE table_schema = 'raw' ORDER BY 2

-- Drizzle: columns of serial types
SELECT a.attname, a.atttypid = ANY ('{int,int8,int2}'::regtype[]) AND EXISTS (SELECT FROM pg_attrdef ad WHERE ad.adrelid = a.attrelid AND ad.adnum = a.attnum) AS is_serial FROM pg_attribute a WHERE a.attrelid = 'raw.sales'::regclass AND a.attnum > 0 ORDER BY a.attnum

-- Sequelize: schemas, by a pattern with an E before it
SELECT schema_name FROM information_schema.schemata WHERE schema_name <> 'information_schema' AND schema_name != 'public' AND schema_name !~ E'^pg_' ORDER BY 1

-- A pattern that is put together
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'raw' AND c.relname ~ ('^' || 'sal') ORDER BY 1

-- pgAdmin: whether the server is a copy
SELECT CASE WHEN usesuper AND pg_catalog.pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS isPaused FROM pg_catalog.pg_user WHERE usename = current_user

-- pgAdmin: rights of a table, taken apart
SELECT r.rolname, array_agg(d.privilege_type) AS privileges FROM (SELECT (x).grantee AS grantee, (x).privilege_type AS privilege_type FROM (SELECT aclexplode(relacl) AS x FROM pg_catalog.pg_class WHERE relname = 'sales') a) d LEFT JOIN pg_catalog.pg_roles r ON r.oid = d.grantee GROUP BY r.rolname

-- pgAdmin: rights of a view, beside it
SELECT c.relname, d.grantee FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) d WHERE c.relname = 'v'

-- pgAdmin: columns of a table that is called at
SELECT at.attname, at.attnum, pg_catalog.format_type(at.atttypid, at.atttypmod) AS cltype FROM pg_catalog.pg_attribute at JOIN pg_catalog.pg_class cl ON cl.oid = at.attrelid WHERE cl.relname = 'keyed' AND at.attnum > 0 AND NOT at.attisdropped ORDER BY at.attnum

-- pgAdmin: options of an index, and a setting
SELECT substring(pg_catalog.array_to_string(cls.reloptions, ',') FROM 'fillfactor=([0-9]*)')::int AS fillfactor, (SELECT st.setting FROM pg_catalog.pg_show_all_settings() st WHERE st.name = 'server_encoding') AS enc FROM pg_catalog.pg_class cls WHERE cls.relname = 'keyed_pkey'

-- pgAdmin: columns of a key that are only included
SELECT a.attname FROM (SELECT i.indnkeyatts, i.indrelid, pg_catalog.unnest(indkey) AS num, pg_catalog.unnest(ARRAY(SELECT pg_catalog.generate_series(1, i.indnatts) AS n)) AS attnum FROM pg_catalog.pg_index i WHERE i.indrelid = 'raw.keyed'::regclass) i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND i.num = a.attnum WHERE i.attnum > i.indnkeyatts - 1

-- pgAdmin: views, by the rules that make them
SELECT c.relname, c.xmin IS NULL AND false AS odd FROM pg_catalog.pg_class c WHERE c.relhasrules AND EXISTS (SELECT r.rulename FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND bpchar(r.ev_type) = '1'::bpchar) AND c.relnamespace = 'raw'::regnamespace

-- pgAdmin: functions of a kind, by their arguments
SELECT count(*) FROM pg_catalog.pg_proc p WHERE p.prorettype = 2280 AND p.proargtypes[0] = 1 AND pg_catalog.oidvectortypes(p.proargtypes) = 'none'

-- A relation told by its name
SELECT 'raw.sales'::regclass, conrelid::regclass, conrelid::regclass::text AS t FROM pg_catalog.pg_constraint WHERE conname = 'keyed_pkey'

-- pgweb: a relation by a name that is put together
SELECT relkind FROM pg_class WHERE oid = ('"' || 'raw'::text || '"."' || 'keyed'::text || '"')::regclass

-- Singer's tap of PostgreSQL: columns with the sizes of their types
SELECT (pg_class.relkind = 'v' or pg_class.relkind = 'm') AS is_view, n.nspname AS schema_name, pg_class.relname AS table_name, attname AS column_name, i.indisprimary AS primary_key, format_type(a.atttypid, NULL::integer) AS data_type, information_schema._pg_char_max_length(CASE WHEN COALESCE(subpgt.typtype, pgt.typtype) = 'd' THEN COALESCE(subpgt.typbasetype, pgt.typbasetype) ELSE COALESCE(subpgt.oid, pgt.oid) END, information_schema._pg_truetypmod(a.*, pgt.*))::information_schema.cardinal_number AS char_max_length, information_schema._pg_numeric_precision(CASE WHEN COALESCE(subpgt.typtype, pgt.typtype) = 'd' THEN COALESCE(subpgt.typbasetype, pgt.typbasetype) ELSE COALESCE(subpgt.oid, pgt.oid) END, information_schema._pg_truetypmod(a.*, pgt.*))::information_schema.cardinal_number AS numeric_precision, information_schema._pg_numeric_scale(CASE WHEN COALESCE(subpgt.typtype, pgt.typtype) = 'd' THEN COALESCE(subpgt.typbasetype, pgt.typbasetype) ELSE COALESCE(subpgt.oid, pgt.oid) END, information_schema._pg_truetypmod(a.*, pgt.*))::information_schema.cardinal_number AS numeric_scale, pgt.typcategory = 'A' AS is_array, COALESCE(subpgt.typtype, pgt.typtype) = 'e' AS is_enum FROM pg_attribute a LEFT JOIN pg_type AS pgt ON a.atttypid = pgt.oid JOIN pg_class ON pg_class.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = pg_class.relnamespace LEFT OUTER JOIN pg_index as i ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) AND i.indisprimary = true LEFT OUTER JOIN pg_type AS subpgt ON pgt.typelem = subpgt.oid AND pgt.typelem != 0 WHERE attnum > 0 AND NOT a.attisdropped AND pg_class.relkind IN ('r', 'v', 'm', 'p') AND n.nspname NOT in ('pg_toast', 'pg_catalog', 'information_schema') AND has_column_privilege(pg_class.oid, attname, 'SELECT') = true AND n.nspname = 'raw' ORDER BY 3, a.attnum

-- The sizes of types, as information_schema tells them
SELECT typid, typmod, information_schema._pg_char_max_length(typid, typmod) AS a, information_schema._pg_char_octet_length(typid, typmod) AS b, information_schema._pg_numeric_precision(typid, typmod) AS c, information_schema._pg_numeric_precision_radix(typid, typmod) AS d, information_schema._pg_numeric_scale(typid, typmod) AS e, information_schema._pg_datetime_precision(typid, typmod) AS f FROM (VALUES (20, -1), (21, -1), (23, -1), (25, -1), (700, -1), (701, -1), (1042, 7), (1043, 24), (1043, -1), (1082, -1), (1083, -1), (1114, 3), (1184, -1), (1700, 786439), (1700, -1), (16, -1), (2950, -1)) AS x(typid, typmod) ORDER BY 1, 2

-- The true types of columns
SELECT a.attname, information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a.*, t.*) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = 'raw.keyed'::regclass AND a.attnum > 0 AND a.atttypmod = -1 ORDER BY a.attnum

-- Singer's tap of PostgreSQL: types whose lists it wants as texts
SELECT typname, typarray, typlen, typcategory, oid::regtype::text AS shown, typarray::regtype::text AS list FROM pg_type WHERE typname IN ('citext', 'bit', 'uuid', 'money') ORDER BY 1

-- Cube: columns, in a text that begins with the name of the table
SELECT columns.column_name as "column_name", columns.table_name as "table_name", columns.table_schema as "table_schema", columns.data_type as "data_type" FROM information_schema.columns WHERE columns.table_schema NOT IN ('pg_catalog', 'information_schema', 'mysql', 'performance_schema', 'sys', 'INFORMATION_SCHEMA') AND table_name = 'keyed'

-- MassiveJS: the columns of keys, each with its place
SELECT c.relname, k.n, k.x, (SELECT max(o.n) FROM information_schema._pg_expandarray(pks.conkey) AS o) AS last FROM pg_class c JOIN pg_constraint pks ON pks.conrelid = c.oid JOIN information_schema._pg_expandarray(pks.conkey) AS k ON k.n > 0 WHERE c.relname = 'keyed'

-- psycopg: callproc of a function that gives one value
SELECT * FROM upper('a')

-- JDBC: {? = call …}
select * from concat('a', 'b') as result

-- functions of one value among tables: names of their columns
SELECT u.*, t.n, a.*, g FROM upper('a') AS u(x), abs(-3) WITH ORDINALITY AS a(v, i), pg_catalog.to_char(date '2024-02-03', 'YYYY') t(n)
  LEFT JOIN LATERAL lower(t.n || 'Q') l ON l = '2024q', generate_series(1, 2) g ORDER BY g, upper(u.x)

-- functions of one value among tables: columns of rows before them
SELECT id, c, r FROM raw.sales s JOIN coalesce(1, 2) one ON s.id >= one, LATERAL concat(s.id, '-', s.amount) c, repeat('ab', 2) r ORDER BY id

-- FROM that is no table's
SELECT extract(year FROM date_trunc('year', date '2024-02-03'))::int AS extract, substring('abcde' FROM abs(-2) FOR 2), 1 IS DISTINCT FROM abs(-1), lower('X') WHERE 'a' IN ('b', lower('A'))

-- bytes of a digest
SELECT sha256('a'::bytea), encode(sha256('a'::bytea), 'hex'), convert_from('\x61'::bytea, 'utf8') AS a, d FROM sha256(convert_to('b', 'UTF8')) d

-- diesel: comments, by names that are quoted there, and by casts that are written as calls
select obj_description((quote_ident('raw') || '.' || quote_ident('sales'))::regclass, 'pg_class') as t, obj_description(regclass('raw.sales'), 'pg_class'), col_description(regclass('raw.' || 'sales'), 1) as c, relname from pg_class where oid = regclass('raw.sales')

-- psqlODBC: SQLStatistics, which takes the columns of an index apart by their type
select c.relname, i.indkey, i.indisunique, i.indisclustered, a.amname, n.nspname, i.indoption from pg_catalog.pg_index i, pg_catalog.pg_class c, pg_catalog.pg_class d, pg_catalog.pg_am a, pg_catalog.pg_namespace n where d.relname = 'keyed' and n.nspname = 'raw' and n.oid = d.relnamespace and d.oid = i.indrelid and i.indexrelid = c.oid and c.relam = a.oid order by i.indisprimary desc, i.indisunique, n.nspname, c.relname

-- the columns of an index, as text and among columns
select i.indkey::text, string_to_array(i.indkey::text, ' ') as k, a.attnotnull from pg_index i join pg_attribute a on a.attrelid = i.indexrelid where i.indrelid = 'raw.keyed'::regclass

-- what is cut and trimmed has the names of PostgreSQL
select 'x'::char(1), 'abc'::varchar(2), cast('abc' as varchar(2)), cast('abc' as char(2)), cast(name as varchar(1)), cast(k.name as character varying(2)), trim(' a '), trim(both 'x' from 'xax'), trim(leading from ' a'), cast('2024-01-01 10:00:00.7+00' as timestamptz(0)) from raw.keyed k where id = 1

-- constants are called as their types, and keep their digits
select 1::numeric, 2.5::numeric(4,1), cast(1.50 as numeric), cast(-12 as numeric) as n, cast('0.00001' as decimal), '7'::numeric::text, cast(id - 1 as numeric)::int as d from raw.sales where id = 1

-- rights among tables, and many functions in a list
SELECT * FROM has_table_privilege('raw.sales', 'select') AS p, string_to_array('a,b', ',') s
